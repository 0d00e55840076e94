//! What a worker of a relay in a tree knows besides its files: which events are copied, which are looked for, and how many listen
//! at the relays that copy from this one.

use crate::event::Member;
use base::{EventId, FaultKind, Rung, limit};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How often what is wanted is said again: a copier that was replaced knows nothing of it.
const AGAIN: Duration = Duration::from_secs(1);

/// What a worker wants of the copier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// An event: to find it, and to go on with it.
    Event(EventId),
    /// A block of a rung's media.
    Block(EventId, Rung, u64),
}

/// The events of upstreams.
#[derive(Default)]
pub(crate) struct Upstream {
    /// Those that the copier says are here.
    here: BTreeSet<EventId>,
    /// Those that connections wait for.
    coming: BTreeMap<EventId, Vec<Member>>,
    /// Those that no upstream had, and when that was.
    unknown: BTreeMap<EventId, Instant>,
    /// What was wanted when.
    told: BTreeMap<Want, Instant>,
}

impl Upstream {
    /// Whether an event is here; if not it is waited for.
    ///
    /// # Errors
    /// No upstream had it just now, or too many are waited for.
    pub(crate) fn has(&mut self, event: EventId, now: Instant) -> Result<bool, FaultKind> {
        if self.here.contains(&event) {
            return Ok(true);
        }
        if self.unknown.get(&event).is_some_and(|at| now.saturating_duration_since(*at) < forgotten()) {
            return Err(FaultKind::EventUnknown);
        }
        if self.coming.len() >= limit::COMING_EVENTS_MAX && !self.coming.contains_key(&event) {
            return Err(FaultKind::EventsFull);
        }
        self.coming.entry(event).or_default();
        Ok(false)
    }

    /// A connection waits for an event that is coming.
    pub(crate) fn wait(&mut self, event: EventId, member: Member) {
        if let Some(waiters) = self.coming.get_mut(&event) {
            waiters.push(member);
        }
    }

    /// The copier's word about an event; gives those who waited for it.
    pub(crate) fn hear(&mut self, event: EventId, known: bool, now: Instant) -> Vec<Member> {
        let waiters = self.coming.remove(&event).unwrap_or_default();
        if known {
            self.unknown.remove(&event);
            // Where nobody waits it is asked for anew when somebody comes: by then it may be gone.
            if !waiters.is_empty() {
                self.here.insert(event);
            }
        } else {
            self.here.remove(&event);
            if self.unknown.len() < limit::UNKNOWN_EVENTS_MAX {
                self.unknown.insert(event, now);
            }
        }
        waiters
    }

    /// Nobody uses an event any more.
    pub(crate) fn forget(&mut self, event: EventId) {
        self.here.remove(&event);
    }

    /// Forgets who waits no more, and what is known no more.
    pub(crate) fn tidy(&mut self, now: Instant, waits: impl Fn(EventId, Member) -> bool) {
        self.coming.retain(|&event, waiters| {
            waiters.retain(|&member| waits(event, member));
            !waiters.is_empty()
        });
        self.unknown.retain(|_, at| now.saturating_duration_since(*at) < forgotten());
    }

    /// What is wanted and was not said within the last second.
    pub(crate) fn wants(&mut self, open: impl Iterator<Item = Want>, now: Instant) -> Vec<Want> {
        let wanted: BTreeSet<Want> = self.coming.keys().copied().map(Want::Event).chain(open).collect();
        self.told.retain(|want, at| wanted.contains(want) && now.saturating_duration_since(*at) < AGAIN);
        let news: Vec<Want> = wanted.into_iter().filter(|want| !self.told.contains_key(want)).collect();
        self.told.extend(news.iter().map(|&want| (want, now)));
        news
    }
}

fn forgotten() -> Duration {
    Duration::from_millis(limit::UNKNOWN_EVENT_MILLIS)
}

/// How many listen at other relays, as each says over a connection of its own. Void with the connection, and after a while.
#[derive(Default)]
pub(crate) struct Shares {
    shares: BTreeMap<(u32, EventId), ([u32; 3], Instant)>,
}

impl Shares {
    /// A relay says over the connection with this serial how many listen to an event, by rung.
    pub(crate) fn say(&mut self, serial: u32, event: EventId, counts: [u32; 3], now: Instant) {
        let key = (serial, event);
        if self.shares.len() < limit::LISTENING_SHARES_MAX || self.shares.contains_key(&key) {
            self.shares.insert(key, (counts, now));
        }
    }

    /// The connection is gone.
    pub(crate) fn leave(&mut self, serial: u32) {
        let gone = self.shares.range((serial, EventId::FIRST)..=(serial, EventId::LAST)).map(|(key, _)| *key).collect::<Vec<_>>();
        for key in gone {
            self.shares.remove(&key);
        }
    }

    /// Forgets what was said too long ago.
    pub(crate) fn tidy(&mut self, now: Instant) {
        let kept = Duration::from_millis(limit::LISTENING_MILLIS_MAX);
        self.shares.retain(|_, (_, at)| now.saturating_duration_since(*at) < kept);
    }

    /// Every event's listeners by rung, one relay after the other.
    pub(crate) fn all(&self) -> impl Iterator<Item = (EventId, [u32; 3])> {
        self.shares.iter().map(|(&(_, event), &(counts, _))| (event, counts))
    }
}

#[cfg(test)]
mod tests;
