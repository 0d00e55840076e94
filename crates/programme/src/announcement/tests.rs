//! The announcement, there and back, and what is none.

use super::*;

#[test]
fn goes_there_and_back() {
    let announcement = Announcement {
        description: "Bring a chair.\nAnd a friend.".into(),
        language: "pt-BR".into(),
        start_at: Some(UnixMillis(1_763_683_900_000)),
        plan: Plan { speak: Speak::Invited, delay: Delay::Seconds5, record_tracks: true, empty_minutes: 3, doors_minutes: 0 },
        ..Announcement::new("0123456789ab".parse().unwrap(), "Town \"meeting\"", Visibility::Unlisted, UnixMillis(1_763_683_200_000))
    };
    insta::assert_snapshot!(announcement.text(), @r#"{"id":"0123456789ab","title":"Town \"meeting\"","visibility":"unlisted","created_at":1763683200000,"delay_seconds":5,"description":"Bring a chair.\nAnd a friend.","language":"pt-BR","start_at":1763683900000,"speak":"invited","record_tracks":true,"empty_minutes":3,"doors_minutes":0}"#);
    assert_eq!(Announcement::read(announcement.text().as_bytes()), Ok(announcement));
}

#[test]
fn one_from_before_has_the_usual_plan() {
    let before = r#"{"id":"0123456789ab","title":"T","visibility":"public","created_at":1}"#;
    let wanted = Announcement::new("0123456789ab".parse().unwrap(), "T", Visibility::Public, UnixMillis(1));
    assert_eq!(Announcement::read(before.as_bytes()), Ok(wanted));
}

#[test]
fn says_what_is_wrong() {
    let good = r#"{"id":"0123456789ab","title":"T","visibility":"public","created_at":1,"delay_seconds":0}"#;
    assert!(Announcement::read(good.as_bytes()).is_ok());
    for (from, to, says) in [
        ("0123456789ab", "x", "12 characters"),
        ("public", "secret", "secret"),
        ("\"delay_seconds\":0", "\"delay_seconds\":7", "delay_seconds is 7"),
        ("\"delay_seconds\":0", "\"speak\":\"all\"", "speak is \"all\""),
        ("}", "", "EOF"),
    ] {
        let error = Announcement::read(good.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
