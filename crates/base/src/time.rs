//! Time as the programme knows it: samples, fragments, epochs; and the wall clock where people need it.

use std::fmt;

/// Samples per second of every programme, mixer and codec in the house (RFC 6716: Opus runs at 48 kHz).
pub const SAMPLE_RATE_HZ: u32 = 48_000;

/// Samples in one 20 ms tick of the mixer, which is also one Opus frame.
pub const TICK_SAMPLES: usize = 960;

/// Samples in one fragment of the 64 and 32 kbit/s rungs: 200 ms.
pub const FRAGMENT_SAMPLES: u64 = 9_600;

/// A place on a programme's one sample timeline, in samples of 1/48000 s since its first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(pub u64);

impl MediaTime {
    /// Whole milliseconds since the programme's start, rounded down.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / 48
    }

    /// The time that lies `millis` after the programme's start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 48)
    }
}

/// The 200 ms slot at which a fragment begins: fragment `n` starts at sample `n * 9600`, on every rung.
///
/// A number is never used twice within a programme, whatever crashes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FragmentNumber(pub u64);

impl FragmentNumber {
    /// When the fragment's first sample sounds.
    #[must_use]
    pub const fn start(self) -> MediaTime {
        MediaTime(self.0 * FRAGMENT_SAMPLES)
    }

    /// The slot that holds `time`.
    #[must_use]
    pub const fn at(time: MediaTime) -> Self {
        Self(time.0 / FRAGMENT_SAMPLES)
    }
}

impl fmt::Display for FragmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How many times the programme has been opened by a stage: 1 for the first, one more after each crash or fail-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A place in a programme, as addresses and ETags carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The epoch that sealed the fragment.
    pub epoch: Epoch,
    /// The fragment.
    pub number: FragmentNumber,
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);
