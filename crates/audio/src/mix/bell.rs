//! A soft bell out of a few sine waves, and the chime that two of them make.
//!
//! Everything follows from the samples since a bell was struck: nothing is kept, nothing drifts, and what is not struck costs nothing.

use crate::Frame;
use base::time::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use std::f64::consts::TAU;

/// What sounds of one bell: multiples of its pitch, and how loud they are. The first two beat slowly against each other.
const PARTIALS: [(f64, f32); 4] = [(1.0, 0.6), (1.002_5, 0.4), (2.0, 0.16), (3.01, 0.04)];

/// How a bell swells and dies away, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub swell: f32,
    pub decay: f32,
    /// Nothing is left of it after so long.
    pub length: f32,
}

impl Shape {
    /// The same in ticks.
    pub(super) const fn ticks(self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let ticks = (self.length * SAMPLE_RATE_HZ as f32) as u64 / TICK_SAMPLES as u64;
        ticks
    }
}

/// Adds 20 ms of a bell that was struck `ticks` ago.
pub(super) fn ring(frame: &mut Frame, hz: f64, loudness: f32, shape: Shape, ticks: u64) {
    if ticks >= shape.ticks() {
        return;
    }
    let since = ticks as f64 * TICK_SAMPLES as f64 / f64::from(SAMPLE_RATE_HZ);
    let rate = SAMPLE_RATE_HZ as f32;
    let seconds = narrow(since);
    let (mut swell, mut decay) = ((-seconds / shape.swell).exp(), (-seconds / shape.decay).exp());
    let (swell_step, decay_step) = ((-1.0 / (shape.swell * rate)).exp(), (-1.0 / (shape.decay * rate)).exp());
    let mut left = 1.0 - seconds / shape.length;
    let left_step = 1.0 / (shape.length * rate);
    let mut waves = PARTIALS.map(|(multiple, share)| Wave::at(hz * multiple, since, share * loudness));
    for sample in frame {
        let envelope = (decay - swell) * left;
        *sample += envelope * waves.iter_mut().map(Wave::next).sum::<f32>();
        swell *= swell_step;
        decay *= decay_step;
        left -= left_step;
    }
}

/// A sine wave that turns a little with every sample, instead of asking for a sine each time.
struct Wave {
    real: f32,
    imaginary: f32,
    turn: (f32, f32),
}

impl Wave {
    fn at(hz: f64, seconds: f64, loudness: f32) -> Self {
        let (sine, cosine) = ((hz * seconds).fract() * TAU).sin_cos();
        let turn = (TAU * hz / f64::from(SAMPLE_RATE_HZ)).sin_cos();
        Self { real: loudness * narrow(cosine), imaginary: loudness * narrow(sine), turn: (narrow(turn.0), narrow(turn.1)) }
    }

    fn next(&mut self) -> f32 {
        let sample = self.imaginary;
        let (sine, cosine) = self.turn;
        (self.real, self.imaginary) = (self.real * cosine - self.imaginary * sine, self.imaginary * cosine + self.real * sine);
        sample
    }
}

/// What is exact in the phase need not be in a sample.
#[expect(clippy::cast_possible_truncation, reason = "rounded to a sample's precision")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

/// The chime: a high bell and a lower one, soft enough for whoever talks to go on.
const CHIME: [(f64, u64); 2] = [(880.0, 0), (659.26, 14)];
const CHIME_SHAPE: Shape = Shape { swell: 0.006, decay: 0.35, length: 1.6 };
const CHIME_LOUDNESS: f32 = 0.12;
const CHIME_TICKS: u64 = CHIME[1].1 + CHIME_SHAPE.ticks();

/// A chime that sounds, or none.
#[derive(Debug, Default)]
pub(super) struct Chime {
    ticks: Option<u64>,
}

impl Chime {
    /// Begins; one that sounds goes on as it is.
    pub(super) const fn strike(&mut self) {
        if self.ticks.is_none() {
            self.ticks = Some(0);
        }
    }

    /// Adds its next 20 ms to every frame.
    pub(super) fn ring(&mut self, frames: &mut [Frame]) {
        let Some(ticks) = self.ticks else { return };
        let mut sound = crate::SILENCE;
        for (hz, after) in CHIME {
            if let Some(since) = ticks.checked_sub(after) {
                ring(&mut sound, hz, CHIME_LOUDNESS, CHIME_SHAPE, since);
            }
        }
        frames.iter_mut().for_each(|frame| super::add(frame, &sound));
        self.ticks = Some(ticks + 1).filter(|ticks| *ticks < CHIME_TICKS);
    }
}

#[cfg(test)]
mod tests;
