//! The jitter buffer: packets in as the network gives them, one voice's sound in order out, never late for a tick.
//!
//! It holds a voice back just enough that nearly all packets are there when they are due ([`delay`]), takes loss for loss
//! and a pause for a pause, and says when the voice should be hurried or held, so that the delay stays small and bounded
//! whatever the sender's clock does. It orders and decides; it does not decode.
//!
//! Time is counted in samples: RTP's timestamps are samples at 48 kHz (RFC 7587), and arrivals are turned into them.

use crate::opus;
use base::limit::{DATAGRAM_BYTES_MAX, JITTER_MILLIS_MAX};
use base::time::TICK_SAMPLES;
use delay::Delay;
use std::time::Instant;

mod delay;

/// Samples in a millisecond.
const MILLI: i64 = 48;

/// Samples in a tick.
const TICK: i64 = TICK_SAMPLES as i64;

/// The shortest thing that can be concealed.
const GRAIN: i64 = opus::GRAIN_SAMPLES as i64;

/// No packet is played later than this after the earliest moment it could have come.
const DELAY_MAX: i64 = JITTER_MILLIS_MAX.cast_signed() * MILLI;

/// Concealed this long, a voice is gone: silence from then on.
const CONCEALED_MAX: i64 = 200 * MILLI;

/// How far a voice may be from its target before its pace is changed.
const BEHIND_TOLERATED: i64 = 30 * MILLI;
const BEHIND_MAX: i64 = 100 * MILLI;
const AHEAD_TOLERATED: i64 = 20 * MILLI;

/// Packets held at once: 400 ms in packets of 10 ms, and as much again.
const SLOTS: usize = 80;

/// One RTP packet's payload with what the buffer must know about it; of fixed size, so that it crosses a ring without allocating.
#[derive(Debug, Clone)]
pub struct Packet {
    /// When it arrived.
    pub arrived: Instant,
    /// RTP's sequence number.
    pub sequence: u16,
    /// RTP's timestamp, in samples.
    pub timestamp: u32,
    bytes: u16,
    payload: [u8; DATAGRAM_BYTES_MAX],
}

impl Packet {
    /// Copies a payload; `None` when it is empty, as browsers' padding is, or longer than a datagram.
    #[must_use]
    pub fn new(arrived: Instant, sequence: u16, timestamp: u32, payload: &[u8]) -> Option<Self> {
        let mut packet = Self { arrived, sequence, timestamp, bytes: u16::try_from(payload.len()).ok()?, payload: [0; DATAGRAM_BYTES_MAX] };
        packet.payload.get_mut(..payload.len()).filter(|room| !room.is_empty())?.copy_from_slice(payload);
        Some(packet)
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload[..usize::from(self.bytes)]
    }
}

/// What a buffer has counted, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets taken.
    pub taken: u64,
    /// Payloads that are empty, too long or no Opus.
    pub malformed: u64,
    /// Packets that were there already.
    pub duplicate: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets left out to catch up.
    pub skipped: u64,
    /// Times that the sender's timeline began anew.
    pub restarts: u64,
    /// Times that lost sound was recovered from the packet after it.
    pub recovered: u64,
    /// Times that sound was concealed, most often for 20 ms.
    pub concealed: u64,
}

/// What to decode next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// This packet.
    Packet(&'a [u8]),
    /// So many samples that were lost, from the redundancy in this packet; the packet itself comes later.
    Recover(&'a [u8], usize),
    /// So many samples out of nothing.
    Conceal(usize),
    /// Nothing is expected.
    Silence,
}

/// How the voice keeps up with its target delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Too little delayed: insert a tick where nobody notices.
    Hold,
    /// As it should be.
    Steady,
    /// Too much delayed: leave out a tick where nobody notices.
    Hurry,
    /// Far too much delayed: leave out a tick now and then, whatever it holds.
    Rush,
    /// Beyond the limit: [`Buffer::skip`].
    Skip,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Extended timestamp of the first sample.
    begins: i64,
    /// Extended sequence number.
    sequence: i64,
    samples: i64,
    bytes: usize,
}

/// One voice's packets, ordered.
#[derive(Debug)]
pub struct Buffer {
    slots: [Option<Slot>; SLOTS],
    /// [`DATAGRAM_BYTES_MAX`] for each slot.
    payloads: Box<[u8]>,
    line: Option<Line>,
    /// When something arrived that does not belong to the line: its timestamp and arrival, until the next tells whether a new line began.
    stranger: Option<(u32, i64)>,
    counts: Counts,
    /// When the first packet arrived, from which times are counted.
    origin: Option<Instant>,
}

/// One unbroken timeline of a sender.
#[derive(Debug)]
struct Line {
    delay: Delay,
    /// The newest timestamp and sequence number, as they came and extended.
    timestamp: (u32, i64),
    sequence: (u16, i64),
    /// Where decoding stands; `None` while nothing is played.
    cursor: Option<i64>,
    /// The last packet played.
    played: i64,
    /// Samples concealed while there was nothing at all to play: a loss or a late packet, the next one tells.
    stalled: i64,
    /// Whether the sound just before the cursor is concealed.
    is_concealed: bool,
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Buffer {
    /// An empty buffer; nothing is allocated afterwards.
    #[must_use]
    pub fn new() -> Self {
        let payloads = vec![0; SLOTS * DATAGRAM_BYTES_MAX].into_boxed_slice();
        Self { slots: [None; SLOTS], payloads, line: None, stranger: None, counts: Counts::default(), origin: None }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.forget();
        self.counts = Counts::default();
    }

    /// What was counted since the last [`Buffer::reset`].
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The delay aimed at, in milliseconds.
    #[must_use]
    pub fn target_millis(&self) -> u64 {
        self.line.as_ref().map_or(0, |line| (line.delay.target() / MILLI).unsigned_abs())
    }

    /// Takes a payload that arrived at `arrived`. What can't be used is counted and dropped.
    pub fn push(&mut self, arrived: Instant, sequence: u16, timestamp: u32, payload: &[u8]) {
        let samples = match opus::packet_samples(payload) {
            Ok(samples) if payload.len() <= DATAGRAM_BYTES_MAX => samples as i64,
            Ok(_) | Err(_) => {
                self.counts.malformed += 1;
                return;
            }
        };
        self.origin.get_or_insert(arrived);
        let at = self.samples_at(arrived);
        let Some((begins, sequence)) = self.place(at, sequence, timestamp) else { return };
        if self.cursor().is_some_and(|cursor| begins < cursor) {
            self.counts.late += 1;
            return;
        }
        if self.slots.iter().flatten().any(|slot| slot.begins == begins) {
            self.counts.duplicate += 1;
            return;
        }
        let index = match self.slots.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                self.counts.skipped += 1;
                self.first().map_or(0, |(index, _)| index)
            }
        };
        self.slots[index] = Some(Slot { begins, sequence, samples, bytes: payload.len() });
        self.payloads[index * DATAGRAM_BYTES_MAX..][..payload.len()].copy_from_slice(payload);
        self.counts.taken += 1;
    }

    /// How the voice stands at `now`, of which `pending` samples are decoded but not yet played.
    #[must_use]
    pub fn pace(&self, now: Instant, pending: usize) -> Pace {
        let Some((line, cursor)) = self.playing() else { return Pace::Steady };
        let delayed = self.samples_at(now) - line.delay.earliest() - (cursor - pending as i64);
        let behind = delayed - line.delay.target();
        if delayed > DELAY_MAX && self.slots.iter().flatten().any(|slot| slot.begins > cursor) {
            Pace::Skip
        } else if behind >= BEHIND_MAX {
            Pace::Rush
        } else if behind >= BEHIND_TOLERATED {
            Pace::Hurry
        } else if behind <= -AHEAD_TOLERATED {
            Pace::Hold
        } else {
            Pace::Steady
        }
    }

    /// The timestamp, extended, that is decoded next; `None` while nothing is played.
    #[must_use]
    pub fn cursor(&self) -> Option<i64> {
        self.playing().map(|(_, cursor)| cursor)
    }

    /// Whether [`Buffer::pop`] would give a packet.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.first().zip(self.cursor()).is_some_and(|((_, slot), cursor)| slot.begins - cursor < GRAIN)
    }

    /// What to decode next at `now`. To be asked as often as a tick needs samples.
    pub fn pop(&mut self, now: Instant) -> Next<'_> {
        let now = self.samples_at(now);
        let first = self.first();
        let Some(line) = &mut self.line else { return Next::Silence };
        let due = now - line.delay.earliest() - line.delay.target();
        let Some((index, slot)) = first else { return self.stall() };
        let mut cursor = match line.cursor {
            Some(cursor) => cursor,
            None if slot.begins <= due => slot.begins,
            None => return Next::Silence,
        };
        // What was concealed for want of any packet turns out to have been lost, not late.
        cursor += line.stalled.min(slot.begins - cursor);
        line.is_concealed |= line.stalled > 0;
        line.stalled = 0;
        let lost = slot.begins - cursor;
        let is_left_out = line.is_concealed && due - cursor >= TICK;
        if lost < GRAIN || is_left_out {
            line.cursor = Some(slot.begins + slot.samples);
            line.played = slot.sequence;
            line.is_concealed = false;
            self.slots[index] = None;
            return Next::Packet(&self.payloads[index * DATAGRAM_BYTES_MAX..][..slot.bytes]);
        }
        // Between neighbouring sequence numbers nothing was lost: the sender paused.
        let recoverable = if slot.sequence > line.played + 1 { slot.samples } else { 0 };
        if lost <= recoverable {
            line.cursor = Some(slot.begins);
            line.is_concealed = false;
            self.counts.recovered += 1;
            return Next::Recover(&self.payloads[index * DATAGRAM_BYTES_MAX..][..slot.bytes], whole_grains(lost));
        }
        let concealed = whole_grains((lost - recoverable).min(TICK));
        line.cursor = Some(cursor + concealed as i64);
        line.is_concealed = true;
        self.counts.concealed += 1;
        Next::Conceal(concealed)
    }

    /// Leaves out the oldest packets up to the target delay, never the newest one.
    pub fn skip(&mut self, now: Instant) {
        let now = self.samples_at(now);
        let newest = self.slots.iter().flatten().map(|slot| slot.begins).max();
        let (Some(line), Some(newest)) = (&mut self.line, newest) else { return };
        let until = (now - line.delay.earliest() - line.delay.target()).min(newest);
        for slot in self.slots.iter_mut().filter(|slot| slot.is_some_and(|slot| slot.begins < until)) {
            *slot = None;
            self.counts.skipped += 1;
        }
        line.cursor = self.slots.iter().flatten().map(|slot| slot.begins).min();
        line.stalled = 0;
    }

    /// Nothing is there to play: a moment of concealment that leaves the cursor where it is, then silence.
    fn stall(&mut self) -> Next<'_> {
        let Some(line) = self.line.as_mut().filter(|line| line.cursor.is_some()) else { return Next::Silence };
        if line.stalled >= CONCEALED_MAX {
            (line.cursor, line.stalled, line.is_concealed) = (None, 0, false);
            return Next::Silence;
        }
        line.stalled += TICK;
        self.counts.concealed += 1;
        Next::Conceal(TICK_SAMPLES)
    }

    /// Extends a packet's timestamp and sequence number, and learns from its delay. `None` when it belongs to no known line.
    fn place(&mut self, at: i64, sequence: u16, timestamp: u32) -> Option<(i64, i64)> {
        if let Some(line) = &mut self.line {
            let begins = line.timestamp.1 + i64::from(timestamp.wrapping_sub(line.timestamp.0).cast_signed());
            let extended = line.sequence.1 + i64::from(sequence.wrapping_sub(line.sequence.0).cast_signed());
            let transit = at - begins;
            if (transit - line.delay.earliest()).abs() <= DELAY_MAX {
                self.stranger = None;
                line.delay.hear(at, transit);
                if begins > line.timestamp.1 {
                    line.timestamp = (timestamp, begins);
                }
                if extended > line.sequence.1 {
                    line.sequence = (sequence, extended);
                }
                return Some((begins, extended));
            }
            // One packet far off is an accident; two that agree with each other are a sender that began anew.
            let previous = self.stranger.replace((timestamp, at));
            let agrees = |(before, then): (u32, i64)| {
                let transit_moved = at - then - i64::from(timestamp.wrapping_sub(before).cast_signed());
                transit_moved.abs() <= DELAY_MAX
            };
            if !previous.is_some_and(agrees) {
                self.counts.late += 1;
                return None;
            }
            self.forget();
            self.counts.restarts += 1;
        }
        let begins = i64::from(timestamp);
        let extended = i64::from(sequence);
        self.line = Some(Line {
            delay: Delay::new(at, at - begins),
            timestamp: (timestamp, begins),
            sequence: (sequence, extended),
            cursor: None,
            played: extended - 1,
            stalled: 0,
            is_concealed: false,
        });
        Some((begins, extended))
    }

    fn forget(&mut self) {
        self.slots = [None; SLOTS];
        self.line = None;
        self.stranger = None;
    }

    fn playing(&self) -> Option<(&Line, i64)> {
        self.line.as_ref().and_then(|line| line.cursor.map(|cursor| (line, cursor)))
    }

    fn first(&self) -> Option<(usize, Slot)> {
        let held = self.slots.iter().enumerate().filter_map(|(index, slot)| slot.map(|slot| (index, slot)));
        held.min_by_key(|(_, slot)| slot.begins)
    }

    /// An instant in samples since the first packet.
    fn samples_at(&self, instant: Instant) -> i64 {
        let origin = self.origin.unwrap_or(instant);
        let micros = match instant.checked_duration_since(origin) {
            Some(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX / MILLI),
            None => -i64::try_from(origin.duration_since(instant).as_micros()).unwrap_or(i64::MAX / MILLI),
        };
        micros.saturating_mul(MILLI) / 1_000
    }
}

/// As many whole grains as fit, one at least.
fn whole_grains(samples: i64) -> usize {
    usize::try_from((samples / GRAIN).max(1) * GRAIN).unwrap_or(TICK_SAMPLES)
}

#[cfg(test)]
mod tests;
