//! Rehearsals that are asked for on an event's page: who may, when, and how large.

use crate::event::{find, may_run};
use crate::{Actor, Fault};
use base::limit::{REHEARSAL_LISTENERS_MAX, REHEARSAL_SECONDS_MAX};
use base::{EventId, FaultKind};
use store::{Event, Phase, Store};

/// A crowd that listens before the audience does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// How many listen.
    pub listeners: u32,
    /// Seconds that all of them listen.
    pub seconds: u32,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { listeners: 1_000, seconds: 30 }
    }
}

/// Reads what was typed; what was left empty is as usual.
///
/// # Errors
/// [`FaultKind::RehearsalTooLarge`], also when it is no number.
pub fn read(listeners: &str, seconds: &str) -> Result<Crowd, FaultKind> {
    let usual = Crowd::default();
    let number = |typed: &str, usual: u32, max: u32| match typed.trim() {
        "" => Ok(usual),
        digits => digits.parse().ok().filter(|number| (1..=max).contains(number)).ok_or(FaultKind::RehearsalTooLarge),
    };
    Ok(Crowd {
        listeners: number(listeners, usual.listeners, REHEARSAL_LISTENERS_MAX)?,
        seconds: number(seconds, usual.seconds, REHEARSAL_SECONDS_MAX)?,
    })
}

/// Whether a crowd may be sent: only before the audience is there.
///
/// # Errors
/// [`FaultKind::RehearsalLate`].
pub fn is_time(event: &Event) -> Result<(), FaultKind> {
    match event.phase() {
        Phase::Announced => Ok(()),
        Phase::Live | Phase::Ended => Err(FaultKind::RehearsalLate),
    }
}

/// The event, for somebody who runs it and may see and send its rehearsals.
///
/// # Errors
/// There is no such event for them, they may not, or the database fails.
pub async fn of_event(store: &Store, actor: &Actor, id: EventId) -> Result<Event, Fault> {
    let event = find(store, actor, id, false).await?;
    may_run(actor, &event)?;
    Ok(event)
}

#[cfg(test)]
mod tests;
