//! Loudness and talking.

use super::{HANGOVER_TICKS, SILENCE_DB, Talk, decibels, level};
use crate::SILENCE;
use crate::sample::tone;
use base::fact::LevelDb;

#[test]
fn levels_follow_rfc_6464() {
    let full = [1.0; 960];
    for (name, frame, expected) in [
        ("square wave at full scale", full, 0),
        ("sine at full scale", tone(1_000.0, 1.0, 0), 3),
        ("20 dB less", tone(1_000.0, 0.1, 0), 23),
        ("silence", SILENCE, 127),
        ("no number", [f32::NAN; 960], 127),
        ("beyond full scale", full.map(|sample| sample * 4.0), 0),
    ] {
        assert_eq!(level(decibels(&frame)), LevelDb(expected), "{name}");
    }
}

/// Feeds `ticks` of one loudness and says whether the voice talks at the end.
fn after(talk: &mut Talk, decibels: f32, ticks: u32) -> bool {
    (0..ticks).map(|_| talk.hear(decibels)).last().unwrap_or(false)
}

#[test]
fn talking_begins_at_once_and_outlives_pauses() {
    let mut talk = Talk::default();
    assert!(!after(&mut talk, -75.0, 100));
    assert!(after(&mut talk, -30.0, 1));
    assert!(after(&mut talk, -30.0, 50));
    assert!(after(&mut talk, -75.0, HANGOVER_TICKS - 1));
    assert!(!after(&mut talk, -75.0, 1));
    assert!(!after(&mut talk, SILENCE_DB, 1));
}

#[test]
fn a_room_s_noise_is_learnt_but_a_tone_is_not() {
    let mut talk = Talk::default();
    after(&mut talk, -48.0, 1_000);
    assert!(!after(&mut talk, -48.0, 1), "20 s of a fan");
    assert!(after(&mut talk, -35.0, 1), "a voice above it");
    let mut talk = Talk::default();
    assert!(after(&mut talk, -20.0, 50 * 600), "ten minutes of a tone");
}
