//! The endless stream: the init segment, then fragments from a place on, as they are sealed.

use super::{Programme, SLOTS_PER_SECOND};
use base::limit::REWIND_MILLIS_MAX;
use base::{Cadence, FragmentNumber, Rung};

/// Where a listener begins (`from=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// At the live edge, with enough of the past that a bare `<audio>` sounds at once.
    #[default]
    Live,
    /// So many seconds back.
    SecondsBack(u64),
    /// At this fragment, or where the programme is if it is not there yet.
    Fragment(FragmentNumber),
}

impl From {
    /// Reads `live`, `FRAGMENT` or `-SECONDS`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match text.strip_prefix('-') {
            _ if text == "live" => Some(Self::Live),
            Some(seconds) => number(seconds).map(Self::SecondsBack),
            None => number(text).map(|number| Self::Fragment(FragmentNumber(number))),
        }
    }
}

/// Chromium hands a media element's source to its decoder in blocks of so many bytes, and nothing of a block before it is full.
pub const ELEMENT_BLOCK_BYTES: u64 = 32 * 1024;

/// Seconds of the past with which `from=live` begins: the sound of one whole block and a second more. Filled up to whole blocks
/// in front, it makes Chromium sound at once, and the next block is full before the last one is played: 5 s behind at 64 kbit/s.
/// With less it pauses after the burst, without the filling it needs twice as much.
#[must_use]
pub const fn burst_seconds(rung: Rung) -> u64 {
    ELEMENT_BLOCK_BYTES * 8 / rung.bits_per_second() as u64 + 1
}

/// Seconds of the past, besides the cadence, with which a stream begins at least: its player must have something left when the
/// first send behind the burst comes.
const STORE_SECONDS: u64 = 1;

/// The number with which a stream begins that is sent to at this cadence. Who asks for a fragment gets it: its player has what is before.
#[must_use]
pub fn start(programme: &Programme<'_>, rung: Rung, from: From, cadence: Cadence) -> FragmentNumber {
    let edge = programme.published;
    let back = |slots: u64| FragmentNumber(edge.0.saturating_sub(slots));
    let wanted = match from {
        From::Live => back(burst_seconds(rung) * SLOTS_PER_SECOND + cadence.slots().saturating_sub(Cadence::least(rung).slots())),
        From::SecondsBack(seconds) if cadence == Cadence::QUICKEST => back(seconds.min(REWIND_MILLIS_MAX / 1_000) * SLOTS_PER_SECOND),
        From::SecondsBack(seconds) => {
            // Of what is not whole yet nothing can be had.
            let least = STORE_SECONDS * SLOTS_PER_SECOND + cadence.slots() + rung.slots_per_fragment() - 1;
            back((seconds.min(REWIND_MILLIS_MAX / 1_000) * SLOTS_PER_SECOND).max(least))
        }
        From::Fragment(number) => number.min(edge),
    };
    let slots = rung.slots_per_fragment();
    FragmentNumber(wanted.0 / slots * slots).max(programme.first())
}

#[cfg(test)]
mod tests;
