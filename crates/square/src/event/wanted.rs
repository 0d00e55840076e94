//! What somebody typed for an event, field by field, and what it says.

use crate::words;
use base::limit::EMPTY_MINUTES_MAX;
use base::{Delay, FaultKind, Plan, Speak, UnixMillis, Visibility};
use std::collections::BTreeMap;
use store::{Event, Repeats};

/// What somebody typed for an event, new or announced. What is empty is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The language it is held in.
    pub language: String,
    /// When it is to begin; empty when that is open.
    pub start: String,
    /// Who finds it; empty for public.
    pub visibility: String,
    /// The passphrase that lets anybody into a private one; empty for none, or for the one that it has.
    pub passphrase: String,
    /// Whether it is to have no passphrase any more.
    pub no_passphrase: bool,
    /// The names of the accounts that a private one lets in, with white space or commas between them.
    pub guests: String,
    /// Who may speak.
    pub speak: String,
    /// How many seconds behind it is heard.
    pub delay: String,
    /// Whether every speaker is recorded apart.
    pub record_tracks: bool,
    /// Minutes with nobody on stage after which it ends.
    pub empty_minutes: String,
    /// How often it comes again; empty for once.
    pub repeats: String,
    /// How many times in all.
    pub times: String,
    /// The last day, in place of a number of times.
    pub until: String,
}

impl Wanted {
    /// The form as it stands for an event that is announced. A passphrase is never shown.
    #[must_use]
    pub fn of(event: &Event, guests: &[String]) -> Self {
        Self {
            title: event.title.clone(),
            description: event.description.clone(),
            language: event.language.clone(),
            start: event.start_at.map(words::field).unwrap_or_default(),
            visibility: event.visibility.name().to_owned(),
            guests: guests.join(", "),
            speak: event.plan.speak.name().to_owned(),
            delay: event.plan.delay.seconds().to_string(),
            record_tracks: event.plan.record_tracks,
            empty_minutes: event.plan.empty_minutes.to_string(),
            ..Self::default()
        }
    }
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The title.
    Title,
    /// The description.
    Description,
    /// The language.
    Language,
    /// The picture.
    Picture,
    /// The start.
    Start,
    /// Who finds it.
    Visibility,
    /// The passphrase.
    Passphrase,
    /// The guests.
    Guests,
    /// Who may speak.
    Speak,
    /// The delay.
    Delay,
    /// The minutes of an empty stage.
    EmptyMinutes,
    /// The series.
    Repeats,
}

/// What can't be read, one fault for each field.
pub type Faults = BTreeMap<Field, FaultKind>;

/// How a series goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// How often.
    pub repeats: Repeats,
    /// Until when.
    pub until: Until,
}

/// Where a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After so many events.
    Times(usize),
    /// With this day.
    Day(jiff::civil::Date),
}

/// What an announcement says, once it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) language: String,
    pub(crate) start_at: Option<UnixMillis>,
    pub(crate) visibility: Visibility,
    pub(crate) plan: Plan,
    pub(crate) guests: Vec<String>,
    pub(crate) again: Option<Again>,
    /// The new passphrase, to be hashed by whoever has the time.
    pub passphrase: Option<String>,
    /// Whether the one that it has goes.
    pub(crate) no_passphrase: bool,
}

/// Reads a form. `before`: the event as it stands, when it is to be changed; a start that was good once stays good.
///
/// # Errors
/// What can't be read, field by field.
pub fn read(wanted: &Wanted, now: UnixMillis, before: Option<&Event>) -> Result<Draft, Faults> {
    let mut faults = Faults::new();
    let mut note = |field, fault| {
        faults.insert(field, fault);
    };
    let title = words::title(&wanted.title).map_err(|fault| note(Field::Title, fault));
    let description = words::description(&wanted.description).map_err(|fault| note(Field::Description, fault));
    let language = words::language(&wanted.language).map_err(|fault| note(Field::Language, fault));
    let kept = before
        .and_then(|event| event.start_at)
        .filter(|at| wanted.start.trim() == words::field(*at) || words::time(&wanted.start) == Ok(Some(*at)));
    let start_at = kept.map_or_else(|| words::start(&wanted.start, now), |at| Ok(Some(at))).map_err(|fault| note(Field::Start, fault));
    let visibility = choice(&wanted.visibility, Visibility::Public, Visibility::parse).map_err(|fault| note(Field::Visibility, fault));
    let speak = choice(&wanted.speak, Speak::default(), Speak::parse).map_err(|fault| note(Field::Speak, fault));
    let delay =
        choice(&wanted.delay, Delay::default(), |word| Delay::from_seconds(word.parse().ok()?)).map_err(|fault| note(Field::Delay, fault));
    let empty_minutes = minutes(&wanted.empty_minutes).map_err(|fault| note(Field::EmptyMinutes, fault));
    let is_private = visibility == Ok(Visibility::Private);
    let secret = if is_private { words::passphrase(&wanted.passphrase) } else { Ok(None) };
    let passphrase = secret.map_err(|fault| note(Field::Passphrase, fault));
    let guests = if is_private { words::guests(&wanted.guests) } else { Ok(Vec::new()) };
    let guests = guests.map_err(|fault| note(Field::Guests, fault));
    let again = if before.is_some() { Ok(None) } else { again(wanted) };
    let again = again.and_then(|again| if again.is_some() && start_at == Ok(None) { Err(FaultKind::SeriesUnusable) } else { Ok(again) });
    let again = again.map_err(|fault| note(Field::Repeats, fault));
    let (Ok(title), Ok(description), Ok(language), Ok(start_at), Ok(visibility)) = (title, description, language, start_at, visibility)
    else {
        return Err(faults);
    };
    let (Ok(speak), Ok(delay), Ok(empty_minutes), Ok(passphrase), Ok(guests), Ok(again)) =
        (speak, delay, empty_minutes, passphrase, guests, again)
    else {
        return Err(faults);
    };
    let plan = Plan { speak, delay, record_tracks: wanted.record_tracks, empty_minutes, ..Plan::default() };
    let no_passphrase = wanted.no_passphrase || !is_private;
    Ok(Draft { title, description, language, start_at, visibility, plan, guests, again, passphrase, no_passphrase })
}

fn choice<T>(typed: &str, usual: T, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, FaultKind> {
    match typed.trim() {
        "" => Ok(usual),
        word => parse(word).ok_or(FaultKind::BadRequest),
    }
}

fn minutes(typed: &str) -> Result<u32, FaultKind> {
    match typed.trim() {
        "" => Ok(Plan::default().empty_minutes),
        word => word.parse().ok().filter(|minutes| (1..=EMPTY_MINUTES_MAX).contains(minutes)).ok_or(FaultKind::MinutesUnusable),
    }
}

fn again(wanted: &Wanted) -> Result<Option<Again>, FaultKind> {
    let repeats = match wanted.repeats.trim() {
        "" => return Ok(None),
        word => Repeats::parse(word).ok_or(FaultKind::SeriesUnusable)?,
    };
    let until = match (wanted.times.trim(), wanted.until.trim()) {
        (times, "") => Until::Times(times.parse().map_err(|_| FaultKind::SeriesUnusable)?),
        ("", day) => Until::Day(day.parse().map_err(|_| FaultKind::SeriesUnusable)?),
        _ => return Err(FaultKind::SeriesUnusable),
    };
    Ok(Some(Again { repeats, until }))
}
