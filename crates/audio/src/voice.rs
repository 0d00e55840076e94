//! One voice: a jitter buffer, a decoder and a level meter, giving one frame a tick.
use crate::level::{self, Talk};
use crate::opus::{Decoder, Error};
use crate::{Frame, SILENCE, jitter};
use base::fact::LevelDb;
use std::time::Instant;

/// Where a frame's sound came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Packets that arrived in time.
    Packets,
    /// The redundancy in a later packet.
    Recovered,
    /// Nowhere: what was lost is concealed.
    Concealed,
    /// Nothing is expected: silence.
    Silence,
}

/// What a tick found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulled {
    /// How loud the frame is.
    pub level: LevelDb,
    /// Whether somebody is talking with it.
    pub talking: bool,
    /// Where its sound came from.
    pub source: Source,
}

/// One speaker's voice.
#[derive(Debug)]
pub struct Voice {
    decoder: Decoder,
    talk: Talk,
    sound: Vec<f32>,
    filled: usize,
    counts: jitter::Counts,
}

impl Voice {
    /// A voice from which nothing was heard.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { decoder: Decoder::new()?, talk: Talk::default(), sound: vec![0.0; 48_000], filled: 0, counts: jitter::Counts::default() })
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.talk = Talk::default();
    }

    /// Takes an RTP packet's payload.
    pub fn push(&mut self, _arrived: Instant, _sequence: u16, _timestamp: u32, payload: &[u8]) {
        if self.filled + 5_760 <= self.sound.len() {
            self.filled += self.decoder.decode(payload, &mut self.sound[self.filled..]).unwrap_or(0);
        }
    }

    /// What the jitter buffer has counted.
    #[must_use]
    pub fn counts(&self) -> jitter::Counts {
        self.counts
    }

    /// Gives the next 20 ms.
    pub fn pull(&mut self, _now: Instant, frame: &mut Frame) -> Pulled {
        *frame = SILENCE;
        let got = self.filled.min(frame.len());
        frame[..got].copy_from_slice(&self.sound[..got]);
        self.sound.copy_within(got..self.filled, 0);
        self.filled -= got;
        let decibels = level::decibels(frame);
        let source = if got > 0 { Source::Packets } else { Source::Silence };
        Pulled { level: level::level(decibels), talking: self.talk.hear(decibels), source }
    }
}
