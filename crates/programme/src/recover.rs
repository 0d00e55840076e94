//! What a crash left, and where to go on.
//!
//! A stage that died has written media before records, so at worst the last fragment is torn or lacks its record. A power
//! loss may besides have left records without media, and lengths without bytes: what was not synced is looked at frame by
//! frame. What is whole stays; numbers that may have been heard are never used again.

use crate::fragment::{self, NoFragment};
use crate::index::{Entry, RECORD_BYTES, Record, records};
use crate::journal::Journal;
use crate::write::{Lengths, Opening};
use base::journal::What;
use base::limit::{EPOCH_NUMBER_GAP, UNKEPT_MILLIS_MAX};
use base::{Epoch, FragmentNumber, Rung, UnixMillis};

/// Fragments at the end that are looked at although their records check: far more than one second of unsynced ones.
const SUSPECTS: usize = 64;

/// Bytes looked at together when fragments without records are searched.
const WINDOW_BYTES: usize = 64 * 1024;

/// Bytes in which an init segment is looked for: several times ours.
const HEAD_BYTES_MAX: usize = 4 * 1024;

/// Milliseconds of one slot.
const SLOT_MILLIS: u64 = 200;

/// One rung's files as a crash left them, put right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Lengths to cut the two files to.
    pub cut_to: Lengths,
    /// Records to append to the index after that: their fragments are whole.
    pub records: Vec<u8>,
    /// The number after the last whole fragment.
    pub next: FragmentNumber,
    /// Whether the event's end is written.
    pub ended: bool,
}

impl Found {
    /// Lengths of the two files once they are cut and the records appended.
    #[must_use]
    pub const fn lengths(&self) -> Lengths {
        Lengths { media: self.cut_to.media, index: self.cut_to.index + self.records.len() as u64 }
    }

    /// The same for a disk that takes no more records: what has none yet is given up, but not its numbers.
    #[must_use]
    pub fn without_records(self) -> Self {
        let lost = self.records.as_chunks::<RECORD_BYTES>().0.first().and_then(Record::read);
        let media = lost.map_or(self.cut_to.media, |record| match record {
            Record::Fragment(entry) => entry.offset,
            Record::End { offset, .. } => offset,
        });
        Self { cut_to: Lengths { media, ..self.cut_to }, records: Vec::new(), ..self }
    }
}

/// Looks at one rung's files: the whole index, the length of the `.mp4`, and a way to read from it. `epochs` says which
/// epoch a fragment without a record belongs to.
///
/// # Errors
/// Whatever `read` gives.
pub fn files<E>(
    rung: Rung,
    index: &[u8],
    media_bytes: u64,
    epochs: &[(Epoch, FragmentNumber)],
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<Found, E> {
    let head = head(index, media_bytes, &mut read)?;
    let Some(init_bytes) = head.bytes() else { return Ok(Found::default()) };
    let (mut entries, ended) = plausible(rung, index, media_bytes, init_bytes);
    // Numbers of records that are given up were perhaps heard already, so they count for `next` all the same.
    let slots = rung.slots_per_fragment();
    let after = |entry: &Entry| FragmentNumber(entry.number.0 + slots);
    let heard = entries.last().map_or(FragmentNumber(0), after);
    let suspects = entries.len().saturating_sub(SUSPECTS);
    for place in suspects..entries.len() {
        let entry = entries[place];
        let mut bytes = vec![0; entry.length as usize];
        read(entry.offset, &mut bytes)?;
        if !fragment::is_whole(rung, entry.number, &bytes) {
            entries.truncate(place);
            break;
        }
    }
    if entries.is_empty() && matches!(head, Head::Damaged(_)) {
        return Ok(Found { next: heard, ..Found::default() });
    }
    let kept = entries.len();
    let media_end = entries.last().map_or(init_bytes, Entry::end);
    if let Some(end) = ended.filter(|_| media_end == media_bytes) {
        let cut_to = Lengths { media: media_end, index: ((kept + 1) * RECORD_BYTES) as u64 };
        return Ok(Found { cut_to, records: Vec::new(), next: end, ended: true });
    }
    let last = entries.last().map(|entry| entry.number);
    let rebuilt = rebuild(rung, media_end, media_bytes, last, epochs, &mut read)?;
    let media = rebuilt.last().map_or(media_end, Entry::end);
    let next = rebuilt.last().map_or(heard, after).max(heard);
    let records = rebuilt.into_iter().flat_map(|entry| Record::Fragment(entry).to_bytes()).collect();
    Ok(Found { cut_to: Lengths { media, index: (kept * RECORD_BYTES) as u64 }, records, next, ended: false })
}

/// What stands before the first fragment.
enum Head {
    /// An init segment of so many bytes. An earlier version may have written another than this one does.
    Init(u64),
    /// So many bytes that are none, with records behind them: the sound is not given up for its label.
    Damaged(u64),
    /// Nothing that a recording could begin with.
    Missing,
}

impl Head {
    const fn bytes(&self) -> Option<u64> {
        match self {
            Self::Init(bytes) | Self::Damaged(bytes) => Some(*bytes),
            Self::Missing => None,
        }
    }
}

fn head<E>(index: &[u8], media_bytes: u64, read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>) -> Result<Head, E> {
    let mut front = vec![0; usize::try_from(media_bytes).unwrap_or(usize::MAX).min(HEAD_BYTES_MAX)];
    read(0, &mut front)?;
    if let Ok(length) = fragment::init_length(&front) {
        return Ok(Head::Init(length as u64));
    }
    let first = records(index).next();
    let first = first.and_then(|record| if let Record::Fragment(entry) = record { Some(entry) } else { None });
    Ok(first.filter(|entry| entry.end() <= media_bytes).map_or(Head::Missing, |entry| Head::Damaged(entry.offset)))
}

/// The records that can be true: one fragment behind the other, numbers growing, all within the file; and the end, if written.
fn plausible(rung: Rung, index: &[u8], media_bytes: u64, init_bytes: u64) -> (Vec<Entry>, Option<FragmentNumber>) {
    let mut entries: Vec<Entry> = Vec::new();
    for record in records(index) {
        let at = entries.last().map_or(init_bytes, Entry::end);
        match record {
            Record::Fragment(entry)
                if entry.offset == at
                    && entry.end() <= media_bytes
                    && entry.number.0 % rung.slots_per_fragment() == 0
                    && entries.last().is_none_or(|last| last.number < entry.number) =>
            {
                entries.push(entry);
            }
            Record::Fragment(_) => break,
            Record::End { number, offset, .. } => return (entries, Some(number).filter(|_| offset == at)),
        }
    }
    (entries, None)
}

/// Finds whole fragments behind the last record.
fn rebuild<E>(
    rung: Rung,
    mut at: u64,
    media_bytes: u64,
    mut last: Option<FragmentNumber>,
    epochs: &[(Epoch, FragmentNumber)],
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<Vec<Entry>, E> {
    let mut entries = Vec::new();
    loop {
        let left = usize::try_from(media_bytes - at).unwrap_or(usize::MAX);
        let mut window = vec![0; left.min(WINDOW_BYTES)];
        read(at, &mut window)?;
        let mut taken = 0;
        let stopped_by = loop {
            let rest = &window[taken..];
            let found = match fragment::find(rest) {
                Ok(found) if found.frame_bytes == rung.frame_bytes() && found.sounds(rest) => found,
                Ok(_) => break NoFragment::Foreign,
                Err(why) => break why,
            };
            if last.is_some_and(|last| found.number <= last) || found.number.0 % rung.slots_per_fragment() != 0 {
                break NoFragment::Foreign;
            }
            let epoch = epochs.iter().rev().find(|(_, first)| *first <= found.number).map_or(Epoch(1), |(epoch, _)| *epoch);
            let length = u32::try_from(found.length()).unwrap_or(u32::MAX);
            entries.push(Entry { number: found.number, offset: at + taken as u64, length, epoch });
            last = Some(found.number);
            taken += found.length();
        };
        at += taken as u64;
        let may_go_on = stopped_by == NoFragment::Short && taken > 0 && window.len() < left;
        if !may_go_on {
            return Ok(entries);
        }
    }
}

/// Where a new stage goes on with an event, all rungs on one timeline.
///
/// `disk` and `memory` are what was found, in the order of [`Rung::ALL`]; `journal` was read before; `boot` names the
/// machine's boot now. `None`: the event is over.
#[must_use]
pub fn opening(disk: &[Found; 3], memory: &[Found; 3], journal: &Journal, boot: &str, now: UnixMillis) -> Option<Opening> {
    if journal.end().is_some() || disk[0].ended || memory[0].ended {
        return None;
    }
    let last = journal.entries.iter().rev().find_map(|entry| {
        if let What::EpochOpened { epoch, first, boot } = &entry.what { Some((*epoch, *first, boot.as_str())) } else { None }
    });
    let sealed = disk.iter().chain(memory).map(|found| found.next).max().unwrap_or_default();
    let (epoch, first) = match last {
        None if sealed == FragmentNumber(0) => (Epoch(1), FragmentNumber(0)),
        None => (Epoch(1), FragmentNumber(sealed.0 + EPOCH_NUMBER_GAP)),
        Some((epoch, opened, before)) => {
            let known = sealed.max(opened);
            let first = if before == boot { known } else { FragmentNumber(known.max(unkept(journal, now)).0 + EPOCH_NUMBER_GAP) };
            (Epoch(epoch.0 + 1), first)
        }
    };
    Some(Opening { epoch, first, disk: disk.each_ref().map(Found::lengths), memory: memory.each_ref().map(Found::lengths) })
}

/// The number that the last epoch can have reached in memory. A power loss took it, so only the wall clock knows; as it knows
/// nothing of when the power failed, it is believed up to [`UNKEPT_MILLIS_MAX`].
fn unkept(journal: &Journal, now: UnixMillis) -> FragmentNumber {
    let last_epoch = journal.entries.iter().rev().take_while(|entry| !matches!(entry.what, What::EpochOpened { .. }));
    let mut stops = last_epoch
        .filter_map(|entry| if let What::RecordingStopped { first_lost } = entry.what { Some((entry.at, first_lost)) } else { None });
    stops.next().map_or(FragmentNumber(0), |(at, first_lost)| {
        let millis = u64::try_from(now.0.saturating_sub(at.0)).unwrap_or(0).min(UNKEPT_MILLIS_MAX);
        FragmentNumber(first_lost.0 + millis.div_ceil(SLOT_MILLIS))
    })
}

#[cfg(test)]
mod tests;
