//! The journal's records: the entries of [`base::journal`] as framed JSON.

use crate::record;
use base::journal::{Entry, Role, What};
use base::{Epoch, FragmentNumber, ParticipantId, UnixMillis};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Wire {
    at: i64,
    #[serde(flatten)]
    what: WireWhat,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireWhat {
    Joined { participant: u16, key: String, name: String, role: WireRole },
    Renamed { participant: u16, name: String },
    Muted { participant: u16, muted: bool },
    Left { participant: u16 },
    Removed { participant: u16 },
    EpochOpened { epoch: u32, first: u64, boot: String },
    RecordingStopped { first_lost: u64 },
    Ended { end: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireRole {
    Host,
    Speaker,
}

/// The record to append and sync before the answer is given.
#[must_use]
pub fn record(entry: &Entry) -> Vec<u8> {
    let wire = Wire { at: entry.at.0, what: to_wire(&entry.what) };
    record::frame(&serde_json::to_vec(&wire).expect("strings and numbers are JSON"))
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
            Some(Entry { at: UnixMillis(wire.at), what: from_wire(wire.what) })
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

    /// The journal as a copy has it: when epochs began, and the end. Who was on stage stays where it was written.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        let kept = |entry: &Entry| match &entry.what {
            What::EpochOpened { epoch, first, .. } => {
                Some(record(&Entry { at: entry.at, what: What::EpochOpened { epoch: *epoch, first: *first, boot: String::new() } }))
            }
            What::Ended { .. } => Some(record(entry)),
            What::Joined { .. }
            | What::Renamed { .. }
            | What::Muted { .. }
            | What::Left { .. }
            | What::Removed { .. }
            | What::RecordingStopped { .. } => None,
        };
        self.entries.iter().filter_map(kept).flatten().collect()
    }

    /// The number after the last fragment, once the event is over.
    #[must_use]
    pub fn end(&self) -> Option<FragmentNumber> {
        self.entries.iter().find_map(|entry| if let What::Ended { end } = entry.what { Some(end) } else { None })
    }
}

fn to_wire(what: &What) -> WireWhat {
    match what.clone() {
        What::Joined { participant, key, name, role } => {
            let role = match role {
                Role::Host => WireRole::Host,
                Role::Speaker => WireRole::Speaker,
            };
            WireWhat::Joined { participant: participant.0, key, name, role }
        }
        What::Renamed { participant, name } => WireWhat::Renamed { participant: participant.0, name },
        What::Muted { participant, muted } => WireWhat::Muted { participant: participant.0, muted },
        What::Left { participant } => WireWhat::Left { participant: participant.0 },
        What::Removed { participant } => WireWhat::Removed { participant: participant.0 },
        What::EpochOpened { epoch, first, boot } => WireWhat::EpochOpened { epoch: epoch.0, first: first.0, boot },
        What::RecordingStopped { first_lost } => WireWhat::RecordingStopped { first_lost: first_lost.0 },
        What::Ended { end } => WireWhat::Ended { end: end.0 },
    }
}

fn from_wire(wire: WireWhat) -> What {
    match wire {
        WireWhat::Joined { participant, key, name, role } => {
            let role = match role {
                WireRole::Host => Role::Host,
                WireRole::Speaker => Role::Speaker,
            };
            What::Joined { participant: ParticipantId(participant), key, name, role }
        }
        WireWhat::Renamed { participant, name } => What::Renamed { participant: ParticipantId(participant), name },
        WireWhat::Muted { participant, muted } => What::Muted { participant: ParticipantId(participant), muted },
        WireWhat::Left { participant } => What::Left { participant: ParticipantId(participant) },
        WireWhat::Removed { participant } => What::Removed { participant: ParticipantId(participant) },
        WireWhat::EpochOpened { epoch, first, boot } => What::EpochOpened { epoch: Epoch(epoch), first: FragmentNumber(first), boot },
        WireWhat::RecordingStopped { first_lost } => What::RecordingStopped { first_lost: FragmentNumber(first_lost) },
        WireWhat::Ended { end } => What::Ended { end: FragmentNumber(end) },
    }
}

#[cfg(test)]
mod tests;
