//! Clips: who makes one, of what, and who takes it away.

use crate::event::{find, may_run};
use crate::replay::{self, Audible, audible};
use crate::secret::Chance;
use crate::{Actor, Fault, words};
use base::limit::CLIPS_PER_EVENT_MAX;
use base::{ClipId, EventId, FaultKind, UnixMillis};
use store::{Clip, Event, Store};

/// What somebody typed for a new clip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The title; the event's when it is empty.
    pub title: String,
    /// A time of the replay.
    pub from: String,
    /// A later one.
    pub to: String,
}

/// Whether `actor` may make clips: members may, of what they hear.
///
/// # Errors
/// [`FaultKind::NotSignedIn`].
pub fn may_clip(actor: &Actor) -> Result<(), FaultKind> {
    match actor {
        Actor::Visitor => Err(FaultKind::NotSignedIn),
        Actor::Operator | Actor::Account(_) => Ok(()),
    }
}

/// Whether `actor` may take a clip away: who made it, and who runs the event.
///
/// # Errors
/// [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`].
pub fn may_delete(actor: &Actor, clip: &Clip, event: &Event) -> Result<(), FaultKind> {
    let made_it = actor.id().is_some() && actor.id() == clip.created_by;
    if made_it { Ok(()) } else { may_run(actor, event) }
}

/// Makes a clip of an event's replay. `ticket`: they came with a ticket for it.
///
/// # Errors
/// Who asks may not or hears nothing, what was typed can't be read, there are too many clips, or the database fails.
pub async fn make(
    store: &Store,
    actor: &Actor,
    id: EventId,
    ticket: bool,
    wanted: &Wanted,
    (now, chance): (UnixMillis, &Chance),
) -> Result<Clip, Fault> {
    may_clip(actor)?;
    let event = find(store, actor, id, ticket).await?;
    let replay = store.replay(id).await?;
    if audible(actor, &event, replay.as_ref()) == Audible::No {
        return Err(FaultKind::NoReplay.into());
    }
    let replay = replay.filter(|replay| replay.is_read).ok_or(FaultKind::NoReplay)?;
    let range = replay::range(&replay, &wanted.from, &wanted.to)?;
    let title = if wanted.title.trim().is_empty() { event.title } else { words::title(&wanted.title)? };
    if store.clips(id, CLIPS_PER_EVENT_MAX).await?.len() >= CLIPS_PER_EVENT_MAX as usize {
        return Err(FaultKind::ClipsFull.into());
    }
    let [a, b, c, d, e, f, g, h, ..] = *chance;
    let id = ClipId::from_random(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    let clip = Clip { id, event: event.id, title, range, created_by: actor.id(), created_at: now };
    store.insert_clip(&clip).await?;
    Ok(clip)
}

/// A clip and its event, for somebody whom the event reaches.
///
/// # Errors
/// [`FaultKind::NotFound`], also when the event is hidden from them; or the database fails.
pub async fn find_clip(store: &Store, actor: &Actor, id: ClipId, ticket: bool) -> Result<(Clip, Event), Fault> {
    let clip = store.clip(id).await?.ok_or(FaultKind::NotFound)?;
    match find(store, actor, clip.event, ticket).await {
        Ok(event) => Ok((clip, event)),
        Err(fault) if fault.kind == FaultKind::EventUnknown || fault.kind == FaultKind::PassphraseNeeded => Err(FaultKind::NotFound.into()),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests;
