//! The announcement, there and back, and what is none.

use super::*;

#[test]
fn goes_there_and_back() {
    let announcement = Announcement {
        id: "0123456789ab".parse().unwrap(),
        title: "Town \"meeting\"".into(),
        visibility: Visibility::Unlisted,
        created_at: UnixMillis(1_763_683_200_000),
        delay: Delay::Seconds5,
    };
    insta::assert_snapshot!(announcement.text(), @r#"{"id":"0123456789ab","title":"Town \"meeting\"","visibility":"unlisted","created_at":1763683200000,"delay_seconds":5}"#);
    assert_eq!(Announcement::read(announcement.text().as_bytes()), Ok(announcement));
}

#[test]
fn says_what_is_wrong() {
    let good = r#"{"id":"0123456789ab","title":"T","visibility":"public","created_at":1,"delay_seconds":0}"#;
    assert!(Announcement::read(good.as_bytes()).is_ok());
    for (from, to, says) in [
        ("0123456789ab", "x", "12 characters"),
        ("public", "secret", "secret"),
        ("\"delay_seconds\":0", "\"delay_seconds\":7", "delay_seconds is 7"),
        ("}", "", "EOF"),
    ] {
        let error = Announcement::read(good.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
