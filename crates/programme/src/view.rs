//! The views of a programme: which bytes of which file a listener gets.
//!
//! Every view plays silence where there is a cut or a hole, so that time never jumps, and bridges with the recording where
//! the rung asked for is not there (yet): all rungs share one init segment and one timeline.

pub mod hls;
pub mod live;
pub mod replay;

use crate::announcement::Delay;
use crate::index::Source;
use crate::{Cuts, Index, fragment};
use base::{Epoch, FragmentNumber, Rung};
use std::borrow::Cow;

/// Some bytes to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// A range of a rung's `.mp4`.
    File {
        /// The rung.
        rung: Rung,
        /// Which of its files.
        source: Source,
        /// The first byte.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// These bytes.
    Inline(Cow<'static, [u8]>),
}

impl Extent {
    /// How many bytes it is.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Inline(bytes) => bytes.len() as u64,
        }
    }

    /// Appends an extent, joined with the one before where they touch.
    pub(crate) fn append(self, to: &mut Vec<Self>) {
        match (to.last_mut(), self) {
            (
                Some(Self::File { rung, source, offset, length }),
                Self::File { rung: next_rung, source: next_source, offset: next_offset, length: more },
            ) if *rung == next_rung && *source == next_source && *offset + *length == next_offset => *length += more,
            (Some(Self::Inline(before)), Self::Inline(after)) => before.to_mut().extend_from_slice(&after),
            (_, next) => to.push(next),
        }
    }
}

/// What may be heard of an event now.
#[derive(Debug, Clone, Copy)]
pub struct Programme<'a> {
    /// The rungs' indexes, in the order of [`Rung::ALL`].
    pub rungs: &'a [Index; 3],
    /// Its cuts.
    pub cuts: &'a Cuts,
    /// The published mark: everything before it may be heard.
    pub published: FragmentNumber,
}

/// Where the published mark stands: `delay` behind the sealed end, and nearer as time passes without a new fragment, so that
/// the end of an event is heard too. `idle_millis` is the time since the newest fragment of `recording` was seen.
#[must_use]
pub fn published(recording: &Index, delay: Delay, idle_millis: u64) -> FragmentNumber {
    let end = recording.sealed_end();
    let behind = (delay.seconds() * SLOTS_PER_SECOND).saturating_sub(idle_millis * SLOTS_PER_SECOND / 1_000);
    FragmentNumber(end.0.saturating_sub(behind))
}

/// 200 ms each.
pub(crate) const SLOTS_PER_SECOND: u64 = 5;

/// Slots that a running rung may be later than the recording before its fragment is bridged: the encoders' order is not fixed.
const GRACE_SLOTS: u64 = 2;

/// One fragment to send.
pub(crate) struct Piece {
    pub(crate) extent: Extent,
    /// The number after it.
    pub(crate) next: FragmentNumber,
}

impl<'a> Programme<'a> {
    /// The recording's index.
    pub(crate) const fn recording(&self) -> &'a Index {
        &self.rungs[0]
    }

    pub(crate) const fn index(&self, rung: Rung) -> &'a Index {
        &self.rungs[rung.place()]
    }

    /// Whether the event is over and all of it may be heard.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.recording().end().is_some() && self.published >= self.recording().sealed_end()
    }

    /// The first number there is.
    #[must_use]
    pub fn first(&self) -> FragmentNumber {
        self.recording().first().map_or(self.published, |first| first.number)
    }

    /// The epoch of the recording at `number`, or of what follows a hole there; where nothing follows yet, the newest.
    pub(crate) fn epoch_at(&self, number: FragmentNumber) -> Epoch {
        let recording = self.recording();
        recording.at_or_after(number).map(|(_, entry)| entry).or_else(|| recording.last()).map_or(Epoch(1), |entry| entry.epoch)
    }

    /// What is heard at `number` on `rung`; `None`: not sealed yet, or the event is over.
    pub(crate) fn piece(&self, rung: Rung, number: FragmentNumber) -> Option<Piece> {
        if number >= self.published {
            return None;
        }
        let slots = rung.slots_per_fragment();
        let index = self.index(rung);
        if rung != Rung::R64 && number.0.is_multiple_of(slots) {
            if let Some((source, entry)) = index.get(number) {
                let is_out = number.0 + slots <= self.published.0;
                return is_out.then(|| self.sealed(rung, source, entry));
            }
            let is_running = number.0 >= slots && index.get(FragmentNumber(number.0 - slots)).is_some();
            if is_running && index.end().is_none() && self.published.0 < number.0 + slots + GRACE_SLOTS {
                return None;
            }
        }
        Some(match self.recording().get(number) {
            Some((source, entry)) => self.sealed(Rung::R64, source, entry),
            None => {
                let rung = if rung == Rung::R64 { Rung::R64 } else { Rung::R32 };
                Piece { extent: Extent::Inline(fragment::silent(rung, number).into()), next: FragmentNumber(number.0 + 1) }
            }
        })
    }

    fn sealed(&self, rung: Rung, source: Source, entry: crate::index::Entry) -> Piece {
        let slots = rung.slots_per_fragment();
        let extent = if self.cuts.touch(entry.number, slots) {
            Extent::Inline(fragment::silent(rung, entry.number).into())
        } else {
            Extent::File { rung, source, offset: entry.offset, length: u64::from(entry.length) }
        };
        Piece { extent, next: FragmentNumber(entry.number.0 + slots) }
    }

    /// What is heard from `from` up to `to`, as far as it is sealed, and the number after it.
    #[must_use]
    pub fn extents(&self, rung: Rung, from: FragmentNumber, to: FragmentNumber) -> (Vec<Extent>, FragmentNumber) {
        let mut extents = Vec::new();
        let mut next = from;
        while next < to
            && let Some(piece) = self.piece(rung, next)
        {
            piece.extent.append(&mut extents);
            next = piece.next;
        }
        (extents, next)
    }
}

#[cfg(test)]
pub(crate) mod tests;
