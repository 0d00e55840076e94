//! The noise is there, and faint.

use super::Noise;
use crate::sample::decibels;

#[test]
fn it_is_ninety_decibels_down() {
    let mut noise = Noise::new();
    let sound: Vec<f32> = (0..50).flat_map(|_| noise.frame()).collect();
    assert!((decibels(&sound) + 90.0).abs() < 0.5, "{}", decibels(&sound));
    assert!(sound.chunks(960).all(|frame| frame.iter().any(|sample| *sample != 0.0)));
}
