//! The boxes of a stream, followed as the bytes come: only headers and the few words that tell a fragment's number are looked at.
//!
//! A few words of state per listener, no allocation; sound and live facts are passed over without being read, but for a relay's cadence.

use base::time::FRAGMENT_SAMPLES;
use programme::fragment::EMSG_BYTES;

/// Bytes that are collected at once: a box's header, then the words of the longest box that is read (`tfdt` with 64 bits, an
/// announced cadence).
const HOLD_BYTES: usize = 12;

/// Bytes of an `emsg` of ours between its header and what it says.
const EMSG_BEFORE_BYTES: u32 = 46;

/// The longest live fact that is looked at.
const SAID_BYTES_MAX: u32 = 12;

const _: () = assert!((EMSG_BEFORE_BYTES + HEADER_BYTES) as usize == EMSG_BYTES && SAID_BYTES_MAX as usize == HOLD_BYTES);

/// Most bytes of one box: far more than any of ours (ISO/IEC 14496-12 allows more).
const BOX_BYTES_MAX: u32 = 1 << 20;

const HEADER_BYTES: u32 = 8;

/// A whole fragment has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The slot at which it begins.
    pub(crate) number: u64,
    /// How many slots it covers.
    pub(crate) slots: u64,
}

/// The bytes are no stream of a town square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no stream of a town square")]
pub(crate) struct Foreign;

/// What the collected bytes will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// A box's header.
    Header,
    /// `mfhd`: version and flags, the sequence number.
    Sequence,
    /// `tfdt` version 1: version and flags, the decode time.
    Time,
    /// `trun`: version and flags, how many frames.
    Frames,
    /// A short live fact: it may be a cadence.
    Said,
}

/// Where in a stream's boxes a listener is.
#[derive(Debug, Clone)]
pub(crate) struct Boxes {
    /// Bytes of the current box that are passed over before anything is collected again.
    skip: u32,
    hold: [u8; HOLD_BYTES],
    held: u8,
    wants: Wants,
    /// Bytes of the box whose words are collected that follow them.
    rest: u32,
    /// The cadence that was announced and not taken yet, in milliseconds; 0 is none.
    cadence_ms: u16,
    /// Whether what is passed over is sound: a fragment ends with it.
    is_sound: bool,
    has_time: bool,
    sequence: u32,
    samples: u64,
    frames: u32,
}

impl Boxes {
    pub(crate) const fn new() -> Self {
        Self {
            skip: 0,
            hold: [0; HOLD_BYTES],
            held: 0,
            wants: Wants::Header,
            rest: 0,
            cadence_ms: 0,
            is_sound: false,
            has_time: false,
            sequence: 0,
            samples: 0,
            frames: 0,
        }
    }

    /// Takes bytes from the front of `bytes` up to the end of the next fragment; `None` when they end before.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Passed>, Foreign> {
        loop {
            let pass = (self.skip as usize).min(bytes.len());
            *bytes = &bytes[pass..];
            self.skip -= u32::try_from(pass).unwrap_or(self.skip);
            if self.skip > 0 {
                return Ok(None);
            }
            if std::mem::take(&mut self.is_sound) {
                return self.passed().map(Some);
            }
            if !self.collect(bytes) {
                return Ok(None);
            }
            self.read()?;
        }
    }

    /// The cadence that was announced since the last call, in milliseconds.
    pub(crate) fn take_cadence(&mut self) -> Option<u16> {
        Some(std::mem::take(&mut self.cadence_ms)).filter(|millis| *millis > 0)
    }

    /// Collects what is wanted; false when the bytes end before.
    fn collect(&mut self, bytes: &mut &[u8]) -> bool {
        let wanted = match self.wants {
            Wants::Header | Wants::Sequence | Wants::Frames => 8,
            Wants::Time => 12,
            Wants::Said => self.rest as usize,
        };
        let held = usize::from(self.held);
        let take = (wanted - held).min(bytes.len());
        self.hold[held..held + take].copy_from_slice(&bytes[..take]);
        *bytes = &bytes[take..];
        #[expect(clippy::cast_possible_truncation, reason = "at most HOLD_BYTES")]
        {
            self.held = (held + take) as u8;
        }
        let whole = held + take == wanted;
        if whole {
            self.held = 0;
        }
        whole
    }

    fn read(&mut self) -> Result<(), Foreign> {
        let [a, b, c, d, e, f, g, h, tail @ ..] = self.hold;
        let (first, second) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        match self.wants {
            Wants::Header => return self.header(first, [e, f, g, h]),
            Wants::Sequence => self.sequence = second,
            Wants::Time => {
                if a != 1 {
                    return Err(Foreign);
                }
                self.samples = u64::from(second) << 32 | u64::from(u32::from_be_bytes(tail));
                self.has_time = true;
            }
            Wants::Frames => self.frames = second,
            Wants::Said => {
                self.cadence_ms = cadence(&self.hold[..self.rest as usize]).unwrap_or(self.cadence_ms);
                self.rest = 0;
            }
        }
        self.wants = Wants::Header;
        self.skip = self.rest;
        Ok(())
    }

    fn header(&mut self, length: u32, kind: [u8; 4]) -> Result<(), Foreign> {
        if !(HEADER_BYTES..=BOX_BYTES_MAX).contains(&length) || !kind.iter().all(u8::is_ascii_graphic) {
            return Err(Foreign);
        }
        let body = length - HEADER_BYTES;
        let wants = |wants, words: u32| body.checked_sub(words).map(|rest| (wants, rest)).ok_or(Foreign);
        match &kind {
            // What is inside follows.
            b"moof" => (self.has_time, self.frames) = (false, 0),
            b"traf" => {}
            b"mfhd" => (self.wants, self.rest) = wants(Wants::Sequence, 8)?,
            b"tfdt" => (self.wants, self.rest) = wants(Wants::Time, 12)?,
            b"trun" => (self.wants, self.rest) = wants(Wants::Frames, 8)?,
            b"mdat" => (self.skip, self.is_sound) = (body, true),
            b"emsg" if (1..=SAID_BYTES_MAX).contains(&body.saturating_sub(EMSG_BEFORE_BYTES)) => {
                (self.skip, self.wants, self.rest) = (EMSG_BEFORE_BYTES, Wants::Said, body - EMSG_BEFORE_BYTES);
            }
            _ => self.skip = body,
        }
        Ok(())
    }

    /// The fragment whose sound has just passed; its sequence number and its time must say the same.
    #[expect(clippy::cast_possible_truncation, reason = "sequence numbers may wrap: 2^32 fragments are 27 years")]
    fn passed(&mut self) -> Result<Passed, Foreign> {
        let number = self.samples / FRAGMENT_SAMPLES;
        let slots = u64::from(self.frames) * base::time::TICK_SAMPLES as u64 / FRAGMENT_SAMPLES;
        let is_whole = std::mem::take(&mut self.has_time) && self.samples.is_multiple_of(FRAGMENT_SAMPLES) && slots > 0;
        if is_whole && self.sequence == (number as u32).wrapping_add(1) { Ok(Passed { number, slots }) } else { Err(Foreign) }
    }
}

/// The cadence that a live fact announces, in milliseconds (docs/formats.md, key `c`).
fn cadence(fact: &[u8]) -> Option<u16> {
    std::str::from_utf8(fact).ok()?.strip_prefix("{\"c\":")?.strip_suffix('}')?.parse().ok()
}

#[cfg(test)]
mod tests;
