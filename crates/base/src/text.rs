//! What people type as others see it: the one rule for names and titles.

/// Typed text as one line that shows what it is: runs of white space made one space and none around it, without control characters,
/// without those that show nothing, and without those that turn the direction of the writing around them (Unicode, UAX 9).
///
/// What joins letters and the parts of an emoji (U+200C, U+200D) stays.
#[must_use]
pub fn shown(typed: &str) -> String {
    let visible: String = typed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Typed text of several lines as others see it: each line as [`shown`] gives it, no more than one empty line between two, none around all.
#[must_use]
pub fn paragraphs(typed: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in typed.replace("\r\n", "\n").split(['\n', '\r']).map(shown) {
        if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
