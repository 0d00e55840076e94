//! What people type: names, titles, times. Each is read here and nowhere else.

use base::limit::{ACCOUNT_NAME_CHARS_MAX, TITLE_CHARS_MAX};
use base::{FaultKind, UnixMillis};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time that a ticket can carry: seconds since 1970 in 32 bits.
const LAST_START_SECOND: i64 = u32::MAX as i64 / 2;

/// An account's name: ASCII letters, digits and underscores, so that it can be typed, spoken and put in an address.
///
/// # Errors
/// [`FaultKind::NameUnusable`].
pub fn name(typed: &str) -> Result<String, FaultKind> {
    let name = typed.trim();
    let fits = !name.is_empty() && name.len() <= ACCOUNT_NAME_CHARS_MAX;
    if fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(name.to_owned())
    } else {
        Err(FaultKind::NameUnusable)
    }
}

/// An event's title: one line that shows what it is ([`base::text::shown`]).
///
/// # Errors
/// [`FaultKind::TitleMissing`] or [`FaultKind::TitleTooLong`].
pub fn title(typed: &str) -> Result<String, FaultKind> {
    let title = base::text::shown(typed);
    match title.chars().count() {
        0 => Err(FaultKind::TitleMissing),
        1..=TITLE_CHARS_MAX => Ok(title),
        _ => Err(FaultKind::TitleTooLong),
    }
}

/// When an event is to begin: RFC 3339, or a form's local date and time, which is then UTC. Nothing typed is no time.
///
/// # Errors
/// [`FaultKind::BadTime`].
pub fn start(typed: &str) -> Result<Option<UnixMillis>, FaultKind> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let time = typed
        .parse::<Timestamp>()
        .or_else(|_| typed.parse::<DateTime>().and_then(|local| local.to_zoned(TimeZone::UTC)).map(|zoned| zoned.timestamp()))
        .map_err(|_| FaultKind::BadTime)?;
    if (0..=LAST_START_SECOND).contains(&time.as_second()) { Ok(Some(UnixMillis(time.as_millisecond()))) } else { Err(FaultKind::BadTime) }
}

#[cfg(test)]
mod tests;
