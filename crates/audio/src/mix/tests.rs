//! Several voices on one desk, on virtual time.

use super::{Bus, Command, Desk, Ear, Input, Output};
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
        for number in 0..3 {
            desk.open(input(number));
            desk.set_on_air(input(number), true);
        }
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
            match who.map(|number| self.output.ear(input(number))) {
                None => self.output.programme,
                Some(Ear::Own(own)) => *own,
                Some(Ear::Shared(bus)) => *self.output.bus(bus),
            }
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
            assert_eq!(matches!(stage.output.ear(input(number)), Ear::Own(_)), heard.talking);
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
    assert!(stage.output.heard[1].unwrap().talking_muted && !stage.output.heard[0].unwrap().talking_muted);
    assert!(stage.output.heard[1].unwrap().level < LevelDb(30), "the voice is measured all the same");
    assert!(decibels(stage.output.voice(input(1)).unwrap()) > -20.0, "and it is there for who checks their sound");
    assert_eq!(stage.output.voice(input(3)), None);
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
    stage.desk.apply(&Command::SetOnAir(input(0), true));
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
        for frame in [&output.programme, output.bus(Bus::Air), output.bus(Bus::Back)] {
            assert_ne!(*frame, SILENCE);
            assert!((decibels(frame) + 90.0).abs() < 2.0);
        }
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
    let acts: [(&str, Act); 9] = [
        ("mute", |stage| stage.desk.set_muted(input(0), true)),
        ("unmute", |stage| stage.desk.set_muted(input(0), false)),
        ("backstage", |stage| stage.desk.set_on_air(input(0), false)),
        ("on air", |stage| stage.desk.set_on_air(input(0), true)),
        ("hold", |stage| stage.desk.set_hold(true)),
        ("no hold", |stage| stage.desk.set_hold(false)),
        ("time over", |stage| stage.desk.fade(input(0))),
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

#[test]
fn who_is_on_air_never_hears_backstage() {
    let mut stage = Stage::with([0.2; 3]);
    stage.desk.apply(&Command::SetOnAir(input(1), false));
    stage.second(None);
    let cases =
        [(None, [true, false, true]), (Some(0), [false, false, true]), (Some(1), [true, false, true]), (Some(2), [true, false, false])];
    for (who, heard) in cases {
        let sound = stage.second(who);
        assert_eq!([0, 1, 2].map(|number| is_heard(&sound, number)), heard, "for {who:?}");
    }
    assert_eq!([0, 1, 2].map(|number| stage.output.heard[number].unwrap().in_programme), [true, false, true]);
    stage.peaks[1] = 0.0;
    stage.second(None);
    assert!(matches!(stage.output.ear(input(1)), Ear::Shared(Bus::Back)), "who is silent shares a bus");
    assert!(stage.output.heard[0].unwrap().talking && stage.output.monitor == Bus::Air);
}

#[test]
fn backstage_everybody_hears_everybody_and_listeners_the_hold_sound() {
    let mut stage = Stage::with([0.2; 3]);
    stage.desk.apply(&Command::SetHold(true));
    (0..3).for_each(|number| stage.desk.set_on_air(input(number), false));
    stage.second(None);
    for who in [Some(0), Some(1), Some(2), None] {
        let sound = stage.second(who);
        for (number, hz) in HZ.into_iter().enumerate() {
            assert_eq!(pitch(&sound, hz) > -30.0, who.is_some() && who != Some(number), "{number} for {who:?}");
        }
    }
    assert!(decibels(&stage.second(None)) > -50.0 && stage.output.monitor == Bus::Back);
    (0..3).for_each(|number| stage.desk.set_on_air(input(number), true));
    stage.desk.apply(&Command::SetHold(false));
    assert!((0..3).all(|number| is_heard(&stage.second(None), number)));
}

#[test]
fn the_way_from_one_bus_to_the_other_is_seamless() {
    let mut stage = Stage::with([0.3, 0.0, 0.3]);
    stage.desk.set_on_air(input(2), false);
    stage.second(None);
    // A tone of 1,900 Hz that is switched off within a sample would be ten times as steep.
    let usual = 1.3 * (steepest(&tone(HZ[0], 0.3, 0)) + steepest(&tone(HZ[2], 0.3, 0)));
    for on_air in [false, true, false] {
        stage.desk.set_on_air(input(1), on_air);
        let sound = stage.second(Some(1));
        assert!(steepest(&sound) < usual, "{}", steepest(&sound));
        assert_eq!(is_heard(&sound[960..], 2), !on_air);
        assert!(is_heard(&sound, 0));
    }
}

#[test]
fn a_voice_whose_time_is_over_fades_and_is_muted() {
    let mut stage = Stage::with([0.3, 0.0, 0.0]);
    stage.second(None);
    let before = pitch(&stage.second(None), HZ[0]);
    stage.desk.apply(&Command::Fade(input(0)));
    let first = pitch(&stage.second(None), HZ[0]);
    let second = pitch(&stage.second(None), HZ[0]);
    assert!(before > first + 1.0 && first > second + 6.0, "{before}, {first}, {second} dB");
    assert!(!is_heard(&stage.second(None), 0));
    assert!(stage.output.heard[0].unwrap().talking_muted);
    stage.desk.set_muted(input(0), false);
    assert!(is_heard(&stage.second(None), 0));
    // In a pause there is nothing to fade.
    stage.peaks[0] = 0.0;
    stage.second(None);
    stage.desk.fade(input(0));
    stage.tick();
    stage.peaks[0] = 0.3;
    assert!(!is_heard(&stage.second(None), 0));
}

#[test]
fn a_chime_rings_on_both_buses() {
    let mut stage = Stage::with([0.3, 0.0, 0.0]);
    stage.desk.set_on_air(input(1), false);
    for who in [None, Some(0), Some(1)] {
        stage.second(None);
        assert!(pitch(&stage.second(who)[..14_400], 880.0) < -60.0);
        stage.desk.apply(&Command::Chime);
        assert!(pitch(&stage.second(who)[..14_400], 880.0) > -35.0, "for {who:?}");
        stage.second(None);
    }
}
