//! Silence decodes to silence, in a fresh decoder and behind a voice.

use super::*;
use audio::opus::{Decoder, Encoder};

#[test]
fn decodes_to_silence_at_every_size() {
    for rung in Rung::ALL {
        assert_eq!(frame(rung).len(), rung.frame_bytes());
        let mut decoder = Decoder::new().unwrap();
        let mut sound = [1.0; 5_760];
        for _ in 0..5 {
            assert_eq!(decoder.decode(frame(rung), &mut sound).unwrap(), 960);
            assert!(sound[..960].iter().all(|sample| sample.abs() < 1e-4), "rung {rung}");
        }
    }
}

#[test]
fn ends_a_tone_within_a_frame() {
    for rung in Rung::ALL {
        let mut encoder = Encoder::programme(rung).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let mut sound = [0.0; 5_760];
        for tick in 0..20 {
            let tone = std::array::from_fn(|place| (f32::from(tick * 960 + place as u16) * 0.05).sin() * 0.5);
            let mut packet = [0; 1_500];
            let bytes = encoder.encode(&tone, &mut packet).unwrap();
            decoder.decode(&packet[..bytes], &mut sound).unwrap();
        }
        for _ in 0..2 {
            decoder.decode(frame(rung), &mut sound).unwrap();
        }
        assert!(sound[..960].iter().all(|sample| sample.abs() < 1e-3), "rung {rung}");
    }
}
