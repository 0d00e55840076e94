//! The writer of one event's programme: packets in, what to append out.
//!
//! The shell writes an [`Append`]'s media before its record, and syncs when it likes: a reader follows records alone, and
//! [`crate::recover`] puts right what a crash left half done.

use crate::facts::{State, Teller};
use crate::index::{Entry, RECORD_BYTES, Record, Source};
use crate::{fragment, init, silence};
use base::fact::LiveFact;
use base::time::TICK_SAMPLES;
use base::{Epoch, FragmentNumber, MediaTime, Rung};

/// Lengths of one rung's two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lengths {
    /// Bytes of the `.mp4`.
    pub media: u64,
    /// Bytes of the `.idx`.
    pub index: u64,
}

/// Where a writer goes on: what [`crate::recover`] found, or [`Opening::fresh`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The epoch that begins.
    pub epoch: Epoch,
    /// Its first fragment.
    pub first: FragmentNumber,
    /// The files in the data directory, in the order of [`Rung::ALL`].
    pub disk: [Lengths; 3],
    /// The files in memory, in the order of [`Rung::ALL`].
    pub memory: [Lengths; 3],
}

impl Opening {
    /// An event that nobody has written yet.
    #[must_use]
    pub const fn fresh() -> Self {
        let none = [Lengths { media: 0, index: 0 }; 3];
        Self { epoch: Epoch(1), first: FragmentNumber(0), disk: none, memory: none }
    }
}

/// What to write: `media` at `media_at` of the rung's `.mp4`, then `record` at `record_at` of its `.idx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The rung.
    pub rung: Rung,
    /// Which of its files.
    pub source: Source,
    /// Where the media go.
    pub media_at: u64,
    /// The init segment when the file is new, then the fragment; empty for the end of the event.
    pub media: Vec<u8>,
    /// Where the record goes.
    pub record_at: u64,
    /// The record's bytes.
    pub record: [u8; RECORD_BYTES],
    /// What the record says.
    pub says: Record,
}

/// A packet that can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The packet is not of the rung's frame size: the encoder is not at constant bitrate.
    #[error("a packet of the {rung} kbit/s rung has {bytes} bytes")]
    WrongSize {
        /// The rung.
        rung: Rung,
        /// The packet's size.
        bytes: usize,
    },
    /// The packet's place is sealed already, or before the epoch.
    #[error("a packet of the {rung} kbit/s rung comes too late")]
    TooLate {
        /// The rung.
        rung: Rung,
    },
}

/// A fragment being filled.
#[derive(Debug)]
struct Open {
    number: FragmentNumber,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Track {
    rung: Rung,
    source: Source,
    lengths: Lengths,
    /// What is in memory already, should the disk be full.
    memory: Lengths,
    /// The first number that is not sealed.
    next: FragmentNumber,
    open: Option<Open>,
    teller: Teller,
}

/// The writer of one event.
#[derive(Debug)]
pub struct Writer {
    epoch: Epoch,
    first: FragmentNumber,
    facts: State,
    tracks: [Track; 3],
}

impl Writer {
    /// Goes on where `opening` says.
    #[must_use]
    pub fn open(opening: &Opening) -> Self {
        let track = |rung: Rung| Track {
            rung,
            source: Source::Disk,
            lengths: opening.disk[rung.place()],
            memory: opening.memory[rung.place()],
            next: opening.first,
            open: None,
            teller: Teller::new(rung),
        };
        Self { epoch: opening.epoch, first: opening.first, facts: State::default(), tracks: Rung::ALL.map(track) }
    }

    /// The epoch being written.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The epoch's first fragment.
    #[must_use]
    pub const fn first(&self) -> FragmentNumber {
        self.first
    }

    /// The number after the newest sealed fragment of the recording.
    #[must_use]
    pub const fn sealed_end(&self) -> FragmentNumber {
        self.tracks[0].next
    }

    /// Takes what listeners shall be told; it rides in the fragments sealed from now on.
    pub fn tell(&mut self, fact: LiveFact) {
        self.facts.take(fact);
    }

    /// Takes the packet of the 20 ms from `at` on; gives the fragment that it seals, if it does.
    ///
    /// A rung starts at the first packet that begins one of its fragments and earlier ones are dropped.
    /// A packet that was left out inside a fragment is replaced by silence.
    ///
    /// # Errors
    /// When the packet has the wrong size or comes too late; the writer goes on unharmed.
    pub fn push(&mut self, at: MediaTime, rung: Rung, packet: &[u8]) -> Result<Option<Append>, PushError> {
        if packet.len() != rung.frame_bytes() {
            return Err(PushError::WrongSize { rung, bytes: packet.len() });
        }
        let slots = rung.slots_per_fragment();
        let number = FragmentNumber(FragmentNumber::at(at).0 / slots * slots);
        let frame = usize::try_from((at.0 - number.start().0) / TICK_SAMPLES as u64).unwrap_or(usize::MAX);
        let track = &mut self.tracks[rung.place()];
        let begun = track.open.as_ref().map_or(track.next, |open| open.number);
        if at < self.first.start() || number < begun && number >= self.first {
            return Err(PushError::TooLate { rung });
        }
        let jumps = track.open.as_ref().is_some_and(|open| open.number < number);
        let mut sealed = if jumps { track.stop(self.epoch, &self.facts) } else { None };
        let open = match &mut track.open {
            Some(open) => open,
            // A rung begins where one of its fragments does; the recording takes what there is, for nothing of it may be lost.
            None if number < self.first || (frame > 0 && rung != Rung::R64) => return Ok(sealed),
            none => none.insert(Open { number, payload: Vec::with_capacity(fragment::payload_bytes(rung)) }),
        };
        let have = open.payload.len() / rung.frame_bytes();
        if frame < have {
            return Err(PushError::TooLate { rung });
        }
        open.payload.extend(silence::frames(rung, frame - have));
        open.payload.extend_from_slice(packet);
        if open.payload.len() == fragment::payload_bytes(rung) {
            // A packet can't both seal the fragment before and fill its own: a fragment has more than one frame.
            sealed = sealed.or(track.seal(self.epoch, &self.facts));
        }
        Ok(sealed)
    }

    /// The rung is not needed any more, or the stage goes: of the recording nothing may be lost, so what is under way is
    /// filled up with silence and sealed; another rung's is dropped, for every view bridges with the recording.
    pub fn stop(&mut self, rung: Rung) -> Option<Append> {
        self.tracks[rung.place()].stop(self.epoch, &self.facts)
    }

    /// Whether the programme is written to memory because the disk is full.
    #[must_use]
    pub fn is_diverted(&self) -> bool {
        self.tracks[0].source == Source::Memory
    }

    /// The disk is full: everything goes to memory from now on. `failed` are the appends that could not be written, oldest
    /// first; they come back addressed anew. The first number among them is the first that the recording lacks.
    pub fn divert(&mut self, failed: Vec<Append>) -> Vec<Append> {
        for track in &mut self.tracks {
            if track.source == Source::Disk {
                track.source = Source::Memory;
                track.lengths = track.memory;
            }
        }
        self.facts.take(LiveFact::RecordingStopped);
        let anew = |append: Append| {
            let track = &mut self.tracks[append.rung.place()];
            let init = if append.media_at == 0 && append.media.len() > init::segment().len() { init::segment().len() } else { 0 };
            track.append(append.says, append.media.get(init..).unwrap_or_default())
        };
        failed.into_iter().map(anew).collect()
    }

    /// Ends the event: what is under way of the recording is filled up with silence, and every rung that was ever written gets its end.
    /// The second value is the number after the last fragment, as the journal keeps it.
    #[must_use]
    pub fn end(mut self) -> (Vec<Append>, FragmentNumber) {
        let mut appends: Vec<Append> = Rung::ALL.into_iter().filter_map(|rung| self.stop(rung)).collect();
        let end = self.sealed_end();
        for track in self.tracks.iter_mut().filter(|track| track.lengths.media > 0) {
            let slots = track.rung.slots_per_fragment();
            let number = FragmentNumber(end.0.div_ceil(slots) * slots).max(track.next);
            let says = Record::End { number, offset: track.lengths.media, epoch: self.epoch };
            appends.push(track.append(says, &[]));
        }
        (appends, end)
    }
}

impl Track {
    fn stop(&mut self, epoch: Epoch, facts: &State) -> Option<Append> {
        if self.rung == Rung::R64 {
            return self.seal(epoch, facts);
        }
        self.open = None;
        None
    }

    /// Seals the open fragment, filled up with silence.
    fn seal(&mut self, epoch: Epoch, facts: &State) -> Option<Append> {
        let Open { number, mut payload } = self.open.take()?;
        let missing = self.rung.frames_per_fragment() - payload.len() / self.rung.frame_bytes();
        payload.extend(silence::frames(self.rung, missing));
        let facts = self.teller.tell(number, facts);
        let bytes = fragment::seal(self.rung, number, facts.as_deref(), &payload);
        self.next = FragmentNumber(number.0 + self.rung.slots_per_fragment());
        let length = u32::try_from(bytes.len()).expect("a fragment is small");
        Some(self.append(Record::Fragment(Entry { number, offset: 0, length, epoch }), &bytes))
    }

    /// Addresses a record and its media at the ends of the files, and moves the ends.
    fn append(&mut self, says: Record, media: &[u8]) -> Append {
        let Lengths { media: media_at, index: record_at } = self.lengths;
        let init = if media_at == 0 && !media.is_empty() { init::segment() } else { &[] };
        let offset = media_at + init.len() as u64;
        let says = match says {
            Record::Fragment(entry) => Record::Fragment(Entry { offset, ..entry }),
            Record::End { number, epoch, .. } => Record::End { number, offset, epoch },
        };
        let media = [init, media].concat();
        self.lengths.media += media.len() as u64;
        self.lengths.index += RECORD_BYTES as u64;
        Append { rung: self.rung, source: self.source, media_at, media, record_at, record: says.to_bytes(), says }
    }
}

#[cfg(test)]
mod tests;
