//! Listeners whose raised hand was taken: their tickets are good for the stage, until a host bans them.
//!
//! Kept where HTTP looks at it, so that a listener's ticket that is not causes no work on the stage.

use base::EventId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// What a listener's ticket is to the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing: it is for listening.
    Listener,
    /// Its owner's hand was taken.
    Guest,
    /// Its owner is excluded from the event.
    Barred,
}

#[derive(Debug, Default)]
struct Tickets {
    admitted: BTreeSet<u64>,
    barred: BTreeSet<u64>,
}

/// The tickets, by event.
#[derive(Debug, Default)]
pub(super) struct Guests(Mutex<BTreeMap<EventId, Tickets>>);

impl Guests {
    /// These are all of an event's whose hand was taken.
    pub(super) fn admit(&self, event: EventId, tickets: &[u64]) {
        self.change(event, |of| of.admitted = tickets.iter().copied().collect());
    }

    /// These are all that are barred from an event.
    pub(super) fn bar(&self, event: EventId, tickets: &[u64]) {
        self.change(event, |of| of.barred = tickets.iter().copied().collect());
    }

    /// The event is over.
    pub(super) fn forget(&self, event: EventId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&event);
    }

    /// What a listener's ticket is to the stage.
    pub(super) fn standing(&self, event: EventId, ticket: u64) -> Standing {
        let guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guests.get(&event) {
            Some(of) if of.barred.contains(&ticket) => Standing::Barred,
            Some(of) if of.admitted.contains(&ticket) => Standing::Guest,
            _ => Standing::Listener,
        }
    }

    fn change(&self, event: EventId, change: impl FnOnce(&mut Tickets)) {
        let mut guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(guests.entry(event).or_default());
    }
}

#[cfg(test)]
mod tests;
