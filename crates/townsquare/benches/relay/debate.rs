//! Two people who talk in turns, with a short tone every two seconds by which it is timed how soon the other hears it.

use crate::marks::{Marks, Spread, samples};
use crate::support::event::Event;
use crate::support::voice::{Hear, Speak, Tick, Voice};
use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Ticks of 20 ms from one tone to the next: no whole number of fragments.
const PERIOD_TICKS: u64 = 101;
/// A tone of 100 ms, with a pause before and behind it.
const PAUSE_TICKS: u64 = 8;
const TONE_TICKS: std::ops::Range<u64> = 8..13;
const SPEECH_FROM_TICK: u64 = 18;

/// How long one talks before the other does.
const TURN: Duration = Duration::from_secs(12);

const TONE_HZ: f32 = 1_000.0;

/// Samples in which the tone is looked for: five of its waves.
const WINDOW: usize = 240;

/// Windows without a tone that come before an onset.
const QUIET_WINDOWS: usize = 20;

/// How much of a window's energy is the tone's, and how loud it is at least, when it is the tone.
const PURE: f32 = 0.85;
const LOUD: f32 = 0.1;

/// More urgent than the crowd: a speaker's own machine has nothing else to do.
const NICE: i32 = -10;

/// Two speakers who hear each other, until the value goes.
pub(crate) struct Debate {
    _voices: [Voice; 2],
    spoken: [Marks; 2],
    heard: [Onsets; 2],
}

type Onsets = Arc<Mutex<Vec<Instant>>>;

impl Debate {
    /// Both join the event's stage and talk, from a file, in turns.
    pub(crate) fn start(event: &Event, speech: &Path) -> anyhow::Result<Self> {
        let speech: Arc<[f32]> = pcm(speech)?.into();
        let (spoken, heard) = ([Marks::new(), Marks::new()], [Onsets::default(), Onsets::default()]);
        let began = Instant::now();
        let voice = |nth: usize, name: &str| {
            let speak = talk(began, nth, Arc::clone(&speech), spoken[nth].clone());
            Voice::call(&event.whip, &event.token, name, speak, listen(Arc::clone(&heard[nth])))
        };
        Ok(Self { _voices: [voice(0, "Ada"), voice(1, "Ben")], spoken, heard })
    }

    /// How long each tone took to the other's ear, and how many were spoken.
    pub(crate) fn delays(&self) -> (Spread, usize) {
        let mut delays = Spread::default();
        for (speaker, listener) in [(0, 1), (1, 0)] {
            delays.extend(self.spoken[speaker].match_with(&self.heard[listener].lock().expect("onsets")));
        }
        (delays, self.spoken.iter().map(Marks::count).sum())
    }
}

/// A file's sound at 48 kHz.
fn pcm(file: &Path) -> anyhow::Result<Vec<f32>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error", "-i"]).arg(file).args(["-ac", "1", "-ar", "48000", "-f", "f32le", "-"]);
    let output = command.output().context("ffmpeg can't be started")?;
    let sound: Vec<f32> = output.stdout.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect();
    ensure!(output.status.success() && !sound.is_empty(), "ffmpeg gives no sound");
    Ok(sound)
}

fn talk(began: Instant, nth: usize, speech: Arc<[f32]>, marks: Marks) -> Speak {
    let (mut tick, mut at) = (0u64, 0usize);
    Box::new(move |now, frame: &mut Tick| {
        if tick == 0 {
            // Without the right to it, it stays as urgent as the others.
            let _ = rustix::process::setpriority_process(None, NICE);
        }
        let within = tick % PERIOD_TICKS;
        tick += 1;
        let turn = now.duration_since(began).as_secs() / TURN.as_secs();
        if turn.is_multiple_of(2) != (nth == 0) {
            return;
        }
        if within == PAUSE_TICKS {
            // A microphone hands a frame over when its last sample is in: the first was spoken 20 ms before.
            marks.note(now - Duration::from_millis(20));
        }
        for (place, sample) in frame.iter_mut().enumerate() {
            if TONE_TICKS.contains(&within) {
                *sample = 0.4 * (std::f32::consts::TAU * TONE_HZ * place as f32 / 48_000.0).sin();
            } else if within >= SPEECH_FROM_TICK {
                *sample = speech[at] * 0.8;
                at = (at + 1) % speech.len();
            }
        }
    })
}

fn listen(onsets: Onsets) -> Hear {
    let mut quiet = 0;
    Box::new(move |arrival, sound| {
        for (nth, window) in sound.chunks_exact(WINDOW).enumerate() {
            if !is_tone(window) {
                quiet += 1;
            } else if std::mem::take(&mut quiet) >= QUIET_WINDOWS {
                onsets.lock().expect("onsets").push(arrival + samples(nth * WINDOW));
            }
        }
    })
}

/// Whether the tone is nearly all that is to be heard (Goertzel's algorithm at one frequency).
fn is_tone(window: &[f32]) -> bool {
    let energy: f32 = window.iter().map(|sample| sample * sample).sum();
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (place, sample) in window.iter().enumerate() {
        let angle = std::f32::consts::TAU * TONE_HZ * place as f32 / 48_000.0;
        real += sample * angle.cos();
        imaginary += sample * angle.sin();
    }
    let length = window.len() as f32;
    let tone = 2.0 * (real * real + imaginary * imaginary) / length;
    (energy / length).sqrt() > LOUD && tone > PURE * energy
}
