//! How much a voice is to be delayed, so that nearly all of its packets are there when they are due.

use super::MILLI;

/// Nobody is delayed less, even on a still network.
const TARGET_MIN: i64 = 40 * MILLI;

/// Nobody is delayed more; the rest up to the limit is what the tick and the pace's tolerance need.
const TARGET_MAX: i64 = super::DELAY_MAX - 40 * MILLI;

/// How long an earliest packet counts as the measure: long enough to be typical, short enough to follow two clocks that
/// drift apart and a route that has become longer.
const WINDOW: i64 = 8_000 * MILLI;

const BIN: i64 = 10 * MILLI;
const BINS: usize = 41;

/// Share of packets that are to come in time.
const IN_TIME: f32 = 0.97;

/// What a packet's lateness still counts for when the next has come: the memory is about 500 packets, 10 s.
const MEMORY: f32 = 0.998;

/// Time is counted in samples; *transit* is a packet's arrival less its timestamp, meaningful only in comparison.
#[derive(Debug, Clone)]
pub(super) struct Delay {
    /// The smallest transit of this window and of the one before.
    earliest: [i64; 2],
    window_began: i64,
    /// How packets spread over lateness, in bins; sums to one.
    spread: [f32; BINS],
    target: i64,
}

impl Delay {
    /// Begins with the first packet's transit, and somewhat careful.
    pub(super) fn new(at: i64, transit: i64) -> Self {
        let mut spread = [0.0; BINS];
        spread[3] = 1.0;
        Self { earliest: [transit; 2], window_began: at, spread, target: target(&spread) }
    }

    /// Takes a packet's transit.
    pub(super) fn hear(&mut self, at: i64, transit: i64) {
        let age = at - self.window_began;
        if age >= WINDOW {
            self.earliest[1] = if age < 2 * WINDOW { self.earliest[0] } else { transit };
            self.earliest[0] = transit;
            self.window_began = at;
        }
        self.earliest[0] = self.earliest[0].min(transit);
        let late = usize::try_from((transit - self.earliest()) / BIN).unwrap_or(0).min(BINS - 1);
        self.spread.iter_mut().for_each(|share| *share *= MEMORY);
        self.spread[late] += 1.0 - MEMORY;
        self.target = target(&self.spread);
    }

    /// The transit of a packet that was not delayed on its way.
    pub(super) fn earliest(&self) -> i64 {
        self.earliest[0].min(self.earliest[1])
    }

    /// The delay to aim at, beyond [`Delay::earliest`].
    pub(super) const fn target(&self) -> i64 {
        self.target
    }
}

fn target(spread: &[f32; BINS]) -> i64 {
    let mut sum = 0.0;
    let reached = |share: &f32| {
        sum += share;
        sum >= IN_TIME
    };
    let bins = spread.iter().position(reached).map_or(BINS, |bin| bin + 1);
    // A tick on top: a packet that comes just after one waits for the next.
    (i64::try_from(bins).unwrap_or(0) * BIN + super::TICK).clamp(TARGET_MIN, TARGET_MAX)
}

#[cfg(test)]
mod tests;
