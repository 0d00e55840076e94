//! What becomes of what is typed.

use super::{paragraphs, shown};

#[test]
fn text_shows_what_it_is() {
    for (typed, seen) in [
        ("Ada", "Ada"),
        ("  Ada \t\n Lovelace\u{2028}", "Ada Lovelace"),
        ("\u{202e}adA", "adA"),
        ("A\u{2066}d\u{2069}a\u{200f}\u{61c}", "Ada"),
        ("A\u{ad}d\u{200b}a\u{feff}\u{0}", "Ada"),
        ("\u{202e}\u{200b} \u{7}", ""),
        ("\u{639}\u{644}\u{64a}", "\u{639}\u{644}\u{64a}"),
        ("\u{1f469}\u{200d}\u{1f680}", "\u{1f469}\u{200d}\u{1f680}"),
        ("<bdi>", "<bdi>"),
    ] {
        assert_eq!(shown(typed), seen, "{typed:?}");
    }
}

#[test]
fn paragraphs_stay_and_nothing_else_does() {
    for (typed, seen) in
        [("", ""), (" \r\n\r\n ", ""), ("one\r\ntwo\r\n\r\n\r\n\r\nthree  four\n\n", "one\ntwo\n\nthree four"), ("a\u{202e}b\rc", "ab\nc")]
    {
        assert_eq!(paragraphs(typed), seen, "{typed:?}");
    }
}
