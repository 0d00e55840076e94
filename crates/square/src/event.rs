//! Events: who may open, see, run and end one.

use crate::secret::Chance;
use crate::{Actor, Fault, words};
use base::{EventId, FaultKind, UnixMillis, Visibility};
use store::{Event, Phase, Store};

/// How far an event reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It is as if it were not there.
    Hidden,
    /// Its address opens it.
    ByLink,
    /// It is listed for them.
    Listed,
}

/// THE rule of who sees what: how far an event of this visibility reaches `actor`. `made_it`: they announced it;
/// `ticket`: they came with a ticket for it.
#[must_use]
pub fn reach(actor: &Actor, visibility: Visibility, made_it: bool, ticket: bool) -> Reach {
    match visibility {
        Visibility::Public => Reach::Listed,
        Visibility::Unlisted | Visibility::Private if actor.administers() => Reach::Listed,
        Visibility::Unlisted => Reach::ByLink,
        Visibility::Private if made_it || ticket => Reach::ByLink,
        Visibility::Private => Reach::Hidden,
    }
}

/// Whether `actor` may open new events.
///
/// # Errors
/// [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`].
pub fn may_open(actor: &Actor) -> Result<(), FaultKind> {
    match actor {
        Actor::Visitor => Err(FaultKind::NotSignedIn),
        Actor::Operator | Actor::Account(_) if actor.administers() => Ok(()),
        Actor::Operator | Actor::Account(_) => Err(FaultKind::Forbidden),
    }
}

/// Whether `actor` runs this event: has its stage links, opens and ends it.
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

/// What somebody typed for a new event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The title.
    pub title: String,
    /// When it is to begin; empty when that is open.
    pub start: String,
    /// Who finds it; empty for public.
    pub visibility: String,
}

/// The event that `wanted` describes, without asking who wants it.
///
/// # Errors
/// What was typed can't be read.
pub fn read(wanted: &Wanted, actor: &Actor, now: UnixMillis, chance: &Chance) -> Result<Event, FaultKind> {
    let visibility = match wanted.visibility.trim() {
        "" => Visibility::Public,
        word => Visibility::parse(word).ok_or(FaultKind::BadRequest)?,
    };
    let [a, b, c, d, e, f, g, h, ..] = *chance;
    Ok(Event {
        id: EventId::from_random(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        title: words::title(&wanted.title)?,
        visibility,
        created_by: actor.id(),
        created_at: now,
        start_at: words::start(&wanted.start, now)?,
        live_at: None,
        ended_at: None,
        end: None,
    })
}

/// Announces an event.
///
/// # Errors
/// Who asks may not, what was typed can't be read, or the database fails.
pub async fn open(store: &Store, actor: &Actor, wanted: &Wanted, now: UnixMillis, chance: &Chance) -> Result<Event, Fault> {
    may_open(actor)?;
    let event = read(wanted, actor, now, chance)?;
    store.insert_event(&event).await?;
    Ok(event)
}

/// The event, for somebody whom it reaches.
///
/// # Errors
/// [`FaultKind::EventUnknown`], also when it is hidden from them, so that an address tells nothing; or the database fails.
pub async fn find(store: &Store, actor: &Actor, id: EventId, ticket: bool) -> Result<Event, Fault> {
    let event = store.event(id).await?.ok_or(FaultKind::EventUnknown)?;
    match reach(actor, event.visibility, made_it(actor, &event), ticket) {
        Reach::Hidden => Err(FaultKind::EventUnknown.into()),
        Reach::ByLink | Reach::Listed => Ok(event),
    }
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

/// The events of one phase that are listed for `actor`, at most `limit`.
///
/// # Errors
/// The database fails.
pub async fn list(store: &Store, actor: &Actor, phase: Phase, limit: u32) -> Result<Vec<Event>, Fault> {
    let listed: Vec<Visibility> =
        Visibility::ALL.into_iter().filter(|visibility| reach(actor, *visibility, false, false) == Reach::Listed).collect();
    Ok(store.events(phase, &listed, limit).await?)
}

fn made_it(actor: &Actor, event: &Event) -> bool {
    actor.id().is_some_and(|id| event.created_by == Some(id))
}

#[cfg(test)]
mod tests;
