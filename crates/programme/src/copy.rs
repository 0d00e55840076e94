//! The copy of a programme: what one relay sends another (docs/formats.md, "The copy"), and how that lies in the copy's files.
//!
//! [`Reader`] takes the bytes of a connection and gives out frames that were found good, in order, or says what is wrong: a byte
//! that is not is never written. [`Track`] says what to append for them. A copy's index is whole; its media need not be:
//! whether bytes are there is kept for each block of [`BLOCK_BYTES`], and all bytes of a block are there or none is.

use crate::cuts::Cuts;
use crate::fragment;
use crate::index::{Entry, KIND_END, KIND_FRAGMENT, RECORD_BYTES, Record, Words};
use crate::init;
use crate::journal::Journal;
use base::limit::{COPY_DOCUMENT_BYTES_MAX, COPY_FRAGMENT_BYTES_MAX, COPY_NUMBER_GAP_MAX};
use base::{Epoch, Place, Rung};
use std::ops::Range;

/// Bytes of media whose presence is kept as one.
pub const BLOCK_BYTES: u64 = 64 * 1024;

/// Bytes before a frame's bytes: a record as in the index, and the CRC-32 of the bytes behind it.
pub const HEAD_BYTES: usize = RECORD_BYTES + 4;

const KIND_NAMED: u32 = 3;
const KIND_CUTS: u32 = 4;
const KIND_JOURNAL: u32 = 5;

/// One thing that a relay tells another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A sealed fragment, and its bytes.
    Fragment(Place, Vec<u8>),
    /// A sealed fragment of so many bytes, which are not sent.
    Named(Place, u32),
    /// Nothing follows: the number after the last.
    End(Place),
    /// The file `cuts`, whole.
    Cuts(Vec<u8>),
    /// What everybody may know of the journal, whole ([`Journal::public`]).
    Journal(Vec<u8>),
}

impl Frame {
    /// Appends a frame as it travels.
    pub fn put(&self, to: &mut Vec<u8>) {
        let nowhere = Place::default();
        let (place, length, kind, bytes) = match self {
            Self::Fragment(place, bytes) => (*place, length_of(bytes), KIND_FRAGMENT, bytes.as_slice()),
            Self::Named(place, length) => (*place, *length, KIND_NAMED, &[][..]),
            Self::End(place) => (*place, 0, KIND_END, &[][..]),
            Self::Cuts(bytes) => (nowhere, length_of(bytes), KIND_CUTS, bytes.as_slice()),
            Self::Journal(bytes) => (nowhere, length_of(bytes), KIND_JOURNAL, bytes.as_slice()),
        };
        put_head(place, length, kind, bytes, to);
        to.extend_from_slice(bytes);
    }
}

/// Appends the head of a fragment whose bytes the caller appends.
pub fn put_fragment_head(place: Place, bytes: &[u8], to: &mut Vec<u8>) {
    put_head(place, length_of(bytes), KIND_FRAGMENT, bytes, to);
}

fn put_head(place: Place, length: u32, kind: u32, bytes: &[u8], to: &mut Vec<u8>) {
    let words = Words { number: place.number, offset: 0, length, epoch: place.epoch, kind };
    to.extend_from_slice(&words.to_bytes());
    to.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
}

fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a frame is small")
}

/// What is wrong with what another relay sends. Nothing more is taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Fault {
    /// A record's CRC does not check: damage, or a length before it was a lie.
    #[error("a record does not check")]
    Record,
    /// A kind of frame that this version does not know.
    #[error("a frame of an unknown kind")]
    Kind,
    /// A length beyond the limit.
    #[error("a frame that is too long")]
    Length,
    /// The bytes are not those that were announced.
    #[error("bytes that are not those announced")]
    Bytes,
    /// The bytes are not the fragment that was announced.
    #[error("bytes that are no fragment of that number")]
    Fragment,
    /// A number that does not grow, or that the rung can't have.
    #[error("a number that does not follow")]
    Number,
    /// An epoch from before what is here already: an old event, or one gone back in time.
    #[error("an epoch that is over")]
    Epoch,
    /// The cuts or the journal are torn.
    #[error("a torn document")]
    Document,
    /// Something behind the end.
    #[error("something behind the end")]
    AfterEnd,
}

impl Fault {
    /// A short name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Kind => "kind",
            Self::Length => "length",
            Self::Bytes => "bytes",
            Self::Fragment => "fragment",
            Self::Number => "number",
            Self::Epoch => "epoch",
            Self::Document => "document",
            Self::AfterEnd => "after-end",
        }
    }
}

/// Takes the bytes of one connection, and gives frames that are good and in order.
#[derive(Debug)]
pub struct Reader {
    rung: Rung,
    /// The place of the last fragment that is here already.
    last: Option<Place>,
    ended: bool,
    buffer: Vec<u8>,
    taken: usize,
}

impl Reader {
    /// A reader for a rung of which everything up to `last` is here.
    #[must_use]
    pub const fn new(rung: Rung, last: Option<Place>) -> Self {
        Self { rung, last, ended: false, buffer: Vec::new(), taken: 0 }
    }

    /// Takes bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame; `None` while it is not whole.
    ///
    /// # Errors
    /// What is wrong. The reader is of no more use.
    pub fn frame(&mut self) -> Result<Option<Frame>, Fault> {
        let rest = &self.buffer[self.taken..];
        let Some((head, rest)) = rest.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let Some((record, crc)) = head.split_first_chunk::<RECORD_BYTES>() else { return Ok(None) };
        let words = Words::read(record).ok_or(Fault::Record)?;
        if self.ended {
            return Err(Fault::AfterEnd);
        }
        let length = body_length(&words)?;
        self.check_place(&words)?;
        let Some(bytes) = rest.get(..length) else { return Ok(None) };
        if crc32fast::hash(bytes).to_le_bytes() != *crc {
            return Err(Fault::Bytes);
        }
        let frame = self.read(&words, bytes.to_vec())?;
        self.taken += HEAD_BYTES + length;
        Ok(Some(frame))
    }

    /// Whether nothing of a frame is left over: a connection that ends now has lost none.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.buffer.len() == self.taken
    }

    /// Whether the number follows and the epoch does not go back, before the bytes are waited for.
    fn check_place(&self, words: &Words) -> Result<(), Fault> {
        if !matches!(words.kind, KIND_FRAGMENT | KIND_NAMED | KIND_END) {
            return Ok(());
        }
        let slots = self.rung.slots_per_fragment();
        let least = self.last.map_or(0, |last| last.number.0 + slots);
        // The recording leaves little out; another rung may be absent for as long as the stage is busy.
        let most = if self.rung == Rung::R64 { least + COPY_NUMBER_GAP_MAX } else { NUMBER_MAX };
        if words.number.0 < least || !words.number.0.is_multiple_of(slots) || words.number.0 > most {
            return Err(Fault::Number);
        }
        if self.last.is_some_and(|last| words.epoch < last.epoch) || words.epoch == Epoch(0) {
            return Err(Fault::Epoch);
        }
        Ok(())
    }

    fn read(&mut self, words: &Words, bytes: Vec<u8>) -> Result<Frame, Fault> {
        let place = Place { epoch: words.epoch, number: words.number };
        Ok(match words.kind {
            KIND_FRAGMENT if !fragment::is_whole(self.rung, place.number, &bytes) => return Err(Fault::Fragment),
            KIND_FRAGMENT => {
                self.last = Some(place);
                Frame::Fragment(place, bytes)
            }
            KIND_NAMED => {
                self.last = Some(place);
                Frame::Named(place, words.length)
            }
            KIND_END => {
                self.ended = true;
                Frame::End(place)
            }
            KIND_CUTS if Cuts::is_whole(&bytes) => Frame::Cuts(bytes),
            KIND_JOURNAL if Journal::read(&bytes).bytes == bytes.len() as u64 => Frame::Journal(bytes),
            _ => return Err(Fault::Document),
        })
    }
}

/// Far beyond any event, and small enough that arithmetic on it can't overflow.
const NUMBER_MAX: u64 = 1 << 40;

/// Bytes that follow a head.
fn body_length(words: &Words) -> Result<usize, Fault> {
    let length = words.length as usize;
    let (most, follow) = match words.kind {
        KIND_FRAGMENT => (COPY_FRAGMENT_BYTES_MAX, length),
        KIND_NAMED => (COPY_FRAGMENT_BYTES_MAX, 0),
        KIND_END => (0, 0),
        KIND_CUTS | KIND_JOURNAL => (COPY_DOCUMENT_BYTES_MAX, length),
        _ => return Err(Fault::Kind),
    };
    if length > most { Err(Fault::Length) } else { Ok(follow) }
}

/// What to write for one frame: the media first, then the blocks that are here with it, then the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Where in the media file.
    pub media_at: u64,
    /// The bytes, the init segment before the first; empty when they are not here.
    pub media: Vec<u8>,
    /// The blocks over which the fragment lies, present with its bytes and absent without them.
    pub blocks: Range<u64>,
    /// Whether its bytes are here.
    pub present: bool,
    /// Where in the index file.
    pub record_at: u64,
    /// The record.
    pub record: [u8; RECORD_BYTES],
}

/// A fragment's sound, as far as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound<'a> {
    /// These bytes.
    Here(&'a [u8]),
    /// So many bytes, which did not.
    Elsewhere(u32),
}

/// One rung's files of a copy as they grow. Offsets are the copy's own: an upstream can't choose where bytes are written.
#[derive(Debug, Clone)]
pub struct Track {
    media_bytes: u64,
    index_bytes: u64,
    last: Option<Place>,
    ended: bool,
    /// Whether the bytes before the end are here.
    present: bool,
}

impl Track {
    /// A rung of which nothing is here yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { media_bytes: 0, index_bytes: 0, last: None, ended: false, present: true }
    }

    /// Goes on with files that are there. `present` is whether the block with the last byte is.
    #[must_use]
    pub fn resume(index: &[u8], present: impl FnOnce(u64) -> bool) -> Self {
        let mut track = Self::new();
        for record in crate::index::records(index) {
            match record {
                Record::Fragment(entry) => (track.media_bytes, track.last) = (entry.end(), Some(entry.place())),
                Record::End { .. } => track.ended = true,
            }
            track.index_bytes += RECORD_BYTES as u64;
        }
        track.present = track.media_bytes.checked_sub(1).is_none_or(|last| present(last / BLOCK_BYTES));
        track
    }

    /// The last fragment.
    #[must_use]
    pub const fn last(&self) -> Option<Place> {
        self.last
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Bytes of the index file; what lies behind is torn.
    #[must_use]
    pub const fn index_bytes(&self) -> u64 {
        self.index_bytes
    }

    /// Where the media file ends.
    #[must_use]
    pub const fn media_bytes(&self) -> u64 {
        self.media_bytes
    }

    /// What to write for a fragment.
    pub fn fragment(&mut self, place: Place, sound: Sound<'_>) -> Append {
        let (bytes, length) = match sound {
            Sound::Here(bytes) => (Some(bytes), length_of(bytes)),
            Sound::Elsewhere(length) => (None, length),
        };
        let init = if self.media_bytes == 0 { init::segment() } else { &[] };
        let present = bytes.is_some();
        // A block is here wholly or not at all: where bytes begin or cease to be here, a new one begins.
        let media_at = if present == self.present { self.media_bytes } else { self.media_bytes.next_multiple_of(BLOCK_BYTES) };
        let offset = media_at + init.len() as u64;
        let entry = Entry { number: place.number, offset, length, epoch: place.epoch };
        let media = bytes.map(|bytes| [init, bytes].concat()).unwrap_or_default();
        (self.media_bytes, self.last, self.present) = (entry.end(), Some(place), present);
        let record = self.record(Record::Fragment(entry));
        Append { media_at, media, blocks: media_at / BLOCK_BYTES..entry.end().div_ceil(BLOCK_BYTES), present, ..record }
    }

    /// What to write when nothing follows.
    pub fn end(&mut self, place: Place) -> Append {
        self.ended = true;
        self.record(Record::End { number: place.number, offset: self.media_bytes, epoch: place.epoch })
    }

    fn record(&mut self, record: Record) -> Append {
        let record_at = self.index_bytes;
        self.index_bytes += RECORD_BYTES as u64;
        Append { media_at: 0, media: Vec::new(), blocks: 0..0, present: false, record_at, record: record.to_bytes() }
    }
}

impl Default for Track {
    fn default() -> Self {
        Self::new()
    }
}

/// The fragments of `entries` that lie in a block, in part or wholly.
#[must_use]
pub fn in_block(entries: &[Entry], block: u64) -> &[Entry] {
    let (start, end) = (block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    let first = entries.partition_point(|entry| entry.end() <= start);
    let count = entries[first..].partition_point(|entry| entry.offset < end);
    &entries[first..first + count]
}

#[cfg(test)]
mod tests;
