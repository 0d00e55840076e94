//! Invites to an event's stage: who makes, sees and takes them back, and which of them are good.

use crate::event::{find, may_run};
use crate::secret::Chance;
use crate::{Actor, Fault};
use base::limit::{INVITE_NOTE_CHARS_MAX, INVITES_PER_EVENT_MAX, STAGE_NAME_CHARS_MAX};
use base::{EventId, FaultKind, UnixMillis};
use store::{Event, Guest, Invite, Phase, Store};

/// What somebody typed for a new invite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whom it is for.
    pub name: String,
    /// `speaker` or `co-host`; empty for speaker.
    pub role: String,
    /// What the host wants to remember about it.
    pub note: String,
}

/// The invite that `wanted` describes.
///
/// # Errors
/// [`FaultKind::InviteUnusable`] when name or note is; [`FaultKind::BadRequest`] when no such role is.
pub fn read(wanted: &Wanted, event: EventId, actor: &Actor, now: UnixMillis, chance: &Chance) -> Result<Invite, FaultKind> {
    let guest = match wanted.role.trim() {
        "" => Guest::Speaker,
        role => Guest::parse(role).ok_or(FaultKind::BadRequest)?,
    };
    let (name, note) = (base::text::shown(&wanted.name), base::text::shown(&wanted.note));
    if !(1..=STAGE_NAME_CHARS_MAX).contains(&name.chars().count()) || note.chars().count() > INVITE_NOTE_CHARS_MAX {
        return Err(FaultKind::InviteUnusable);
    }
    let [a, b, c, d, e, f, g, h, ..] = *chance;
    Ok(Invite {
        id: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        event,
        guest,
        name,
        note,
        created_by: actor.id(),
        created_at: now,
        revoked_at: None,
    })
}

/// Invites somebody to the stage of an event that is not over.
///
/// # Errors
/// There is no such event for them, they may not, what was typed is unusable, there are too many, or the database fails.
pub async fn make(
    store: &Store,
    actor: &Actor,
    event: EventId,
    wanted: &Wanted,
    now: UnixMillis,
    chance: &Chance,
) -> Result<(Event, Invite), Fault> {
    let event = of_event(store, actor, event).await?;
    if event.phase() == Phase::Ended {
        return Err(FaultKind::EventEnded.into());
    }
    let invite = read(wanted, event.id, actor, now, chance)?;
    if store.insert_invite(&invite, INVITES_PER_EVENT_MAX).await? { Ok((event, invite)) } else { Err(FaultKind::InvitesFull.into()) }
}

/// The event, for somebody who may see and make its invites.
///
/// # Errors
/// There is no such event for them, they may not, or the database fails.
pub async fn of_event(store: &Store, actor: &Actor, event: EventId) -> Result<Event, Fault> {
    let event = find(store, actor, event, false).await?;
    may_run(actor, &event)?;
    Ok(event)
}

/// An event and one of its invites, for somebody who may take it back.
///
/// # Errors
/// As [`of_event`], or [`FaultKind::NotFound`] when the event has no such invite.
pub async fn find_to_revoke(store: &Store, actor: &Actor, event: EventId, id: u64) -> Result<(Event, Invite), Fault> {
    let event = of_event(store, actor, event).await?;
    let invite = store.invite(id).await?.filter(|invite| invite.event == event.id).ok_or(FaultKind::NotFound)?;
    Ok((event, invite))
}

/// The invite behind a stage link's ticket; links that everybody of a role shares have none.
///
/// # Errors
/// [`FaultKind::InviteRevoked`], or the database fails.
pub async fn of_ticket(store: &Store, ticket: u64) -> Result<Option<Invite>, Fault> {
    match store.invite(ticket).await? {
        Some(invite) if invite.revoked_at.is_some() => Err(FaultKind::InviteRevoked.into()),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests;
