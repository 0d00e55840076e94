//! What people type: names, titles, times. Each is read here and nowhere else.

use base::limit::{
    ACCOUNT_NAME_CHARS_MAX, DESCRIPTION_CHARS_MAX, GUESTS_MAX, LANGUAGE_CHARS_MAX, PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN,
    START_AHEAD_DAYS_MAX, START_PAST_MINUTES_MAX, TITLE_CHARS_MAX,
};
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
    let Some(start) = time(typed)? else { return Ok(None) };
    let starts = starts(now);
    if start < *starts.start() {
        Err(FaultKind::StartPast)
    } else if start > *starts.end() {
        Err(FaultKind::StartFar)
    } else {
        Ok(Some(start))
    }
}

/// A moment: RFC 3339, or a form's local date and time, which is then UTC. Nothing typed is none.
///
/// # Errors
/// [`FaultKind::BadTime`].
pub fn time(typed: &str) -> Result<Option<UnixMillis>, FaultKind> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let time = typed
        .parse::<Timestamp>()
        .or_else(|_| typed.parse::<DateTime>().and_then(|local| local.to_zoned(TimeZone::UTC)).map(|zoned| zoned.timestamp()))
        .map_err(|_| FaultKind::BadTime)?;
    Ok(Some(UnixMillis(time.as_millisecond())))
}

/// A moment as a form's field for a date and a time has it, in UTC; with seconds where there are some.
#[must_use]
pub fn field(at: UnixMillis) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime(if at.0 % 60_000 < 1_000 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
}

/// What an event is about: plain text in paragraphs ([`base::text::paragraphs`]).
///
/// # Errors
/// [`FaultKind::DescriptionTooLong`].
pub fn description(typed: &str) -> Result<String, FaultKind> {
    let description = base::text::paragraphs(typed);
    if description.chars().count() <= DESCRIPTION_CHARS_MAX { Ok(description) } else { Err(FaultKind::DescriptionTooLong) }
}

/// A language's tag (BCP 47), written as RFC 5646, section 2.1.1 has it: `pt-BR`, `zh-Hant`. Nothing typed is none.
///
/// # Errors
/// [`FaultKind::LanguageUnusable`] when it can't be one.
pub fn language(typed: &str) -> Result<String, FaultKind> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(String::new());
    }
    let fits = |(place, part): (usize, &str)| {
        let is_language = (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_further = (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if place == 0 { is_language } else { is_further }
    };
    // "-x-" stands before private words and never last; the language itself has a meaning to everybody.
    if typed.len() > LANGUAGE_CHARS_MAX || !typed.split('-').enumerate().all(fits) {
        return Err(FaultKind::LanguageUnusable);
    }
    let written = typed.split('-').enumerate().map(|(place, part)| {
        let lower = part.to_ascii_lowercase();
        match (place, part.len()) {
            (1.., 2) => part.to_ascii_uppercase(),
            (1.., 4) if part.bytes().all(|byte| byte.is_ascii_alphabetic()) => lower[..1].to_ascii_uppercase() + &lower[1..],
            _ => lower,
        }
    });
    Ok(written.collect::<Vec<_>>().join("-"))
}

/// A passphrase as it was typed, without white space around it. Nothing typed is none.
///
/// # Errors
/// [`FaultKind::PassphraseUnusable`].
pub fn passphrase(typed: &str) -> Result<Option<String>, FaultKind> {
    let typed = typed.trim();
    match typed.chars().count() {
        0 => Ok(None),
        PASSPHRASE_CHARS_MIN..=PASSPHRASE_CHARS_MAX => Ok(Some(typed.to_owned())),
        _ => Err(FaultKind::PassphraseUnusable),
    }
}

/// Accounts' names with white space or commas between them, an `@` before each or not.
///
/// # Errors
/// [`FaultKind::GuestsUnusable`] when one can't be a name, or they are too many.
pub fn guests(typed: &str) -> Result<Vec<String>, FaultKind> {
    let words = typed.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty());
    let mut names: Vec<String> =
        words.map(|word| name(word.trim_start_matches('@'))).collect::<Result<_, _>>().map_err(|_| FaultKind::GuestsUnusable)?;
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    if names.len() <= GUESTS_MAX { Ok(names) } else { Err(FaultKind::GuestsUnusable) }
}

/// A time within a recording: `1:02:03.5`, `12:30` or seconds. `None` when it can't be read.
#[must_use]
pub fn place(typed: &str) -> Option<f64> {
    let parts: Vec<&str> = typed.trim().split(':').collect();
    let (last, before) = parts.split_last().filter(|(_, before)| before.len() <= 2)?;
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut seconds = 0.0;
    for part in before {
        seconds = (seconds + f64::from(part.parse::<u32>().ok().filter(|_| digits(part))?)) * 60.0;
    }
    Some(seconds + last.parse::<f64>().ok().filter(|_| digits(last))?)
}

/// When an event that is announced now may begin.
#[must_use]
pub fn starts(now: UnixMillis) -> RangeInclusive<UnixMillis> {
    const MINUTE: i64 = 60_000;
    UnixMillis(now.0 - START_PAST_MINUTES_MAX * MINUTE)..=UnixMillis(now.0 + START_AHEAD_DAYS_MAX * 24 * 60 * MINUTE)
}

#[cfg(test)]
mod tests;
