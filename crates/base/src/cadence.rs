//! How often a relay sends to one listener.

use crate::rung::Rung;
use crate::time::FRAGMENT_SAMPLES;
use std::fmt;

/// Milliseconds of one slot.
pub const SLOT_MILLIS: u64 = FRAGMENT_SAMPLES / 48;

/// The slots of each cadence, the quickest first.
const SLOTS: [u64; Cadence::COUNT] = [1, 5, 10, 20, 40, 80];

/// How long a relay collects fragments for one send to a listener: 200 ms, 1, 2, 4, 8 or 16 s.
///
/// One send costs nearly the same whatever its size, so a relay with much to do sends more seldom (docs/formats.md, "The cadence").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cadence(u8);

impl Cadence {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// Every cadence, the quickest first.
    pub const ALL: [Self; Self::COUNT] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// Every fragment as it is sealed: what a stream has that says nothing else.
    pub const QUICKEST: Self = Self(0);

    /// The last resort.
    pub const SLOWEST: Self = Self(5);

    /// Its place in [`Cadence::ALL`].
    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }

    /// The slots that one send covers.
    #[must_use]
    pub const fn slots(self) -> u64 {
        SLOTS[self.place()]
    }

    /// Milliseconds between two sends.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.slots() * SLOT_MILLIS
    }

    /// The cadence of exactly so many milliseconds.
    #[must_use]
    pub fn from_millis(millis: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|cadence| cadence.millis() == millis)
    }

    /// The quickest that makes sense on a rung: no quicker than it has fragments.
    #[must_use]
    pub const fn least(rung: Rung) -> Self {
        match rung {
            Rung::R64 | Rung::R32 => Self::QUICKEST,
            Rung::R16 => Self(1),
        }
    }

    /// The next slower one; the slowest is its own.
    #[must_use]
    pub const fn slower(self) -> Self {
        if self.0 < Self::SLOWEST.0 { Self(self.0 + 1) } else { self }
    }

    /// The next quicker one; the quickest is its own.
    #[must_use]
    pub const fn quicker(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Cadence {
    /// Its milliseconds, as a person types them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.millis())
    }
}
