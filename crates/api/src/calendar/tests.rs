//! The text of calendars.

use super::{Entry, text};
use base::UnixMillis;

fn entry() -> Entry {
    Entry {
        uid: "0123456789ab@townsquare".into(),
        revision: 2,
        changed_at: UnixMillis(1_795_226_400_000),
        created_at: UnixMillis(1_795_222_800_000),
        start_at: UnixMillis(1_795_284_000_000),
        title: "Bread, salt; and \\ all".into(),
        description: "Bring a chair.\n\nOr stand.".into(),
        address: "https://square.example/events/0123456789ab".into(),
        alarm: true,
    }
}

#[test]
fn one_event_with_an_alarm() {
    insta::assert_snapshot!(text(None, &[entry()]).replace("\r\n", "\n"));
}

#[test]
fn a_calendar_to_subscribe_to() {
    insta::assert_snapshot!(text(Some("Town, square"), &[]).replace("\r\n", "\n"));
}

#[test]
fn lines_are_short_and_no_character_is_cut() {
    let long = Entry { title: "اجتماع 🎉 ".repeat(40), description: "x".repeat(4_000), ..entry() };
    let text = text(None, &[long]);
    assert!(text.ends_with("\r\n") && text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
    let unfolded = text.replace("\r\n ", "");
    assert!(unfolded.contains(&"اجتماع 🎉 ".repeat(40)) && unfolded.contains(&"x".repeat(4_000)));
}
