//! What can be typed.

use super::{name, start, title};
use crate::testing::NOW;
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
    let (hour, day) = (3_600_000, 86_400_000);
    let at = |millis: i64| jiff::Timestamp::from_millisecond(millis).expect("in range").to_string();
    let six = Some(UnixMillis(1_795_284_000_000));
    let (late, far) = (NOW.0 - hour, NOW.0 + 3_653 * day);
    for (typed, read) in [
        ("", None),
        (" ", None),
        ("2026-11-21T18:00:00Z", six),
        ("2026-11-21T19:00:00+01:00", six),
        ("2026-11-21T18:00", six),
        ("2026-11-21T18:00:00", six),
        (&at(late), Some(UnixMillis(late))),
        (&at(far), Some(UnixMillis(far))),
    ] {
        assert_eq!(start(typed, NOW), Ok(read), "{typed:?}");
    }
    for (typed, fault) in [
        ("soon", FaultKind::BadTime),
        ("2026-11-21T25:00:00Z", FaultKind::BadTime),
        ("2026-02-30T10:00", FaultKind::BadTime),
        ("18:00", FaultKind::BadTime),
        ("1969-12-31T23:59:59Z", FaultKind::StartPast),
        ("1999-01-01T00:00", FaultKind::StartPast),
        (&at(late - 1), FaultKind::StartPast),
        (&at(far + 1), FaultKind::StartFar),
        ("9999-01-01T00:00:00Z", FaultKind::StartFar),
    ] {
        assert_eq!(start(typed, NOW), Err(fault), "{typed:?}");
    }
}

#[test]
fn languages_are_written_one_way() {
    for (typed, written) in [
        ("", Ok("")),
        (" DE ", Ok("de")),
        ("PT-br", Ok("pt-BR")),
        ("zh-hANT-tw", Ok("zh-Hant-TW")),
        ("de-1996", Ok("de-1996")),
        ("es-419", Ok("es-419")),
        ("German", Ok("german")),
        ("x", Err(FaultKind::LanguageUnusable)),
        ("de_DE", Err(FaultKind::LanguageUnusable)),
        ("de-", Err(FaultKind::LanguageUnusable)),
        ("\"><b>", Err(FaultKind::LanguageUnusable)),
        ("a-very-long-tag-that-goes-on-and-on-and-on", Err(FaultKind::LanguageUnusable)),
    ] {
        assert_eq!(super::language(typed), written.map(str::to_owned), "{typed:?}");
    }
}

#[test]
fn guests_are_names_each_once() {
    for (typed, names) in
        [("", Ok(vec![])), ("@Bob, ada;\nBOB\tEve", Ok(vec!["ada", "Bob", "Eve"])), ("ada bob@example.org", Err(FaultKind::GuestsUnusable))]
    {
        assert_eq!(super::guests(typed), names.map(|names| names.into_iter().map(str::to_owned).collect()), "{typed:?}");
    }
    let many = |count: usize| (0..count).map(|place| format!("guest{place} ")).collect::<String>();
    assert_eq!((super::guests(&many(200)).map(drop), super::guests(&many(201)).map(drop)), (Ok(()), Err(FaultKind::GuestsUnusable)));
}

#[test]
fn passphrases_are_long_enough() {
    for (typed, read) in [("  ", Ok(None)), ("short", Err(FaultKind::PassphraseUnusable)), (" the old bridge ", Ok(Some("the old bridge")))]
    {
        assert_eq!(super::passphrase(typed), read.map(|some| some.map(str::to_owned)), "{typed:?}");
    }
}

#[test]
fn places_in_a_recording() {
    for (typed, place) in [
        ("0", Some(0.0)),
        (" 83 ", Some(83.0)),
        ("83.4", Some(83.4)),
        ("1:23", Some(83.0)),
        ("1:02:03.5", Some(3_723.5)),
        ("90:00", Some(5_400.0)),
        ("", None),
        (":", None),
        ("1:", None),
        ("-1", None),
        ("1e5", None),
        ("NaN", None),
        ("1:2:3:4", None),
        ("1.5:00", None),
        ("12345678901", None),
    ] {
        assert_eq!(super::place(typed), place, "{typed:?}");
    }
}
