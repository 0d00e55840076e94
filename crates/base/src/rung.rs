//! The bitrates a programme is offered in.

use crate::time::FRAGMENT_SAMPLES;
use std::fmt;

/// One bitrate of a programme: mono Opus, constant bitrate, 20 ms frames.
///
/// Constant bitrate makes every frame of a rung the same size, so that a fragment needs no table of sizes and the
/// replay's offsets are arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// 64 kbit/s in 200 ms fragments: always on, the recording.
    R64,
    /// 32 kbit/s in 200 ms fragments, while somebody asks for it.
    R32,
    /// 16 kbit/s in 1 s fragments, the data saver, while somebody asks for it.
    R16,
}

impl Rung {
    /// Every rung, best first.
    pub const ALL: [Self; 3] = [Self::R64, Self::R32, Self::R16];

    /// Its place in [`Rung::ALL`], for arrays with a value a rung.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::R64 => 0,
            Self::R32 => 1,
            Self::R16 => 2,
        }
    }

    /// The name in addresses and file names: the bitrate in kbit/s.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::R64 => "64",
            Self::R32 => "32",
            Self::R16 => "16",
        }
    }

    /// Reads what [`Rung::name`] gave.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }

    /// Bits of Opus a second.
    #[must_use]
    pub const fn bits_per_second(self) -> u32 {
        match self {
            Self::R64 => 64_000,
            Self::R32 => 32_000,
            Self::R16 => 16_000,
        }
    }

    /// Bytes of one 20 ms Opus frame.
    #[must_use]
    pub const fn frame_bytes(self) -> usize {
        (self.bits_per_second() / 8 / 50) as usize
    }

    /// 20 ms frames in one fragment.
    #[must_use]
    pub const fn frames_per_fragment(self) -> usize {
        match self {
            Self::R64 | Self::R32 => 10,
            Self::R16 => 50,
        }
    }

    /// 200 ms slots that one fragment covers; its number is a multiple of this.
    #[must_use]
    pub const fn slots_per_fragment(self) -> u64 {
        self.samples_per_fragment() / FRAGMENT_SAMPLES
    }

    /// Samples in one fragment.
    #[must_use]
    pub const fn samples_per_fragment(self) -> u64 {
        self.frames_per_fragment() as u64 * crate::time::TICK_SAMPLES as u64
    }

    /// Slots in one LL-HLS part: 600 ms, or one fragment of the saver rung.
    #[must_use]
    pub const fn slots_per_part(self) -> u64 {
        match self {
            Self::R64 | Self::R32 => 3,
            Self::R16 => 5,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
