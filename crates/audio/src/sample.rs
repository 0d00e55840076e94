//! What the tests speak with: voices, seeds and a clock that only they turn.

use crate::{Frame, SILENCE};
use std::f32::consts::TAU;
use std::time::Instant;

/// The instant from which a test counts; the only look at a clock, and its value does not matter.
pub(crate) fn origin() -> Instant {
    Instant::now()
}

/// A seeded source of chance (Marsaglia's xorshift).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

/// A voice-like sound: harmonics of `pitch_hz` under two formants, in syllables of a quarter of a second that never fall silent.
pub(crate) fn speech(pitch_hz: f32, samples: usize) -> Vec<f32> {
    let harmonics: Vec<(f32, f32)> = (1..20u8)
        .map(|number| pitch_hz * f32::from(number))
        .map(|hz| (hz, (-(((hz - 600.0) / 300.0).powi(2))).exp() + 0.4 * (-(((hz - 1_700.0) / 400.0).powi(2))).exp()))
        .collect();
    let at = |index: usize| {
        let seconds = index as f32 / 48_000.0;
        let syllable = 0.6 - 0.4 * (TAU * 4.0 * seconds).cos();
        let bent = seconds + 0.003 * (TAU * 1.1 * seconds).sin();
        0.15 * syllable * harmonics.iter().map(|(hz, loud)| loud * (TAU * hz * bent).sin()).sum::<f32>()
    };
    (0..samples).map(at).collect()
}

/// The same sound in frames.
pub(crate) fn frames(sound: &[f32]) -> impl Iterator<Item = Frame> {
    sound.chunks_exact(SILENCE.len()).map(|chunk| {
        let mut frame = SILENCE;
        frame.copy_from_slice(chunk);
        frame
    })
}

pub(crate) fn tone(hz: f32, peak: f32, from: usize) -> Frame {
    std::array::from_fn(|index| peak * (TAU * hz * (from + index) as f32 / 48_000.0).sin())
}

/// Power of a sound in dB relative to full scale.
pub(crate) fn decibels(sound: &[f32]) -> f32 {
    10.0 * (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32).max(1e-13).log10()
}
