//! A tone, silence and rubbish, as a listener gets them.

use super::*;
use audio::opus::Encoder;
use base::{FragmentNumber, Rung};
use programme::init;

fn stream(volume: f32) -> Vec<u8> {
    let mut encoder = Encoder::programme(Rung::R64).unwrap();
    let mut bytes = init::segment().to_vec();
    bytes.extend_from_slice(b"\0\0\0\x10free--------");
    for number in 0..5usize {
        let mut payload = Vec::new();
        for tick in 0..10usize {
            let at = |index: usize| ((number * 10 + tick) * TICK_SAMPLES + index) as f32 * 0.06;
            let tone = std::array::from_fn(|index| at(index).sin() * volume);
            let mut packet = [0; 1_500];
            let length = encoder.encode(&tone, &mut packet).unwrap();
            payload.extend_from_slice(&packet[..length]);
        }
        bytes.extend(fragment::seal(Rung::R64, FragmentNumber(number as u64), Some(r#"{"c":4000}"#), &payload));
    }
    bytes
}

fn hear(bytes: &[u8], piece: usize) -> Found {
    let mut sound = Sound::new(true).unwrap();
    let mut sum = Found::default();
    for piece in bytes.chunks(piece) {
        let found = sound.hear(piece);
        sum.fragments += found.fragments;
        sum.bad += found.bad;
        sum.loud += found.loud;
    }
    sum
}

#[test]
fn sound_is_told_from_silence_and_rubbish() {
    for piece in [1, 700, 100_000] {
        assert_eq!(hear(&stream(0.5), piece), Found { fragments: 5, bad: 0, loud: 5 });
        assert_eq!(hear(&stream(0.0), piece), Found { fragments: 5, bad: 0, loud: 0 });
    }
    let mut zeroed = stream(0.5);
    let length = zeroed.len();
    zeroed[length - 1_600..].fill(0);
    assert_eq!(hear(&zeroed, 4_096).bad, 1, "a fragment that never reached the disk reads as zero");
    assert!(hear(b"OggS and so on, for more than eight bytes", 4_096).bad > 0);
}
