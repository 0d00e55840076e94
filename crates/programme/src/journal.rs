//! The journal's records: the entries of [`base::journal`] as framed JSON.

use crate::record;
use base::journal::{Entry, What};
use base::people::People;
use base::{Epoch, FragmentNumber, UnixMillis};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use wire::WireWhat;

mod wire;

#[derive(Serialize, Deserialize)]
struct Wire {
    at: i64,
    #[serde(flatten)]
    what: WireWhat,
}

/// The record to append and sync before the answer is given.
#[must_use]
pub fn record(entry: &Entry) -> Vec<u8> {
    let wire = Wire { at: entry.at.0, what: entry.what.clone().into() };
    record::frame(&serde_json::to_vec(&wire).expect("strings and numbers are JSON"))
}

/// Bytes at a journal's end in which [`is_over`] finds its last record.
pub const TAIL_BYTES: u64 = 256;

/// Whether the last bytes of a journal say that the event is over, for who need not read all of a long one. When they don't, it may be.
#[must_use]
pub fn is_over(tail: &[u8]) -> bool {
    let read = |payload: &[u8]| serde_json::from_slice::<Wire>(payload).ok().filter(|wire| matches!(wire.what, WireWhat::Ended { .. }));
    // Where the last record begins is not known; what is none does not check.
    (0..tail.len()).any(|at| matches!(record::read_all(&tail[at..], read), (ended, taken) if ended.len() == 1 && at + taken == tail.len()))
}

/// A journal as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Bytes of the file that they take; a writer cuts off what is behind.
    pub bytes: u64,
}

impl Journal {
    /// Reads a journal; the first record that does not check ends it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let read = |payload: &[u8]| {
            let wire: Wire = serde_json::from_slice(payload).ok()?;
            Some(Entry { at: UnixMillis(wire.at), what: wire.what.into() })
        };
        let (entries, taken) = record::read_all(bytes, read);
        Self { entries, bytes: taken as u64 }
    }

    /// The epochs that were opened: number, first fragment and wall clock of each, in order.
    pub fn epochs(&self) -> impl Iterator<Item = (Epoch, FragmentNumber, UnixMillis)> + '_ {
        self.entries
            .iter()
            .filter_map(|entry| if let What::EpochOpened { epoch, first, .. } = entry.what { Some((epoch, first, entry.at)) } else { None })
    }

    /// The first fragment of the event itself: what is before is the hold sound. None as long as it has not begun.
    #[must_use]
    pub fn begun(&self) -> Option<FragmentNumber> {
        let begun = |entry: &Entry| if let What::Begun { first } = entry.what { Some(first) } else { None };
        let doors = self.entries.iter().any(|entry| entry.what == What::DoorsOpened);
        let at_once = self.epochs().next().filter(|_| !doors).map(|(_, first, _)| first);
        self.entries.iter().find_map(begun).or(at_once)
    }

    /// The journal as a copy has it: when epochs and the event itself began, and the end; of a private event the tickets that hosts have
    /// barred, too. Who was on stage stays where it was written.
    #[must_use]
    pub fn public(&self, is_private: bool) -> Vec<u8> {
        let kept = |entry: &Entry| match &entry.what {
            What::EpochOpened { epoch, first, .. } => {
                Some(record(&Entry { at: entry.at, what: What::EpochOpened { epoch: *epoch, first: *first, boot: String::new() } }))
            }
            What::DoorsOpened | What::Begun { .. } | What::Ended { .. } => Some(record(entry)),
            What::Banned { .. } if is_private => Some(record(entry)),
            What::Joined { .. }
            | What::Stepped { .. }
            | What::Promoted { .. }
            | What::Ready { .. }
            | What::Renamed { .. }
            | What::Muted { .. }
            | What::Left { .. }
            | What::Removed { .. }
            | What::Banned { .. }
            | What::Locked { .. }
            | What::InCharge { .. }
            | What::Succession { .. }
            | What::Admitted { .. }
            | What::Declined { .. }
            | What::Clock { .. }
            | What::Spoken { .. }
            | What::Held { .. }
            | What::RecordingStopped { .. } => None,
        };
        self.entries.iter().filter_map(kept).flatten().collect()
    }

    /// The tickets that hosts have barred.
    pub fn barred(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().filter_map(|entry| if let What::Banned { ticket } = entry.what { Some(ticket) } else { None })
    }

    /// The number after the last fragment, once the event is over.
    #[must_use]
    pub fn end(&self) -> Option<FragmentNumber> {
        self.entries.iter().find_map(|entry| if let What::Ended { end, .. } = entry.what { Some(end) } else { None })
    }

    /// What of the programme is the event itself: not the hold sound before it, nor what followed when all had left for good. One that
    /// never began has nothing to hear; without a journal it is all of it.
    #[must_use]
    pub fn proper(&self) -> Range<FragmentNumber> {
        if self.entries.is_empty() {
            return FragmentNumber(0)..FragmentNumber(u64::MAX);
        }
        let heard = |entry: &Entry| if let What::Ended { heard, .. } = entry.what { heard } else { None };
        let end = self.entries.iter().find_map(heard).unwrap_or(FragmentNumber(u64::MAX));
        self.begun().unwrap_or(FragmentNumber(u64::MAX))..end
    }

    /// Who is who.
    #[must_use]
    pub fn people(&self) -> People {
        let mut people = People::default();
        self.entries.iter().for_each(|entry| people.note(&entry.what));
        people
    }
}

#[cfg(test)]
mod tests;
