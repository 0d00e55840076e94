//! Calendars as files (RFC 5545): one event with an alarm, a series, the square.

use base::UnixMillis;
use jiff::Timestamp;

/// What a calendar is told that an event takes: nobody knows how long it will be, and most calendars hide what takes no time.
const DURATION: &str = "PT1H";

/// Bytes of a line at most, its end apart (RFC 5545, section 3.1).
const LINE_BYTES_MAX: usize = 75;

/// An event as calendars have it.
pub(crate) struct Entry {
    /// Its own for ever, whatever changes.
    pub(crate) uid: String,
    /// How often it was changed, and when last.
    pub(crate) revision: u32,
    pub(crate) changed_at: UnixMillis,
    pub(crate) created_at: UnixMillis,
    pub(crate) start_at: UnixMillis,
    pub(crate) title: String,
    pub(crate) description: String,
    /// The event's page.
    pub(crate) address: String,
    /// Whether to be rung a quarter of an hour before.
    pub(crate) alarm: bool,
}

/// A calendar of these events. `name`: of one to subscribe to.
pub(crate) fn text(name: Option<&str>, entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| fold(&mut text, line);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Townsquare//Townsquare//EN");
    line("CALSCALE:GREGORIAN");
    if let Some(name) = name {
        let name = escaped(name);
        line(&format!("NAME:{name}"));
        line(&format!("X-WR-CALNAME:{name}"));
        // RFC 7986, section 5.7, and what came before it.
        line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
        line("X-PUBLISHED-TTL:PT1H");
    }
    for entry in entries {
        event(&mut line, entry);
    }
    line("END:VCALENDAR");
    text
}

fn event(line: &mut impl FnMut(&str), entry: &Entry) {
    let title = escaped(&entry.title);
    let about = if entry.description.is_empty() { entry.address.clone() } else { format!("{}\n\n{}", entry.description, entry.address) };
    line("BEGIN:VEVENT");
    line(&format!("UID:{}", entry.uid));
    line(&format!("SEQUENCE:{}", entry.revision));
    line(&format!("DTSTAMP:{}", utc(entry.changed_at)));
    line(&format!("CREATED:{}", utc(entry.created_at)));
    line(&format!("LAST-MODIFIED:{}", utc(entry.changed_at)));
    line(&format!("DTSTART:{}", utc(entry.start_at)));
    line(&format!("DURATION:{DURATION}"));
    line(&format!("SUMMARY:{title}"));
    line(&format!("DESCRIPTION:{}", escaped(&about)));
    line(&format!("LOCATION:{}", escaped(&entry.address)));
    line(&format!("URL:{}", entry.address));
    line("STATUS:CONFIRMED");
    line("TRANSP:OPAQUE");
    if entry.alarm {
        line("BEGIN:VALARM");
        line("ACTION:DISPLAY");
        line("TRIGGER:-PT15M");
        line(&format!("DESCRIPTION:{title}"));
        line("END:VALARM");
    }
    line("END:VEVENT");
}

/// Text as a value (RFC 5545, section 3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A line, folded between characters (RFC 5545, section 3.1).
fn fold(text: &mut String, line: &str) {
    let mut room = LINE_BYTES_MAX;
    for c in line.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = LINE_BYTES_MAX - 1;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}

fn utc(at: UnixMillis) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests;
