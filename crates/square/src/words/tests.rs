//! What can be typed.

use super::{name, start, title};
use base::{FaultKind, UnixMillis};

#[test]
fn names() {
    let longest = "a".repeat(30);
    for (typed, read) in [("Ada", "Ada"), (" ada_l0velace ", "ada_l0velace"), (&longest, &longest)] {
        assert_eq!(name(typed).as_deref(), Ok(read), "{typed:?}");
    }
    for typed in ["", " ", "a b", "ada!", "ädä", "a\u{202e}b", &"a".repeat(31), "../x"] {
        assert_eq!(name(typed), Err(FaultKind::NameUnusable), "{typed:?}");
    }
}

#[test]
fn titles() {
    let longest = "ö".repeat(120);
    for (typed, read) in [
        ("Town meeting", "Town meeting"),
        ("  Town\n\tmeeting ", "Town meeting"),
        ("Te\u{202e}st\u{0}", "Test"),
        ("<script>", "<script>"),
        (&longest, &longest),
    ] {
        assert_eq!(title(typed).as_deref(), Ok(read), "{typed:?}");
    }
    for typed in ["", " \n", "\u{200b}"] {
        assert_eq!(title(typed), Err(FaultKind::TitleMissing), "{typed:?}");
    }
    assert_eq!(title(&"a".repeat(121)), Err(FaultKind::TitleTooLong));
}

#[test]
fn starts() {
    let six = Some(UnixMillis(1_795_284_000_000));
    for (typed, read) in [
        ("", None),
        (" ", None),
        ("2026-11-21T18:00:00Z", six),
        ("2026-11-21T19:00:00+01:00", six),
        ("2026-11-21T18:00", six),
        ("2026-11-21T18:00:00", six),
        ("1970-01-01T00:00:00Z", Some(UnixMillis(0))),
    ] {
        assert_eq!(start(typed), Ok(read), "{typed:?}");
    }
    for typed in ["soon", "2026-11-21T25:00:00Z", "2026-02-30T10:00", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "18:00"] {
        assert_eq!(start(typed), Err(FaultKind::BadTime), "{typed:?}");
    }
}
