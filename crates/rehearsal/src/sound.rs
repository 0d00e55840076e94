//! The few who really hear: what came is decoded, and its loudness looked at.

use audio::level;
use audio::opus::{Decoder, PACKET_SAMPLES_MAX};
use base::time::TICK_SAMPLES;
use programme::fragment::{self, NoFragment};

/// Louder than this is somebody, or something, to hear.
const LOUD_DB: f32 = -60.0;

/// A decoded sample beyond this is no sound: a decoder overshoots full scale a little.
const PEAK_MAX: f32 = 4.0;

/// Bytes that may wait for the rest of their fragment.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// What one who decodes has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// Fragments decoded.
    pub(crate) fragments: u64,
    /// Those that are no sound: damaged, or not the programme's form.
    pub(crate) bad: u64,
    /// Those in which something is to be heard.
    pub(crate) loud: u64,
}

/// One who decodes.
pub(crate) struct Sound {
    decoder: Decoder,
    waiting: Vec<u8>,
    has_head: bool,
}

impl Sound {
    /// `has_head`: whether an init segment comes first.
    pub(crate) fn new(has_head: bool) -> Result<Self, audio::opus::Error> {
        Ok(Self { decoder: Decoder::new()?, waiting: Vec::new(), has_head })
    }

    /// A new connection begins.
    pub(crate) fn connected(&mut self, has_head: bool) {
        self.waiting.clear();
        self.has_head = has_head;
    }

    /// Takes bytes as they come.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Found {
        self.waiting.extend_from_slice(bytes);
        let mut found = Found::default();
        let mut at = 0;
        if self.has_head {
            match fragment::init_length(&self.waiting) {
                Ok(length) => (at, self.has_head) = (length, false),
                Err(error) => self.give_up_unless_short(error, &mut found),
            }
        }
        while !self.has_head && at < self.waiting.len() {
            match fragment::find(&self.waiting[at..]) {
                Ok(one) => {
                    let whole = &self.waiting[at..at + one.length()];
                    let heard = one.sounds(whole).then(|| loudest(&mut self.decoder, &whole[one.payload.clone()], one.frame_bytes));
                    found.fragments += 1;
                    match heard.flatten() {
                        Some(decibels) => found.loud += u64::from(decibels > LOUD_DB),
                        None => found.bad += 1,
                    }
                    at += one.length();
                }
                Err(error) => {
                    self.waiting.drain(..at);
                    self.give_up_unless_short(error, &mut found);
                    return found;
                }
            }
        }
        self.waiting.drain(..at);
        found
    }

    fn give_up_unless_short(&mut self, error: NoFragment, found: &mut Found) {
        if error == NoFragment::Foreign || self.waiting.len() > WAITING_BYTES_MAX {
            found.bad += 1;
            self.waiting.clear();
        }
    }
}

/// The loudest of some frames in dB; `None` when they are no sound.
fn loudest(decoder: &mut Decoder, frames: &[u8], frame_bytes: usize) -> Option<f32> {
    let mut loudest = level::SILENCE_DB;
    let mut sound = [0.0; PACKET_SAMPLES_MAX];
    for frame in frames.chunks(frame_bytes) {
        let samples = decoder.decode(frame, &mut sound).ok()?;
        let tick: &audio::Frame = sound.first_chunk()?;
        let is_sound = samples == TICK_SAMPLES && tick.iter().all(|sample| sample.is_finite() && sample.abs() < PEAK_MAX);
        loudest = is_sound.then(|| loudest.max(level::decibels(tick)))?;
    }
    Some(loudest)
}

#[cfg(test)]
mod tests;
