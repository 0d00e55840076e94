//! The hold sound: there, quiet, never still, without a seam; and how it gives way.

use super::{BELLS, Programme, RINGING, STEP_TICKS, sound};
use crate::sample::{decibels, tone};
use crate::{Frame, SILENCE};

const SECOND: u64 = 50;

fn sounds(ticks: std::ops::Range<u64>) -> Vec<f32> {
    ticks.flat_map(sound).collect()
}

#[test]
fn the_hold_sound_is_quiet_and_never_still() {
    let minute = sounds(SECOND..61 * SECOND);
    let whole = decibels(&minute);
    assert!((-32.0..-26.0).contains(&whole), "{whole} dB");
    for (second, heard) in minute.chunks_exact(48_000).enumerate() {
        let loud = decibels(heard);
        assert!((loud - whole).abs() < 6.0, "second {second}: {loud} dB against {whole} dB");
    }
    assert!(minute.iter().all(|sample| sample.abs() < 0.2));
    let steepest = minute.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(steepest < 0.02, "{steepest}: it clicks");
}

#[test]
fn it_comes_round_without_a_seam() {
    let round = BELLS.len() as u64 * STEP_TICKS;
    let from = RINGING * STEP_TICKS;
    for tick in (from..from + round).step_by(97) {
        assert_eq!(sound(tick), sound(tick + 1_000 * round), "tick {tick}");
    }
}

fn carry(programme: &mut Programme, air: &dyn Fn(usize) -> Frame, ticks: usize) -> Vec<f32> {
    let tick = |tick| {
        let mut frame = SILENCE;
        programme.carry(&air(tick), &mut frame);
        frame
    };
    (0..ticks).flat_map(tick).collect()
}

#[test]
fn it_gives_way_to_the_air_and_comes_back() {
    let voice = |tick: usize| tone(1_000.0, 0.3, tick * 960);
    let mut programme = Programme::new();
    let on_air = carry(&mut programme, &voice, 50);
    assert_eq!(on_air, (0..50).flat_map(voice).collect::<Vec<_>>(), "the air is the programme, bit for bit");
    programme.set_hold(true);
    let held = carry(&mut programme, &voice, 150);
    let nothing = vec![0.0; 960];
    let silent = |_: usize| SILENCE;
    let mut other = Programme::new();
    other.set_hold(true);
    let alone = carry(&mut other, &silent, 150);
    assert_eq!(held[960..], alone[960..], "8 ms later there is nothing of the voice in it");
    assert_ne!(alone[48_000..48_960], nothing);
    programme.set_hold(false);
    let back = carry(&mut programme, &voice, 50);
    let first = &back[480..4_800];
    assert!(decibels(first) > decibels(&on_air) - 1.0, "the first word is whole");
    let steepest = back.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(steepest < 0.07, "{steepest}");
    assert_eq!(back[30_720..], (32..50).flat_map(voice).collect::<Vec<_>>()[..], "half a second later it is gone");
}
