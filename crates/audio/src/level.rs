//! How loud a voice is, and whether somebody is talking.
//!
//! The RTP header's own voice bit is set on nearly every packet by browsers, so talking is found from the energy here.

use crate::Frame;
use base::fact::LevelDb;

/// What a frame of digital silence measures, in dB; the scale's end (RFC 6464).
pub const SILENCE_DB: f32 = -127.0;

/// Ticks for which somebody counts as talking after the last loud frame: 600 ms bridge the pauses between words.
pub const HANGOVER_TICKS: u32 = 30;

/// Above this a sound is always heard, however steady: a tone, a piece of music, a loud crowd.
const ALWAYS_DB: f32 = -40.0;

/// Below this a sound is never somebody talking.
const NEVER_DB: f32 = -60.0;

/// How far talking stands out of the room's noise.
const ABOVE_NOISE_DB: f32 = 9.0;

/// How far the noise floor moves in one tick: down at once when a pause shows it, up slowly (3 dB/s), and more
/// slowly (1 dB/s) while somebody talks.
const FLOOR_FALL: f32 = 0.3;
const FLOOR_RISE_DB: f32 = 0.06;
const FLOOR_RISE_TALKING_DB: f32 = 0.02;

/// The mean power of a frame in dB relative to full scale, never below [`SILENCE_DB`].
#[must_use]
pub fn decibels(frame: &Frame) -> f32 {
    let power = frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32;
    if power.is_finite() { (10.0 * power.max(1e-13).log10()).clamp(SILENCE_DB, 0.0) } else { SILENCE_DB }
}

/// Decibels on the scale of RFC 6464: 0 is full scale, 127 silence.
#[must_use]
pub fn level(decibels: f32) -> LevelDb {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=127 before")]
    LevelDb((-decibels).round().clamp(0.0, 127.0) as u8)
}

/// Finds talking in one voice, a tick at a time.
#[derive(Debug, Clone)]
pub struct Talk {
    floor_db: f32,
    hangover_ticks: u32,
}

impl Default for Talk {
    fn default() -> Self {
        Self { floor_db: NEVER_DB - ABOVE_NOISE_DB, hangover_ticks: 0 }
    }
}

impl Talk {
    /// Takes the next frame's loudness; whether the voice is talking with it.
    pub fn hear(&mut self, decibels: f32) -> bool {
        let is_pause = self.is_pause(decibels);
        if is_pause {
            self.hangover_ticks = self.hangover_ticks.saturating_sub(1);
        } else {
            self.hangover_ticks = HANGOVER_TICKS;
        }
        self.floor_db = if decibels < self.floor_db {
            self.floor_db + FLOOR_FALL * (decibels - self.floor_db)
        } else {
            let rise = if is_pause { FLOOR_RISE_DB } else { FLOOR_RISE_TALKING_DB };
            (self.floor_db + rise).min(decibels)
        }
        .max(SILENCE_DB);
        self.is_talking()
    }

    /// Whether the voice is talking, pauses between words included.
    #[must_use]
    pub const fn is_talking(&self) -> bool {
        self.hangover_ticks > 0
    }

    /// Whether a frame of this loudness is one that nobody would miss: the room, before, after or between words.
    #[must_use]
    pub fn is_pause(&self, decibels: f32) -> bool {
        decibels < (self.floor_db + ABOVE_NOISE_DB).clamp(NEVER_DB, ALWAYS_DB)
    }
}

#[cfg(test)]
mod tests;
