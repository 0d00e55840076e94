//! An event's own words on a page: paragraphs, links that can be followed, and which way they run.

use url::Url;

/// Plain text as a page shows it.
pub(crate) struct Prose {
    /// Paragraphs of lines of pieces.
    pub(crate) paragraphs: Vec<Vec<Vec<Piece>>>,
}

/// Some words of a line, or a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) link: Option<String>,
}

impl Prose {
    /// Reads text as `base::text::paragraphs` leaves it.
    pub(crate) fn new(text: &str) -> Self {
        let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.is_empty());
        Self { paragraphs: paragraphs.map(|paragraph| paragraph.lines().map(pieces).collect()).collect() }
    }
}

fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (place, word) in line.split(' ').enumerate() {
        let space = if place == 0 { "" } else { " " };
        match link(word) {
            Some((before, address, href, after)) => {
                say(&mut pieces, &format!("{space}{before}"));
                pieces.push(Piece { text: address.to_owned(), link: Some(href) });
                say(&mut pieces, after);
            }
            None => say(&mut pieces, &format!("{space}{word}")),
        }
    }
    pieces
}

fn say(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece { text: said, link: None }) => said.push_str(text),
        Some(_) | None => pieces.push(Piece { text: text.to_owned(), link: None }),
    }
}

/// The address in a word, with what stands before and after it: brackets, and the sentence's own marks.
fn link(word: &str) -> Option<(&str, &str, String, &str)> {
    let at = ["https://", "http://"].into_iter().filter_map(|scheme| word.find(scheme)).min()?;
    let (before, rest) = word.split_at(at);
    if !before.chars().all(|c| !c.is_alphanumeric()) {
        return None;
    }
    let address = rest.trim_end_matches(|c: char| ".,;:!?'\"»”’>]}".contains(c) || (c == ')' && !rest.contains('(')));
    let url = Url::parse(address).ok().filter(Url::has_host)?;
    Some((before, address, url.into(), &rest[address.len()..]))
}

/// Which way words in this language run (BCP 47); each paragraph by its own letters when nobody said.
pub(crate) fn direction(language: &str) -> &'static str {
    const RIGHT_TO_LEFT: [&str; 11] = ["ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];
    let mut parts = language.split('-');
    let primary = parts.next().unwrap_or_default();
    match parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        _ if primary.is_empty() => "auto",
        Some("Arab" | "Hebr" | "Thaa" | "Syrc" | "Nkoo" | "Adlm") => "rtl",
        Some(_) => "ltr",
        None if RIGHT_TO_LEFT.contains(&primary) => "rtl",
        None => "ltr",
    }
}

#[cfg(test)]
mod tests;
