//! A rung's index: where its fragments are. A reader follows it alone and never opens a fragment.

use base::limit::SPILL_BYTES_MAX;
use base::{Epoch, FragmentNumber, Place, Rung};

/// Bytes of one record.
pub const RECORD_BYTES: usize = 32;

/// Where a rung's file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The data directory: the recording.
    Disk,
    /// Memory, while the disk is full: live only.
    Memory,
}

/// One sealed fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: FragmentNumber,
    /// Where it begins in the rung's file.
    pub offset: u64,
    /// Its bytes, `emsg` included.
    pub length: u32,
    /// The epoch that sealed it.
    pub epoch: Epoch,
}

impl Entry {
    /// Its place, as addresses carry it.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { epoch: self.epoch, number: self.number }
    }

    /// Where the file goes on behind it.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.length as u64
    }
}

/// One record of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A sealed fragment.
    Fragment(Entry),
    /// The end of the event: the number after the last fragment, and the file's length.
    End {
        /// The number after the last.
        number: FragmentNumber,
        /// The file's length.
        offset: u64,
        /// The epoch that ended it.
        epoch: Epoch,
    },
}

pub(crate) const KIND_FRAGMENT: u32 = 1;
pub(crate) const KIND_END: u32 = 2;

impl Record {
    /// The record's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let words = match self {
            Self::Fragment(Entry { number, offset, length, epoch }) => Words { number, offset, length, epoch, kind: KIND_FRAGMENT },
            Self::End { number, offset, epoch } => Words { number, offset, length: 0, epoch, kind: KIND_END },
        };
        words.to_bytes()
    }

    /// Reads a record; `None` when it does not check.
    #[must_use]
    pub fn read(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let Words { number, offset, length, epoch, kind } = Words::read(bytes)?;
        match kind {
            KIND_FRAGMENT => Some(Self::Fragment(Entry { number, offset, length, epoch })),
            KIND_END => Some(Self::End { number, offset, epoch }),
            _ => None,
        }
    }
}

/// A record's fields, whatever its kind means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) number: FragmentNumber,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) epoch: Epoch,
    pub(crate) kind: u32,
}

impl Words {
    pub(crate) fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&self.number.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.epoch.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.kind.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The fields; `None` when the CRC does not check or the range can't be.
    pub(crate) fn read(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let words = bytes.as_chunks::<4>().0;
        let word = |nth: usize| u32::from_le_bytes(words[nth]);
        let long = |nth: usize| u64::from(word(nth)) | u64::from(word(nth + 1)) << 32;
        if crc32fast::hash(&bytes[..28]) != word(7) {
            return None;
        }
        let (offset, length) = (long(2), word(4));
        offset.checked_add(u64::from(length))?;
        Some(Self { number: FragmentNumber(long(0)), offset, length, epoch: Epoch(word(5)), kind: word(6) })
    }
}

/// The records at the front of `bytes` that check.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record> + '_ {
    bytes.as_chunks::<RECORD_BYTES>().0.iter().map_while(Record::read)
}

/// The fragments of one file.
#[derive(Debug, Clone, Default)]
struct File {
    entries: Vec<Entry>,
    bytes_read: u64,
}

impl File {
    /// The first fragment that begins at `number` or later. Nearly always where arithmetic says, for numbers are seldom left out.
    fn at_or_after(&self, number: FragmentNumber, step: u64) -> Option<&Entry> {
        let first = self.entries.first()?;
        let guess = usize::try_from(number.0.saturating_sub(first.number.0) / step).ok()?;
        if self.entries.get(guess).is_some_and(|entry| entry.number == number) {
            return self.entries.get(guess);
        }
        self.entries.get(self.entries.partition_point(|entry| entry.number < number))
    }
}

/// One rung's fragments, on disk and in memory, fed as its index files grow.
#[derive(Debug, Clone)]
pub struct Index {
    rung: Rung,
    disk: File,
    memory: File,
    end: Option<FragmentNumber>,
}

impl Index {
    /// An index of which nothing was read yet.
    #[must_use]
    pub fn new(rung: Rung) -> Self {
        Self { rung, disk: File::default(), memory: File::default(), end: None }
    }

    /// The rung.
    #[must_use]
    pub const fn rung(&self) -> Rung {
        self.rung
    }

    /// Where to read on in a source's index file. A file that is shorter has been replaced: begin with a new index.
    #[must_use]
    pub const fn position(&self, source: Source) -> u64 {
        match source {
            Source::Disk => self.disk.bytes_read,
            Source::Memory => self.memory.bytes_read,
        }
    }

    /// Takes what stands in a source's index file from [`Index::position`] on: whole records that check, and no more.
    /// Gives how many records were taken.
    pub fn feed(&mut self, source: Source, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for record in records(bytes) {
            let file = match source {
                Source::Disk => &mut self.disk,
                Source::Memory => &mut self.memory,
            };
            match record {
                Record::Fragment(entry) if file.entries.last().is_none_or(|last| last.number < entry.number) => file.entries.push(entry),
                // A number that does not grow is damage; the file is read on behind it, but nobody is sent back in time.
                Record::Fragment(_) => {}
                Record::End { number, .. } => self.end = Some(number),
            }
            file.bytes_read += RECORD_BYTES as u64;
            taken += 1;
        }
        taken
    }

    /// The fragment with exactly this number.
    #[must_use]
    pub fn get(&self, number: FragmentNumber) -> Option<(Source, Entry)> {
        self.at_or_after(number).filter(|(_, entry)| entry.number == number)
    }

    /// The first fragment with this number or a later one.
    #[must_use]
    pub fn at_or_after(&self, number: FragmentNumber) -> Option<(Source, Entry)> {
        let step = self.rung.slots_per_fragment();
        let disk = self.disk.at_or_after(number, step).map(|entry| (Source::Disk, *entry));
        let kept = |entry: &&Entry| self.is_kept(entry);
        let memory =
            self.memory.at_or_after(number, step).filter(kept).or_else(|| self.oldest_kept().filter(|oldest| oldest.number >= number));
        let memory = memory.map(|entry| (Source::Memory, *entry));
        [disk, memory].into_iter().flatten().min_by_key(|(_, entry)| entry.number)
    }

    /// The first fragment.
    #[must_use]
    pub fn first(&self) -> Option<Entry> {
        self.at_or_after(FragmentNumber(0)).map(|(_, entry)| entry)
    }

    /// The newest fragment.
    #[must_use]
    pub fn last(&self) -> Option<Entry> {
        [self.disk.entries.last(), self.memory.entries.last()].into_iter().flatten().max_by_key(|entry| entry.number).copied()
    }

    /// The number after the newest fragment: everything before it is sealed or was left out.
    #[must_use]
    pub fn sealed_end(&self) -> FragmentNumber {
        FragmentNumber(self.last().map_or(0, |last| last.number.0 + self.rung.slots_per_fragment()))
    }

    /// The number after the last fragment, once the event is over.
    #[must_use]
    pub const fn end(&self) -> Option<FragmentNumber> {
        self.end
    }

    /// The recording: every fragment on disk, in order.
    #[must_use]
    pub fn recording(&self) -> &[Entry] {
        &self.disk.entries
    }

    fn oldest_kept(&self) -> Option<&Entry> {
        self.memory.entries.get(self.memory.entries.partition_point(|entry| !self.is_kept(entry)))
    }

    /// Whether a fragment in memory is not punched out yet.
    fn is_kept(&self, entry: &Entry) -> bool {
        self.memory.entries.last().is_some_and(|last| last.end() - entry.offset <= memory_bytes_max(self.rung))
    }
}

/// Bytes that a rung keeps in memory while the disk is full; the writer punches out what is older.
#[must_use]
pub const fn memory_bytes_max(rung: Rung) -> u64 {
    match rung {
        Rung::R64 => SPILL_BYTES_MAX / 2,
        Rung::R32 | Rung::R16 => SPILL_BYTES_MAX / 4,
    }
}

#[cfg(test)]
mod tests;
