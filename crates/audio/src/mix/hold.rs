//! What the programme carries: the air, or the hold sound that says that one is at the right place and something is to come.

use super::RAMP_PER_SAMPLE;
use super::bell::{self, Shape};
use crate::{Frame, SILENCE};

/// How fast the hold sound comes: 1 s.
const HOLD_RISE: f32 = 1.0 / 48_000.0;

/// How fast it goes, under the first word: 500 ms.
const HOLD_FALL: f32 = 1.0 / 24_000.0;

/// Ticks from one bell to the next: 900 ms, while the ones before still ring.
const STEP_TICKS: u64 = 45;

/// Four chords, one after the other and for ever: their bells in hertz. F, A minor, D minor and C, each with its seventh or ninth.
const BELLS: [f64; 16] = [
    349.23, 440.00, 523.25, 659.26, //
    440.00, 523.25, 659.26, 587.33, //
    293.66, 440.00, 523.25, 698.46, //
    329.63, 392.00, 587.33, 523.25,
];

const SHAPE: Shape = Shape { swell: 0.09, decay: 1.4, length: 5.4 };

/// How many bells ring at once.
const RINGING: u64 = SHAPE.ticks() / STEP_TICKS + 1;

/// How loud a bell is, so that the whole is at about -30 LUFS.
const LOUDNESS: f32 = 0.1;

/// 20 ms of the hold sound, the `tick`th since it began. It never ends and never repeats a seam, for each bell dies away by itself.
fn sound(tick: u64) -> Frame {
    let mut frame = SILENCE;
    let newest = tick / STEP_TICKS;
    for number in newest.saturating_sub(RINGING)..=newest {
        #[expect(clippy::cast_possible_truncation, reason = "below the number of bells")]
        let hz = BELLS[(number % BELLS.len() as u64) as usize];
        bell::ring(&mut frame, hz, LOUDNESS, SHAPE, tick - number * STEP_TICKS);
    }
    frame
}

/// The programme's source.
#[derive(Debug)]
pub(super) struct Programme {
    holds: bool,
    air: f32,
    hold: f32,
    tick: u64,
}

impl Programme {
    /// On air.
    pub(super) const fn new() -> Self {
        Self { holds: false, air: 1.0, hold: 0.0, tick: 0 }
    }

    pub(super) const fn set_hold(&mut self, holds: bool) {
        self.holds = holds;
    }

    pub(super) const fn holds(&self) -> bool {
        self.holds
    }

    /// Fills `programme` with the next 20 ms. Of what is on air nothing stays in it from 8 ms on after the hold sound began.
    pub(super) fn carry(&mut self, air: &Frame, programme: &mut Frame) {
        *programme = *air;
        self.air = super::ramp(programme, self.air, !self.holds, RAMP_PER_SAMPLE);
        if !self.holds && self.hold <= 0.0 {
            self.tick = 0;
            return;
        }
        for (sample, hold) in programme.iter_mut().zip(sound(self.tick)) {
            *sample += hold * self.hold;
            self.hold = if self.holds { (self.hold + HOLD_RISE).min(1.0) } else { (self.hold - HOLD_FALL).max(0.0) };
        }
        self.tick += 1;
    }
}

#[cfg(test)]
mod tests;
