//! The cuts of a programme: where every view plays silence. The sealed bytes stay.

use crate::record;
use base::FragmentNumber;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One cut: silence from `from` up to, not including, `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The first silent slot.
    pub from: FragmentNumber,
    /// The first slot that sounds again.
    pub to: FragmentNumber,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    from: u64,
    to: u64,
}

/// All cuts of a programme, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cuts(Vec<Cut>);

impl Cuts {
    /// Reads the file `cuts`; what is torn at its end is left out.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let read = |payload: &[u8]| serde_json::from_slice::<Wire>(payload).ok();
        let cut = |wire: Wire| Cut { from: FragmentNumber(wire.from), to: FragmentNumber(wire.to) };
        Self(record::read_all(bytes, read).0.into_iter().map(cut).collect())
    }

    /// The whole records at the front of bytes.
    #[must_use]
    pub fn whole(bytes: &[u8]) -> &[u8] {
        &bytes[..record::read_all(bytes, |payload| serde_json::from_slice::<Wire>(payload).ok()).1]
    }

    /// Whether bytes are whole records and nothing else.
    #[must_use]
    pub fn is_whole(bytes: &[u8]) -> bool {
        Self::whole(bytes).len() == bytes.len()
    }

    /// The record to append for one more cut.
    #[must_use]
    pub fn record(cut: Cut) -> Vec<u8> {
        record::frame(format!(r#"{{"from":{},"to":{}}}"#, cut.from, cut.to).as_bytes())
    }

    /// How many cuts there are: addresses carry it once it is not 0.
    #[must_use]
    pub const fn revision(&self) -> usize {
        self.0.len()
    }

    /// What is left of a range once the cuts at its ends are taken off; `None` when that is nothing.
    #[must_use]
    pub fn without_ends(&self, range: Range<FragmentNumber>) -> Option<Range<FragmentNumber>> {
        let Range { mut start, mut end } = range;
        while start < end {
            if let Some(cut) = self.0.iter().find(|cut| cut.from <= start && start < cut.to) {
                start = cut.to;
            } else if let Some(cut) = self.0.iter().find(|cut| cut.from < end && end <= cut.to) {
                end = cut.from;
            } else {
                return Some(start..end);
            }
        }
        None
    }

    /// Whether any of the `slots` slots from `number` on is cut.
    #[must_use]
    pub fn touch(&self, number: FragmentNumber, slots: u64) -> bool {
        self.0.iter().any(|cut| cut.from.0 < number.0.saturating_add(slots) && number < cut.to)
    }
}

#[cfg(test)]
mod tests;
