//! Which cadence a worker's listeners should have, from what its own passes take.
//!
//! A pass is the sends to all who are due, from the moment when their fragment was seen. It is timed by the wall clock, so that it counts
//! what other processes take of the processor too, and the joins in between. What a pass costs for each listener says what it
//! would take at any other cadence: the worker goes straight to the quickest one at which a pass fits, and comes down a step when the
//! quicker one has been possible with ease for a while. Time and measurements are arguments; a lag that remains at the slowest cadence
//! is only metered.

use base::Cadence;
use base::cadence::SLOT_MILLIS;
use base::limit::{PASS_CALM_MILLIS, PASS_PERCENT_CALM, PASS_PERCENT_MAX};
use std::time::{Duration, Instant};

const SLOT: Duration = Duration::from_millis(SLOT_MILLIS);

/// Windows of one slot that are judged together: a slower cadence needs most of them, a hiccup of the machine is none.
const WINDOWS: usize = 5;

/// Chooses a worker's cadence.
#[derive(Debug)]
pub(crate) struct Governor {
    /// What the operator has said.
    fixed: Option<Cadence>,
    target: Cadence,
    window: Window,
    /// What one listener cost in each of the last windows, in nanoseconds; the newest last.
    costs: Vec<u64>,
    /// Since when the next quicker cadence would have been easy.
    calm_since: Option<Instant>,
}

/// What was measured within one slot.
#[derive(Debug)]
struct Window {
    since: Instant,
    lag: Duration,
    served: u64,
}

impl Window {
    const fn begins(since: Instant) -> Self {
        Self { since, lag: Duration::ZERO, served: 0 }
    }
}

impl Governor {
    /// One that begins with the quickest cadence, or with what the operator has `fixed`.
    pub(crate) fn new(fixed: Option<Cadence>, now: Instant) -> Self {
        let target = fixed.unwrap_or(Cadence::QUICKEST);
        Self { fixed, target, window: Window::begins(now), costs: Vec::with_capacity(WINDOWS), calm_since: None }
    }

    /// The cadence that listeners should have.
    pub(crate) const fn target(&self) -> Cadence {
        self.target
    }

    /// Whether the operator has said it.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Fixes the cadence, or leaves it to the measurements again.
    pub(crate) fn fix(&mut self, fixed: Option<Cadence>) {
        if self.fixed != fixed {
            self.fixed = fixed;
            self.change(fixed.unwrap_or(self.target));
        }
    }

    /// A pass, or a slot's length of one, took `lag` and reached so many listeners.
    pub(crate) fn passed(&mut self, lag: Duration, served: u64) {
        self.window.lag += lag;
        self.window.served += served;
    }

    /// Judges what was measured, once a slot; there are so many listeners in all. True when the target has changed.
    pub(crate) fn judge(&mut self, now: Instant, listeners: u64) -> bool {
        if now.saturating_duration_since(self.window.since) < SLOT {
            return false;
        }
        let window = std::mem::replace(&mut self.window, Window::begins(now));
        let nanos = u64::try_from(window.lag.as_nanos()).unwrap_or(u64::MAX);
        match nanos.checked_div(window.served) {
            _ if listeners == 0 => self.costs.clear(),
            // Nobody was due: that says nothing.
            None => return false,
            Some(cost) => {
                if self.costs.len() == WINDOWS {
                    self.costs.remove(0);
                }
                self.costs.push(cost);
            }
        }
        if self.fixed.is_some() || (listeners > 0 && self.costs.len() < WINDOWS) {
            return false;
        }
        let before = self.target;
        self.aim(now, listeners);
        before != self.target
    }

    fn aim(&mut self, now: Instant, listeners: u64) {
        let cost = self.usual_cost();
        if share(cost, listeners, self.target) > PASS_PERCENT_MAX {
            // Where nothing is quick enough, slower only helps while it leaves fewer to each pass.
            let fits = |cadence: &Cadence| share(cost, listeners, *cadence) <= PASS_PERCENT_MAX;
            let slower = Cadence::ALL.into_iter().filter(|cadence| *cadence > self.target);
            let fitting = slower.clone().find(fits).or_else(|| slower.min_by_key(|cadence| share(cost, listeners, *cadence)));
            let gains = |cadence: &Cadence| share(cost, listeners, *cadence) < share(cost, listeners, self.target);
            if let Some(cadence) = fitting.filter(gains) {
                self.change(cadence);
            }
            return;
        }
        if share(cost, listeners, self.target.quicker()) >= PASS_PERCENT_CALM || self.target == Cadence::QUICKEST {
            self.calm_since = None;
            return;
        }
        let since = *self.calm_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= Duration::from_millis(PASS_CALM_MILLIS) {
            self.change(self.target.quicker());
        }
    }

    /// Takes up another cadence: what was measured at the one before tells nothing of it.
    fn change(&mut self, target: Cadence) {
        self.target = target;
        self.costs.clear();
        self.calm_since = None;
    }

    /// The median: neither a hiccup nor an idle moment.
    fn usual_cost(&self) -> u64 {
        let mut costs = self.costs.clone();
        costs.sort_unstable();
        costs.get(costs.len() / 2).copied().unwrap_or(0)
    }
}

/// The share of a slot, in percent, that a pass takes at a cadence when each listener costs so many nanoseconds.
fn share(cost_nanos: u64, listeners: u64, cadence: Cadence) -> u64 {
    let due = listeners.div_ceil(cadence.slots());
    cost_nanos.saturating_mul(due).saturating_mul(100) / (SLOT_MILLIS * 1_000_000)
}

#[cfg(test)]
mod tests;
