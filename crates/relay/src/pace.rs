//! One listener's cadence: which it has, and which it was told is coming.
//!
//! A player that is to be sent to more seldom needs more sound in store first. It fills its store by playing a little slower
//! (`limit::PLAYER_SLOWDOWN_PERCENT`), so a slower cadence is announced, and holds only after the time that this takes, with a
//! reserve. A raise goes one step at a time, each announced when the one before holds: the first step, which takes four fifths of the load
//! away, then comes after 15 s, while a player would need four minutes for the whole way from the quickest to the slowest.
//! A quicker cadence needs nothing of a player: it holds with the send that announces it, however many steps it is.

use base::cadence::SLOT_MILLIS;
use base::limit::{CADENCE_NOTICE_MILLIS, PLAYER_SLOWDOWN_PERCENT};
use base::{Cadence, FragmentNumber};

/// A listener's cadence, plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The one it is sent to at.
    pub(crate) now: Cadence,
    /// The one it was told: as [`Pace::now`], or the next slower one.
    told: Cadence,
    /// The slot from which on what it was told holds.
    holds_from: FragmentNumber,
}

impl Pace {
    /// Who begins at a cadence; the stream's opening says so.
    pub(crate) const fn born(cadence: Cadence) -> Self {
        Self { now: cadence, told: cadence, holds_from: FragmentNumber(0) }
    }

    /// The pace behind a send at `slot` when listeners should be sent to at `target`, and what that send announces.
    pub(crate) fn next(self, target: Cadence, slot: FragmentNumber) -> (Self, Option<Cadence>) {
        if target < self.now || (target == self.now && self.told != self.now) {
            return (Self::born(target), Some(target));
        }
        if self.told > self.now {
            return (if slot >= self.holds_from { Self::born(self.told) } else { self }, None);
        }
        if target == self.now {
            return (self, None);
        }
        let told = self.now.slower();
        (Self { now: self.now, told, holds_from: FragmentNumber(slot.0 + notice_slots(self.now, told)) }, Some(told))
    }
}

/// Slots between the announcement of a slower cadence and its coming into force.
pub(crate) const fn notice_slots(from: Cadence, to: Cadence) -> u64 {
    let growth = (to.millis() - from.millis()) * 100 / PLAYER_SLOWDOWN_PERCENT;
    (growth + growth / 4 + CADENCE_NOTICE_MILLIS).div_ceil(SLOT_MILLIS)
}

#[cfg(test)]
mod tests;
