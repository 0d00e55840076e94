//! The sends to those whose turn it is, a slice a turn of the loop, and how long they take.

use super::Worker;
use crate::rota::Seat;
use base::EventId;
use base::cadence::SLOT_MILLIS;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Listeners served before joins and requests have their turn, some 30 ms: the loop beats more often than the supervisor looks.
const LISTENERS_PER_TURN: usize = 2_048;

/// A pass under way: from the moment when a fragment was seen until all who were due then, or since, are served.
#[derive(Debug, Default)]
pub(super) struct Pass {
    due: VecDeque<(EventId, Seat)>,
    /// How many of the first group are served.
    nth: usize,
    /// When it began, or was last reported.
    since: Option<Instant>,
    served: u64,
}

impl Pass {
    pub(super) fn is_over(&self) -> bool {
        self.due.is_empty()
    }
}

impl Worker {
    /// Gives an event's listeners their turn as far as there is something new.
    pub(super) fn call_up(&mut self, id: EventId) {
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let due = &mut self.pass.due;
        event.turn(self.house.now, |seat| due.push_back((id, seat)));
        if !due.is_empty() && self.pass.since.is_none() {
            self.pass.since = Some(self.house.now);
            self.house.metrics.passes += 1;
        }
    }

    /// Serves those who are due, as many as a turn of the loop has time for.
    pub(super) fn serve(&mut self) {
        for _ in 0..LISTENERS_PER_TURN {
            let Some(&(id, seat)) = self.pass.due.front() else { return };
            match self.house.events.get_mut(&id).and_then(|event| event.rota.nth(seat, self.pass.nth)) {
                None => {
                    self.pass.due.pop_front();
                    self.pass.nth = 0;
                }
                Some(member) => {
                    if self.is_seated(id, seat, member) && self.connections[member.0 as usize].owe() {
                        self.pass.served += 1;
                        self.drive(member.0);
                    }
                    // It may be gone now, or have its turns with another group from now on.
                    if self.is_seated(id, seat, member) {
                        self.pass.nth += 1;
                    } else if let Some(event) = self.house.events.get_mut(&id) {
                        event.rota.remove(seat, self.pass.nth);
                    }
                }
            }
        }
    }

    /// Reports the pass, once it is over or has lasted a slot, to who chooses the cadence; `time` is what this turn of the loop took.
    pub(super) fn judge(&mut self, time: Duration) {
        let now = self.house.now + time;
        if let Some(since) = self.pass.since {
            let lag = now.saturating_duration_since(since);
            let is_over = self.pass.is_over();
            if is_over || lag >= Duration::from_millis(SLOT_MILLIS) {
                self.house.governor.passed(lag, std::mem::take(&mut self.pass.served));
                self.pass.since = (!is_over).then_some(now);
                let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
                self.house.metrics.lag_micros = micros;
                self.house.metrics.lag_micros_total = self.house.metrics.lag_micros_total.saturating_add(micros);
                self.house.metrics.lag_micros_max = self.house.metrics.lag_micros_max.max(micros);
            }
        }
        let listeners: usize = self.by_cadence.iter().sum();
        if self.house.governor.judge(self.house.now, listeners as u64) {
            tracing::info!(cadence = self.house.governor.target().millis(), listeners, "listeners are sent to at another cadence");
        }
    }
}
