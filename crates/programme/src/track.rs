//! One speaker's voice as a file of its own, in the programme's container and on the event's timeline: what is at a time here was said at
//! that time in the replay. While nobody speaks into it the file is silent, in long fragments that hardly need room.

use crate::fragment::{self, MDAT_HEADER_BYTES, MOOF_BYTES};
use crate::{init, silence};
use base::time::TICK_SAMPLES;
use base::{FragmentNumber, MediaTime, Rung};
use std::ops::Range;

/// Silence is written in pieces of 10 s.
const PAUSE_FRAGMENTS_MAX: u64 = 50;

/// Bytes of a fragment in which somebody speaks; no pause has as many.
const SEALED_BYTES: u64 = (MOOF_BYTES + MDAT_HEADER_BYTES + fragment::payload_bytes(Rung::R64)) as u64;

/// The writer of one such file. What it gives is to be appended.
#[derive(Debug)]
pub struct Track {
    /// The first number that is not written.
    next: FragmentNumber,
    open: Option<(FragmentNumber, Vec<u8>)>,
}

impl Track {
    /// Goes on at `next`: [`FragmentNumber`] 0 in a new file, which begins with [`init::segment`], else what [`resume`] found.
    #[must_use]
    pub const fn new(next: FragmentNumber) -> Self {
        Self { next, open: None }
    }

    /// Takes the 64 kbit/s packet of the 20 ms from `at` on. One of another size, or for a time that is written, is left out.
    pub fn push(&mut self, at: MediaTime, packet: &[u8]) -> Vec<u8> {
        let number = FragmentNumber::at(at);
        let mut bytes = if self.open.as_ref().is_some_and(|(open, _)| *open < number) { self.stop() } else { Vec::new() };
        let frame = usize::try_from((at.0 - number.start().0) / TICK_SAMPLES as u64).unwrap_or(usize::MAX);
        let (open, payload) = self.open.get_or_insert_with(|| (number, Vec::with_capacity(fragment::payload_bytes(Rung::R64))));
        let have = payload.len() / Rung::R64.frame_bytes();
        if number < self.next || number < *open || frame < have || packet.len() != Rung::R64.frame_bytes() {
            return bytes;
        }
        payload.extend(silence::frames(Rung::R64, frame - have));
        payload.extend_from_slice(packet);
        if payload.len() == fragment::payload_bytes(Rung::R64) {
            bytes.extend(self.stop());
        }
        bytes
    }

    /// Nothing more comes for a while: seals what is under way.
    pub fn stop(&mut self) -> Vec<u8> {
        let Some((number, mut payload)) = self.open.take().filter(|(number, payload)| *number >= self.next && !payload.is_empty()) else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        while self.next < number {
            let count = (number.0 - self.next.0).min(PAUSE_FRAGMENTS_MAX);
            bytes.extend(fragment::pause(self.next, count));
            self.next = FragmentNumber(self.next.0 + count);
        }
        let missing = Rung::R64.frames_per_fragment() - payload.len() / Rung::R64.frame_bytes();
        payload.extend(silence::frames(Rung::R64, missing));
        bytes.extend(fragment::seal(Rung::R64, number, None, &payload));
        self.next = FragmentNumber(number.0 + 1);
        bytes
    }
}

/// Finds where a file of `length` bytes goes on: the number, and up to where it is whole. `read` fills a buffer from a place on.
///
/// # Errors
/// Those of `read`.
pub fn resume<E>(length: u64, mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>) -> Result<(FragmentNumber, u64), E> {
    let (mut next, mut at) = (FragmentNumber(0), init::segment().len() as u64);
    let mut head = [0; MOOF_BYTES + MDAT_HEADER_BYTES];
    while at + head.len() as u64 <= length {
        read(at, &mut head)?;
        match fragment::head(&head) {
            Ok((after, bytes)) if at + bytes as u64 <= length => (next, at) = (after, at + bytes as u64),
            Ok(_) | Err(_) => break,
        }
    }
    Ok((next, at))
}

/// Where the sound of a file of `length` bytes begins and where it ends; nothing when it has none. `read` as in [`resume`].
///
/// # Errors
/// Those of `read`.
pub fn sounds<E>(length: u64, mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>) -> Result<Option<Range<FragmentNumber>>, E> {
    let begin = init::segment().len() as u64;
    let mut head = [0; MOOF_BYTES + MDAT_HEADER_BYTES];
    let mut at = begin;
    let mut first = FragmentNumber(0);
    while at + SEALED_BYTES <= length {
        read(at, &mut head)?;
        match fragment::head(&head) {
            Ok((after, bytes)) if bytes as u64 != SEALED_BYTES => (first, at) = (after, at + bytes as u64),
            Ok((after, _)) => {
                // It ends with a word. Where it doesn't the end is torn, and is looked for from the begin on.
                read(length - SEALED_BYTES, &mut head)?;
                let last = match fragment::head(&head) {
                    Ok((last, bytes)) if bytes as u64 == SEALED_BYTES && last >= after => last,
                    Ok(_) | Err(_) => resume(length, read)?.0,
                };
                return Ok(Some(first..last));
            }
            Err(_) => break,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
