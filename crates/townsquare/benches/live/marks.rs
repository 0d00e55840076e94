//! Marked tones: when they were spoken, when they were heard.

use crate::support::voice::{Hear, Speak, Tick};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TONE_HZ: f32 = 1_000.0;
const TONE_TICKS: u64 = 5;
/// Longer than any delay in question, and not a whole number of fragments, so that marks fall everywhere within one.
const PERIOD_TICKS: u64 = 151;
/// A tone's amplitude is 0.5; noise and codec ringing stay far below this.
const LOUD: f32 = 0.1;
/// Samples of quiet that must come before an onset.
const QUIET_SAMPLES: usize = 12_000;

/// What was spoken: a tone of 100 ms about every three seconds.
#[derive(Clone)]
pub(crate) struct Marks(Arc<Mutex<Vec<Instant>>>);

impl Marks {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// A mark is spoken at this instant.
    pub(crate) fn note(&self, at: Instant) {
        self.0.lock().expect("marks").push(at);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("marks").len()
    }

    pub(crate) fn into_speak(self) -> Speak {
        let mut tick = 0u64;
        Box::new(move |now, frame: &mut Tick| {
            let within = tick % PERIOD_TICKS;
            // A microphone hands a frame over when its last sample is in: the first was spoken 20 ms before.
            if within == TONE_TICKS {
                self.note(now - Duration::from_millis(20));
            }
            if (TONE_TICKS..TONE_TICKS * 2).contains(&within) {
                for (place, sample) in frame.iter_mut().enumerate() {
                    *sample = 0.5 * (std::f32::consts::TAU * TONE_HZ * place as f32 / 48_000.0).sin();
                }
            }
            tick += 1;
        })
    }

    /// How long after each mark it was heard; a mark that nobody was there to hear is left out.
    pub(crate) fn match_with(&self, onsets: &[Instant]) -> Spread {
        let spoken = self.0.lock().expect("marks");
        let mut delays = Vec::new();
        for onset in onsets {
            if let Some(mark) = spoken.iter().rev().find(|mark| *mark < onset) {
                delays.push((*onset - *mark).as_secs_f64() * 1_000.0);
            }
        }
        Spread(delays)
    }
}

/// Finds onsets in sound that goes by.
#[derive(Default)]
pub(crate) struct Detector {
    quiet: usize,
}

impl Detector {
    /// Places of the onsets within these samples.
    pub(crate) fn find(&mut self, sound: &[f32]) -> Vec<usize> {
        let mut found = Vec::new();
        for (place, sample) in sound.iter().enumerate() {
            if sample.abs() < LOUD {
                self.quiet += 1;
                continue;
            }
            if self.quiet >= QUIET_SAMPLES {
                found.push(place);
            }
            self.quiet = 0;
        }
        found
    }
}

/// Hears what comes back from the stage.
#[derive(Clone)]
pub(crate) struct Ear(Arc<Mutex<Vec<Instant>>>);

impl Ear {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn into_hear(self) -> Hear {
        let mut detector = Detector::default();
        Box::new(move |arrival, sound| {
            let onsets = detector.find(sound).into_iter().map(|place| arrival + samples(place));
            self.0.lock().expect("onsets").extend(onsets);
        })
    }

    pub(crate) fn onsets(&self) -> Vec<Instant> {
        self.0.lock().expect("onsets").clone()
    }
}

/// The time that some samples take.
pub(crate) fn samples(count: usize) -> Duration {
    Duration::from_secs_f64(count as f64 / 48_000.0)
}

/// Delays in milliseconds.
#[derive(Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) const fn of(millis: Vec<f64>) -> Self {
        Self(millis)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The delay that a share of all stays below; NaN when there is none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }
}
