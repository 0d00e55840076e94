//! What people type: names, titles, times. Each is read here and nowhere else.

use base::limit::{ACCOUNT_NAME_CHARS_MAX, START_AHEAD_DAYS_MAX, START_PAST_MINUTES_MAX, TITLE_CHARS_MAX};
use base::{FaultKind, UnixMillis};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::ops::RangeInclusive;

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

/// One line of something said, at most so many characters ([`base::text::shown`]).
///
/// # Errors
/// [`FaultKind::TextMissing`] or [`FaultKind::TextTooLong`].
pub fn line(typed: &str, chars_max: usize) -> Result<String, FaultKind> {
    let line = base::text::shown(typed);
    match line.chars().count() {
        0 => Err(FaultKind::TextMissing),
        chars if chars > chars_max => Err(FaultKind::TextTooLong),
        _ => Ok(line),
    }
}

/// When an event is to begin: RFC 3339, or a form's local date and time, which is then UTC. Nothing typed is no time.
///
/// # Errors
/// [`FaultKind::BadTime`]; [`FaultKind::StartPast`] or [`FaultKind::StartFar`] outside of [`starts`].
pub fn start(typed: &str, now: UnixMillis) -> Result<Option<UnixMillis>, FaultKind> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let time = typed
        .parse::<Timestamp>()
        .or_else(|_| typed.parse::<DateTime>().and_then(|local| local.to_zoned(TimeZone::UTC)).map(|zoned| zoned.timestamp()))
        .map_err(|_| FaultKind::BadTime)?;
    let (start, starts) = (UnixMillis(time.as_millisecond()), starts(now));
    if start < *starts.start() {
        Err(FaultKind::StartPast)
    } else if start > *starts.end() {
        Err(FaultKind::StartFar)
    } else {
        Ok(Some(start))
    }
}

/// When an event that is announced now may begin.
#[must_use]
pub fn starts(now: UnixMillis) -> RangeInclusive<UnixMillis> {
    const MINUTE: i64 = 60_000;
    UnixMillis(now.0 - START_PAST_MINUTES_MAX * MINUTE)..=UnixMillis(now.0 + START_AHEAD_DAYS_MAX * 24 * 60 * MINUTE)
}

#[cfg(test)]
mod tests;
