//! Listeners whose raised hand was taken: their tickets are good for the stage.
//!
//! Kept where HTTP looks at it, so that a listener's ticket that is not causes no work on the stage.

use base::EventId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The tickets, by event.
#[derive(Debug, Default)]
pub(super) struct Guests(Mutex<BTreeMap<EventId, BTreeSet<u64>>>);

impl Guests {
    /// These are all of an event's.
    pub(super) fn set(&self, event: EventId, tickets: &[u64]) {
        let mut guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.is_empty() {
            guests.remove(&event);
        } else {
            guests.insert(event, tickets.iter().copied().collect());
        }
    }

    /// Whether a listener's ticket is good for the stage.
    pub(super) fn has(&self, event: EventId, ticket: u64) -> bool {
        let guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guests.get(&event).is_some_and(|tickets| tickets.contains(&ticket))
    }
}
