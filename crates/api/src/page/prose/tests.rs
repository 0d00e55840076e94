//! What becomes a link, and which way words run.

use super::{Prose, direction};

/// Paragraphs as text: `|` between lines, `¶` between paragraphs, links in brackets.
fn shown(text: &str) -> String {
    let line = |line: &Vec<super::Piece>| {
        line.iter()
            .map(|piece| piece.link.as_ref().map_or_else(|| piece.text.clone(), |link| format!("[{}→{link}]", piece.text)))
            .collect::<String>()
    };
    let paragraph = |lines: &Vec<Vec<super::Piece>>| lines.iter().map(line).collect::<Vec<_>>().join("|");
    Prose::new(text).paragraphs.iter().map(paragraph).collect::<Vec<_>>().join("¶")
}

#[test]
fn addresses_become_links_and_marks_stay_outside() {
    for (text, wanted) in [
        ("", ""),
        ("one\ntwo\n\nthree", "one|two¶three"),
        ("See https://example.org/a?b=1#c, soon.", "See [https://example.org/a?b=1#c→https://example.org/a?b=1#c], soon."),
        ("(http://example.org/x)", "([http://example.org/x→http://example.org/x])"),
        ("https://example.org/Town_(place).", "[https://example.org/Town_(place)→https://example.org/Town_(place)]."),
        ("javascript:alert(1) https:// xhttps://a.b", "javascript:alert(1) https:// xhttps://a.b"),
        ("\"https://example.org/\"><script>", "\"[https://example.org/\"><script→https://example.org/%22%3E%3Cscript]>"),
    ] {
        assert_eq!(shown(text), wanted, "{text:?}");
    }
}

#[test]
fn words_run_as_their_language_does() {
    for (language, wanted) in
        [("", "auto"), ("de", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("az-Arab", "rtl"), ("ku-Latn-TR", "ltr"), ("he", "rtl")]
    {
        assert_eq!(direction(language), wanted, "{language}");
    }
}
