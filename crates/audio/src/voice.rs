//! One speaker's voice: packets in at any time, one frame out at every tick, whatever the network does.

use crate::jitter::{Buffer, Counts, Next, Pace};
use crate::level::{self, Talk};
use crate::opus::{Decoder, Error, PACKET_SAMPLES_MAX, packet_samples};
use crate::{Frame, SILENCE};
use base::fact::LevelDb;
use base::time::TICK_SAMPLES;
use std::time::Instant;

/// Decoded samples waiting to be played at most: less than two ticks, and one more packet.
const PENDING_SAMPLES_MAX: usize = 2 * TICK_SAMPLES + PACKET_SAMPLES_MAX;

/// Ticks between two changes of pace: in a pause they may come close, within a word they are spread out.
const PACE_TICKS_MIN: u32 = 2;
const RUSH_TICKS_MIN: u32 = 8;

/// Samples over which a voice comes out of silence: 8 ms.
const FADE_IN_SAMPLES: usize = 384;

/// Where a frame's sound came from; where it came from several, the worst of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Packets that arrived in time.
    Packets,
    /// Lost, and taken from the redundancy in a later packet.
    Recovered,
    /// Lost, and concealed.
    Concealed,
    /// Nothing is expected: silence.
    Silence,
}

/// What a tick found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulled {
    /// How loud the frame is.
    pub level: LevelDb,
    /// Whether somebody is talking, pauses between words included.
    pub talking: bool,
    /// Where the sound came from.
    pub source: Source,
}

/// A jitter buffer, a decoder and an ear for talking.
#[derive(Debug)]
pub struct Voice {
    buffer: Buffer,
    decoder: Decoder,
    talk: Talk,
    /// Sound that is decoded but not yet played, from the front.
    sound: Box<[f32]>,
    pending: usize,
    /// Where the newest of it came from.
    pending_source: Source,
    /// The last frame's loudness and source.
    decibels: f32,
    source: Source,
    ticks_since_pace: u32,
}

impl Voice {
    /// A voice that has said nothing; nothing is allocated afterwards.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            buffer: Buffer::new(),
            decoder: Decoder::new()?,
            talk: Talk::default(),
            sound: vec![0.0; PENDING_SAMPLES_MAX].into_boxed_slice(),
            pending: 0,
            pending_source: Source::Packets,
            decibels: level::SILENCE_DB,
            source: Source::Silence,
            ticks_since_pace: 0,
        })
    }

    /// Forgets everything, for another speaker.
    pub fn reset(&mut self) {
        self.buffer.reset();
        self.forget_sound();
        self.talk = Talk::default();
    }

    /// Takes an RTP packet's payload that arrived at `arrived`. What can't be used is counted and dropped.
    pub fn push(&mut self, arrived: Instant, sequence: u16, timestamp: u32, payload: &[u8]) {
        let restarts = self.buffer.counts().restarts;
        self.buffer.push(arrived, sequence, timestamp, payload);
        if self.buffer.counts().restarts != restarts {
            self.forget_sound();
        }
    }

    /// What the jitter buffer has counted since the last [`Voice::reset`].
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    /// The delay that the jitter buffer aims at, in milliseconds.
    #[must_use]
    pub fn target_millis(&self) -> u64 {
        self.buffer.target_millis()
    }

    /// Fills `frame` with the next 20 ms. `now` is when the tick is due and advances by 20 ms a tick.
    pub fn pull(&mut self, now: Instant, frame: &mut Frame) -> Pulled {
        let carried = if self.pending > 0 { self.pending_source } else { Source::Packets };
        let before = std::mem::replace(&mut self.source, carried);
        self.ticks_since_pace = self.ticks_since_pace.saturating_add(1);
        let is_paced = match self.buffer.pace(now, self.pending) {
            Pace::Steady => false,
            Pace::Hold => self.hold(),
            Pace::Hurry => self.hurry(now, frame, false),
            Pace::Rush => self.hurry(now, frame, self.ticks_since_pace >= RUSH_TICKS_MIN),
            Pace::Skip => self.skip(now, frame),
        };
        if is_paced {
            self.ticks_since_pace = 0;
        } else {
            self.play(now, frame, before);
        }
        self.decibels = level::decibels(frame);
        Pulled { level: level::level(self.decibels), talking: self.talk.hear(self.decibels), source: self.source }
    }

    /// The ordinary tick. Out of silence the sound fades in, and fades out into it.
    fn play(&mut self, now: Instant, frame: &mut Frame, before: Source) {
        self.decode(now, TICK_SAMPLES);
        if self.source != Source::Silence {
            self.take(frame);
            if before == Source::Silence {
                fade_in(frame);
            }
        } else if before != Source::Silence || self.pending > 0 {
            self.source = Source::Concealed;
            self.conceal(TICK_SAMPLES);
            self.take(frame);
            self.pending = 0;
            let sound = *frame;
            cross_fade(frame, &sound, &SILENCE);
            self.source = Source::Silence;
        } else {
            *frame = SILENCE;
        }
    }

    /// In a pause, adds a concealed tick to what is to be played; the tick is then played as usual.
    fn hold(&mut self) -> bool {
        if self.may_pace() && self.pending < TICK_SAMPLES {
            self.conceal(TICK_SAMPLES);
            self.ticks_since_pace = 0;
        }
        false
    }

    /// Plays two ticks as one, when both are there and nobody would notice, or `whatever` they hold.
    fn hurry(&mut self, now: Instant, frame: &mut Frame, whatever: bool) -> bool {
        if !whatever && !self.may_pace() {
            return false;
        }
        while self.pending < 2 * TICK_SAMPLES && self.buffer.is_ready() {
            self.decode(now, self.pending + 1);
        }
        if self.pending < 2 * TICK_SAMPLES {
            return false;
        }
        let mut ticks = [SILENCE; 2];
        ticks.as_flattened_mut().copy_from_slice(&self.sound[..2 * TICK_SAMPLES]);
        if !whatever && !ticks.iter().all(|tick| self.talk.is_pause(level::decibels(tick))) {
            return false;
        }
        self.drop_front(2 * TICK_SAMPLES);
        cross_fade(frame, &ticks[0], &ticks[1]);
        true
    }

    /// Goes over from what would have come to where the buffer skips.
    fn skip(&mut self, now: Instant, frame: &mut Frame) -> bool {
        if self.pending < TICK_SAMPLES {
            self.conceal(TICK_SAMPLES);
        }
        let mut from = SILENCE;
        self.take(&mut from);
        self.pending = 0;
        self.buffer.skip(now);
        self.decode(now, TICK_SAMPLES);
        let mut to = SILENCE;
        self.take(&mut to);
        cross_fade(frame, &from, &to);
        true
    }

    fn may_pace(&self) -> bool {
        self.ticks_since_pace >= PACE_TICKS_MIN && self.talk.is_pause(self.decibels)
    }

    /// Decodes until `wanted` samples are pending, or nothing is expected.
    fn decode(&mut self, now: Instant, wanted: usize) {
        while self.pending < wanted {
            let room = &mut self.sound[self.pending..];
            let (decoded, samples, source) = match self.buffer.pop(now) {
                Next::Packet(packet) => {
                    let samples = packet_samples(packet).unwrap_or(TICK_SAMPLES);
                    (self.decoder.decode(packet, room), samples, Source::Packets)
                }
                Next::Recover(packet, samples) => {
                    (self.decoder.recover(packet, &mut room[..samples]).map(|()| samples), samples, Source::Recovered)
                }
                Next::Conceal(samples) => (Err(Error::BadPacket), samples, Source::Concealed),
                Next::Silence => {
                    self.source = Source::Silence;
                    return;
                }
            };
            match decoded {
                Ok(samples) => {
                    self.pending += samples;
                    self.pending_source = source;
                    self.source = self.source.max(source);
                }
                // What does not decode is as good as lost.
                Err(_) => self.conceal(samples),
            }
        }
    }

    fn conceal(&mut self, samples: usize) {
        let room = &mut self.sound[self.pending..][..samples];
        if self.decoder.conceal(room).is_err() {
            room.fill(0.0);
        }
        self.pending += samples;
        self.pending_source = Source::Concealed;
        self.source = self.source.max(Source::Concealed);
    }

    /// Moves the next tick out; what is missing is silence.
    fn take(&mut self, frame: &mut Frame) {
        let taken = self.pending.min(TICK_SAMPLES);
        frame[..taken].copy_from_slice(&self.sound[..taken]);
        frame[taken..].fill(0.0);
        self.drop_front(taken);
    }

    fn drop_front(&mut self, samples: usize) {
        self.sound.copy_within(samples..self.pending, 0);
        self.pending -= samples;
    }

    fn forget_sound(&mut self) {
        // A decoder that can't forget goes on from another voice's last sound: inaudible beside a missing voice.
        let _ = self.decoder.reset();
        self.pending = 0;
        self.decibels = level::SILENCE_DB;
        self.source = Source::Silence;
        self.ticks_since_pace = 0;
    }
}

fn fade_in(frame: &mut Frame) {
    for (index, sample) in frame.iter_mut().take(FADE_IN_SAMPLES).enumerate() {
        *sample *= index as f32 / FADE_IN_SAMPLES as f32;
    }
}

/// Goes over from one frame to another within a tick.
fn cross_fade(frame: &mut Frame, from: &Frame, to: &Frame) {
    for (index, (sample, (from, to))) in frame.iter_mut().zip(from.iter().zip(to)).enumerate() {
        let share = index as f32 / TICK_SAMPLES as f32;
        *sample = from * (1.0 - share) + to * share;
    }
}

#[cfg(test)]
mod tests;
