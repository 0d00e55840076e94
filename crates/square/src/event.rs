//! Events: who may open, see, run and end one.

pub mod wanted;

use crate::secret::Chance;
use crate::{Actor, Fault, passphrase, series};
use base::limit::{EVENTS_OPEN_PER_ACCOUNT_MAX, REMINDERS_SHOWN_MAX};
use base::{EventId, FaultKind, UnixMillis, Visibility};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use store::{AccountId, After, Event, Listed, Phase, Series, SeriesId, Store};
pub use wanted::{Draft, Faults, Field, Wanted, read};

/// What the operator decided for the whole square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether members and moderators may open events, too.
    pub members_open: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { members_open: true }
    }
}

/// How far an event reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It is as if it were not there.
    Hidden,
    /// Its address asks for the passphrase and says nothing else.
    Asks,
    /// Its address opens it.
    ByLink,
    /// It is listed for them.
    Listed,
}

/// What somebody has to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ties {
    /// They announced it.
    pub made_it: bool,
    /// Its list of guests names them.
    pub guest: bool,
    /// They came with a ticket for it.
    pub ticket: bool,
    /// It lets in who knows its passphrase.
    pub passphrase: bool,
}

/// THE rule of who sees what: how far an event of this visibility reaches `actor`, who has these ties to it.
#[must_use]
pub fn reach(actor: &Actor, visibility: Visibility, ties: Ties) -> Reach {
    match visibility {
        Visibility::Public => Reach::Listed,
        Visibility::Unlisted | Visibility::Private if actor.administers() || ties.made_it || ties.guest => Reach::Listed,
        Visibility::Unlisted => Reach::ByLink,
        Visibility::Private if ties.ticket => Reach::ByLink,
        Visibility::Private if ties.passphrase => Reach::Asks,
        Visibility::Private => Reach::Hidden,
    }
}

/// Whether `actor` may open new events.
///
/// # Errors
/// [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`].
pub fn may_open(actor: &Actor, policy: Policy) -> Result<(), FaultKind> {
    match actor {
        Actor::Visitor => Err(FaultKind::NotSignedIn),
        Actor::Operator | Actor::Account(_) if actor.administers() || policy.members_open => Ok(()),
        Actor::Operator | Actor::Account(_) => Err(FaultKind::Forbidden),
    }
}

/// Whether `actor` runs this event: has its stage links, changes, opens and ends it.
///
/// # Errors
/// [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`].
pub fn may_run(actor: &Actor, event: &Event) -> Result<(), FaultKind> {
    match actor {
        Actor::Visitor => Err(FaultKind::NotSignedIn),
        Actor::Operator | Actor::Account(_) if actor.administers() || made_it(actor, event) => Ok(()),
        Actor::Operator | Actor::Account(_) => Err(FaultKind::Forbidden),
    }
}

/// What a new announcement becomes besides its draft.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The hash of the draft's passphrase.
    pub hash: Option<String>,
    /// Where the clocks show the hours that a series keeps.
    pub zone: &'a TimeZone,
    /// The time.
    pub now: UnixMillis,
    /// Chance for the ids.
    pub chance: &'a Chance,
}

/// Announces what the draft says: one event, or all those of a series.
///
/// # Errors
/// Who asks may not or has too many, a guest has no account, the series can't be, or the database fails.
pub async fn open(store: &Store, actor: &Actor, policy: Policy, draft: Draft, around: Circumstances<'_>) -> Result<Vec<Event>, Fault> {
    may_open(actor, policy)?;
    let guests = accounts(store, &draft.guests).await?;
    let starts = match (&draft.again, draft.start_at) {
        (Some(again), Some(first)) => series::starts(first, again, around.zone)?.into_iter().map(Some).collect(),
        (_, start) => vec![start],
    };
    if let Some(account) = actor.id().filter(|_| !actor.administers())
        && store.open_events_of(account).await? + starts.len() as u64 > EVENTS_OPEN_PER_ACCOUNT_MAX
    {
        return Err(FaultKind::EventsAheadFull.into());
    }
    let series = draft.again.map(|again| Series {
        id: SeriesId(number(around.chance, starts.len()).to_i64()),
        title: draft.title.clone(),
        visibility: draft.visibility,
        repeats: again.repeats,
        created_by: actor.id(),
        created_at: around.now,
    });
    let event = |(place, start_at): (usize, Option<UnixMillis>)| Event {
        id: number(around.chance, place),
        title: draft.title.clone(),
        description: draft.description.clone(),
        language: draft.language.clone(),
        visibility: draft.visibility,
        plan: draft.plan,
        passphrase: around.hash.clone(),
        picture: None,
        series: series.as_ref().map(|series| series.id),
        created_by: actor.id(),
        created_at: around.now,
        revision: 0,
        changed_at: None,
        start_at,
        doors_at: None,
        live_at: None,
        ended_at: None,
        end: None,
    };
    let events: Vec<Event> = starts.into_iter().enumerate().map(event).collect();
    store.insert_events(series.as_ref(), &events, &guests).await?;
    Ok(events)
}

/// Changes what was announced, as long as the event has not begun. `hash`: of the draft's passphrase.
///
/// # Errors
/// Who asks may not, the event has begun, a guest has no account, or the database fails.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: EventId,
    draft: Draft,
    hash: Option<String>,
    now: UnixMillis,
) -> Result<Event, Fault> {
    let before = find_announced(store, actor, id).await?;
    let guests = accounts(store, &draft.guests).await?;
    let kept = if draft.no_passphrase { None } else { before.passphrase.clone() };
    let after = Event {
        title: draft.title,
        description: draft.description,
        language: draft.language,
        visibility: draft.visibility,
        plan: draft.plan,
        passphrase: hash.or(kept),
        start_at: draft.start_at,
        ..before
    };
    if !store.update_event(&after, &guests, now).await? {
        return Err(FaultKind::EventBegun.into());
    }
    Ok(store.event(id).await?.ok_or(FaultKind::EventUnknown)?)
}

/// Takes an event back that has not begun.
///
/// # Errors
/// Who asks may not, the event has begun, or the database fails.
pub async fn take_back(store: &Store, actor: &Actor, id: EventId) -> Result<Event, Fault> {
    let event = find_announced(store, actor, id).await?;
    if store.delete_announced(id).await? { Ok(event) } else { Err(FaultKind::EventBegun.into()) }
}

/// The event, for somebody who runs it and wants to change what was announced.
///
/// # Errors
/// There is no such event for them, they may not, it has begun, or the database fails.
pub async fn find_announced(store: &Store, actor: &Actor, id: EventId) -> Result<Event, Fault> {
    let event = find_to_run(store, actor, id).await?;
    if event.is_open_to_change() { Ok(event) } else { Err(FaultKind::EventBegun.into()) }
}

/// The event, for somebody whom it reaches.
///
/// # Errors
/// [`FaultKind::EventUnknown`], also when it is hidden from them, so that an address tells nothing;
/// [`FaultKind::PassphraseNeeded`] when that would open it; or the database fails.
pub async fn find(store: &Store, actor: &Actor, id: EventId, ticket: bool) -> Result<Event, Fault> {
    let event = store.event(id).await?.ok_or(FaultKind::EventUnknown)?;
    let guest = match actor.id() {
        Some(account) if event.visibility == Visibility::Private => store.is_guest(id, account).await?,
        Some(_) | None => false,
    };
    let ties = Ties { made_it: made_it(actor, &event), guest, ticket, passphrase: event.passphrase.is_some() };
    match reach(actor, event.visibility, ties) {
        Reach::Hidden => Err(FaultKind::EventUnknown.into()),
        Reach::Asks => Err(FaultKind::PassphraseNeeded.into()),
        Reach::ByLink | Reach::Listed => Ok(event),
    }
}

/// The event that a passphrase is said for, and the hash that it must fit.
///
/// # Errors
/// [`FaultKind::EventUnknown`] when there is none that has one; or the database fails.
pub async fn find_locked(store: &Store, id: EventId) -> Result<(Event, String), Fault> {
    let event = store.event(id).await?.filter(|event| event.visibility == Visibility::Private).ok_or(FaultKind::EventUnknown)?;
    let hash = event.passphrase.clone().ok_or(FaultKind::EventUnknown)?;
    Ok((event, hash))
}

/// The event, for somebody who runs it and who wants to open or end it now.
///
/// # Errors
/// There is no such event for them, they may not, it is over, or the database fails.
pub async fn find_to_run(store: &Store, actor: &Actor, id: EventId) -> Result<Event, Fault> {
    let event = find(store, actor, id, false).await?;
    may_run(actor, &event)?;
    match event.phase() {
        Phase::Announced | Phase::Live => Ok(event),
        Phase::Ended => Err(FaultKind::EventEnded.into()),
    }
}

/// The events of one phase that are listed for `actor`, at most `limit`; those that are over behind `after`.
///
/// # Errors
/// The database fails.
pub async fn list(store: &Store, actor: &Actor, phase: Phase, after: Option<After>, limit: u32) -> Result<Vec<Event>, Fault> {
    Ok(store.events(phase, Listed { visibilities: &listed(actor), of: actor.id() }, after, limit).await?)
}

/// At most `limit` events to come that `actor` finds, of a series only the next, which says what else there is.
///
/// # Errors
/// The database fails.
pub async fn to_come(store: &Store, actor: &Actor, limit: u32) -> Result<Vec<Event>, Fault> {
    Ok(store.events_to_come(Listed { visibilities: &listed(actor), of: actor.id() }, limit).await?)
}

/// What is listed for `actor`, whoever made it. By the same rule whoever made an event or is its guest has it listed.
fn listed(actor: &Actor) -> Vec<Visibility> {
    let is_listed = |visibility: &Visibility| reach(actor, *visibility, Ties::default()) == Reach::Listed;
    Visibility::ALL.into_iter().filter(is_listed).collect()
}

/// A series, and those of its events that reach `actor`, in the order in which they begin.
///
/// # Errors
/// [`FaultKind::NotFound`] when there is none, or none of a private one's events reaches them; or the database fails.
pub async fn series(store: &Store, actor: &Actor, id: SeriesId) -> Result<(Series, Vec<Event>), Fault> {
    let series = store.series(id).await?.ok_or(FaultKind::NotFound)?;
    let mut events = Vec::new();
    for event in store.events_of_series(id).await? {
        match find(store, actor, event.id, false).await {
            Ok(event) => events.push(event),
            Err(fault) if fault.cause.is_some() => return Err(fault),
            Err(_) => {}
        }
    }
    if events.is_empty() && series.visibility == Visibility::Private {
        return Err(FaultKind::NotFound.into());
    }
    Ok((series, events))
}

/// Notes whether `actor` wants to be reminded of an event that reaches them and has not begun.
///
/// # Errors
/// [`FaultKind::NotSignedIn`]; there is no such event for them; or the database fails.
pub async fn remind(store: &Store, actor: &Actor, event: &Event, wanted: bool) -> Result<(), Fault> {
    let account = actor.id().ok_or(FaultKind::NotSignedIn)?;
    if event.phase() == Phase::Ended {
        return Err(FaultKind::EventEnded.into());
    }
    Ok(store.remind(event.id, account, wanted).await?)
}

/// The events that `actor` wanted to be reminded of and that reach them still.
///
/// # Errors
/// The database fails.
pub async fn reminded(store: &Store, actor: &Actor) -> Result<Vec<Event>, Fault> {
    let Some(account) = actor.id() else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for id in store.reminders(account, REMINDERS_SHOWN_MAX).await? {
        // Who asked had the event before them; who has lost sight of it since is told nothing.
        match find(store, actor, id, false).await {
            Ok(event) => events.push(event),
            Err(fault) if fault.cause.is_some() => return Err(fault),
            Err(_) => {}
        }
    }
    Ok(events)
}

/// Those of them that are on, or begin within so many minutes.
///
/// # Errors
/// The database fails.
pub async fn reminders(store: &Store, actor: &Actor, now: UnixMillis, minutes: i64) -> Result<Vec<Event>, Fault> {
    let is_due = |event: &Event| match event.phase() {
        Phase::Live => true,
        Phase::Announced => event.start_at.is_some_and(|at| (-minutes..=minutes).contains(&((at.0 - now.0) / 60_000))),
        Phase::Ended => false,
    };
    Ok(reminded(store, actor).await?.into_iter().filter(is_due).collect())
}

/// The names on an event's list of guests.
///
/// # Errors
/// The database fails.
pub async fn guests(store: &Store, event: &Event) -> Result<Vec<String>, Fault> {
    Ok(store.guests(event.id).await?.into_iter().map(|account| account.name).collect())
}

/// A passphrase's hash; slow on purpose.
///
/// # Errors
/// [`FaultKind::Internal`] when it can't be made.
pub fn lock(typed: &str, chance: &Chance) -> Result<String, FaultKind> {
    passphrase::hash(typed, chance).ok_or(FaultKind::Internal)
}

async fn accounts(store: &Store, names: &[String]) -> Result<Vec<AccountId>, Fault> {
    let mut accounts = Vec::new();
    for name in names {
        accounts.push(store.account_by_name(name).await?.ok_or(FaultKind::GuestsUnusable)?.id);
    }
    Ok(accounts)
}

/// One number after the other out of the same chance.
fn number(chance: &Chance, place: usize) -> EventId {
    let hash = Sha256::new().chain_update(b"townsquare event\0").chain_update(chance).chain_update(place.to_be_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    EventId::from_random(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

fn made_it(actor: &Actor, event: &Event) -> bool {
    actor.id().is_some_and(|id| event.created_by == Some(id))
}

#[cfg(test)]
mod tests;
