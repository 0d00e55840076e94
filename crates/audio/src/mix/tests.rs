//! Several voices on one desk, on virtual time.

use super::{Command, Desk, Input, Output};
use crate::SILENCE;
use crate::jitter::Packet;
use crate::opus::{Encoder, PACKET_BYTES_MAX};
use crate::sample::{decibels, origin, tone};
use base::fact::LevelDb;
use std::time::{Duration, Instant};

/// The pitch of each speaker's tone.
const HZ: [f32; 3] = [400.0, 1_000.0, 1_900.0];

fn input(number: usize) -> Input {
    Input::new(number).unwrap()
}

struct Stage {
    desk: Desk,
    output: Box<Output>,
    encoders: Vec<Encoder>,
    origin: Instant,
    ticks: u32,
    /// Each speaker's loudness.
    peaks: [f32; 3],
}

impl Stage {
    fn with(peaks: [f32; 3]) -> Self {
        let mut desk = Desk::new().unwrap();
        (0..3).for_each(|number| desk.open(input(number)));
        let encoders = (0..3).map(|_| Encoder::stage().unwrap()).collect();
        Self { desk, output: Box::default(), encoders, origin: origin(), ticks: 0, peaks }
    }

    fn tick(&mut self) {
        let now = self.origin + Duration::from_millis(20) * self.ticks;
        let mut packet = [0; PACKET_BYTES_MAX];
        for (number, encoder) in self.encoders.iter_mut().enumerate() {
            let frame = tone(HZ[number], self.peaks[number], self.ticks as usize * 960);
            let bytes = encoder.encode(&frame, &mut packet).unwrap();
            let sequence = u16::try_from(self.ticks % 65_536).unwrap();
            let packet = Packet::new(now, sequence, self.ticks * 960, &packet[..bytes]).unwrap();
            self.desk.apply(&Command::Push(input(number), packet));
        }
        self.desk.tick(now, &mut self.output);
        self.ticks += 1;
    }

    /// Ticks for a second; everything a listener, or one of the speakers, has heard of it.
    fn second(&mut self, who: Option<usize>) -> Vec<f32> {
        let hear = |_| {
            self.tick();
            *who.and_then(|number| self.output.mix_minus(input(number))).unwrap_or(&self.output.mix)
        };
        (0..50).flat_map(hear).collect()
    }
}

/// How loud one pitch is in a sound, in dB (Goertzel's algorithm would do it faster).
fn pitch(sound: &[f32], hz: f32) -> f32 {
    let part = |shift: f32| {
        let wave = |index: usize| (std::f32::consts::TAU * hz * index as f32 / 48_000.0 + shift).cos();
        sound.iter().enumerate().map(|(index, sample)| sample * wave(index)).sum::<f32>() / sound.len() as f32
    };
    20.0 * (2.0 * part(0.0).hypot(part(std::f32::consts::FRAC_PI_2))).max(1e-7).log10()
}

fn is_heard(sound: &[f32], number: usize) -> bool {
    match pitch(sound, HZ[number]) {
        loud if loud > -30.0 => true,
        quiet if quiet < -60.0 => false,
        between => panic!("speaker {number} is neither heard nor not: {between} dB"),
    }
}

#[test]
fn everybody_hears_the_others() {
    for silent in [None, Some(2)] {
        let mut stage = Stage::with([0.2; 3]);
        if let Some(number) = silent {
            stage.peaks[number] = 0.0;
        }
        stage.second(None);
        for who in [None, Some(0), Some(1), Some(2)] {
            let sound = stage.second(who);
            for number in 0..3 {
                let expected = who != Some(number) && silent != Some(number);
                assert_eq!(is_heard(&sound, number), expected, "{number} for {who:?}");
            }
        }
        for number in 0..3 {
            let heard = stage.output.heard[number].unwrap();
            assert_eq!(heard.talking, silent != Some(number));
            assert_eq!(stage.output.mix_minus(input(number)).is_some(), heard.talking);
            let level = if heard.talking { 15..20 } else { 90..128 };
            assert!(level.contains(&heard.level.0), "{number}: {heard:?}");
        }
        assert_eq!(stage.output.heard[3], None);
    }
}

#[test]
fn who_is_muted_is_heard_by_nobody_and_still_hears() {
    let mut stage = Stage::with([0.2; 3]);
    stage.second(None);
    stage.desk.set_muted(input(1), true);
    stage.tick();
    let sound = stage.second(Some(1));
    assert_eq!([0, 1, 2].map(|number| is_heard(&sound, number)), [true, false, true]);
    assert!(!stage.output.heard[1].unwrap().talking);
    assert!(stage.output.heard[1].unwrap().level < LevelDb(30), "the voice is measured all the same");
    stage.desk.set_muted(input(1), false);
    stage.tick();
    assert!(is_heard(&stage.second(None), 1));
}

#[test]
fn who_has_left_is_not_heard_and_the_place_is_free() {
    let mut stage = Stage::with([0.2; 3]);
    stage.second(None);
    stage.desk.apply(&Command::Close(input(0)));
    stage.tick();
    assert!(!is_heard(&stage.second(None), 0));
    assert_eq!(stage.output.heard[0], None);
    stage.desk.apply(&Command::Open(input(0)));
    stage.second(None);
    assert!(is_heard(&stage.second(None), 0));
}

#[test]
fn an_empty_stage_is_not_digital_silence() {
    let mut desk = Desk::new().unwrap();
    let mut output = Output::default();
    let origin = origin();
    for tick in 0..50 {
        desk.tick(origin + Duration::from_millis(20) * tick, &mut output);
        assert_ne!(output.mix, SILENCE);
        assert!((decibels(&output.mix) + 90.0).abs() < 2.0);
    }
}

#[test]
fn a_crowd_of_loud_voices_is_turned_down() {
    let mut stage = Stage::with([0.9; 3]);
    stage.second(None);
    let sound = stage.second(None);
    assert!(sound.iter().all(|sample| sample.abs() <= 1.0));
    let three = [0, 1, 2].map(|number| pitch(&sound, HZ[number]));
    assert!(three.iter().all(|loud| (loud - three[0]).abs() < 2.0), "{three:?}");
}

/// The steepest step between two samples.
fn steepest(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn nothing_clicks() {
    type Act = fn(&mut Stage);
    let acts: [(&str, Act); 4] = [
        ("mute", |stage| stage.desk.set_muted(input(0), true)),
        ("unmute", |stage| stage.desk.set_muted(input(0), false)),
        ("close", |stage| stage.desk.close(input(0))),
        ("open", |stage| stage.desk.open(input(0))),
    ];
    let mut stage = Stage::with([0.5, 0.0, 0.0]);
    stage.second(None);
    let usual = steepest(&stage.second(None));
    for (name, act) in acts {
        act(&mut stage);
        let step = steepest(&stage.second(None));
        assert!(step < 1.3 * usual, "{name}: {step} against {usual}");
    }
}

#[test]
fn the_change_to_a_mix_of_one_s_own_is_seamless() {
    let mut stage = Stage::with([0.3, 0.0, 0.0]);
    stage.second(None);
    stage.peaks[1] = 0.3;
    let sound = stage.second(Some(1));
    stage.peaks[1] = 0.0;
    let after = stage.second(Some(1));
    let usual = steepest(&tone(HZ[0], 0.3, 0));
    assert!(steepest(&sound) < 1.3 * usual && steepest(&after) < 1.3 * usual);
    assert!(pitch(&after, HZ[0]) > -20.0);
}
