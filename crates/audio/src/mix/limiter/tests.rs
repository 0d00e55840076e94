//! Loud sound through the limiter.

use super::{CEILING, Limiter};
use crate::sample::tone;
use proptest::prelude::*;

#[test]
fn what_fits_passes_untouched() {
    let mut limiter = Limiter::new();
    for index in 0..50 {
        let before = tone(440.0, 0.9, index * 960);
        let mut after = before;
        limiter.limit(&mut after);
        assert_eq!(before, after);
    }
}

#[test]
fn too_loud_a_tone_is_turned_down_not_bent() {
    let mut limiter = Limiter::new();
    for index in 0..50 {
        let before = tone(1_000.0, 3.0, index * 960);
        let mut after = before;
        limiter.limit(&mut after);
        if index > 2 {
            let gain = after[500] / before[500];
            let distance = before.iter().zip(&after).map(|(before, after)| (before * gain - after).abs()).fold(0.0, f32::max);
            assert!(distance < 0.01, "{distance}");
            assert!(after.iter().all(|sample| sample.abs() <= CEILING + 1e-3));
        }
    }
}

#[test]
fn the_gain_recovers() {
    let mut limiter = Limiter::new();
    limiter.limit(&mut tone(1_000.0, 3.0, 0));
    for index in 0..25 {
        limiter.limit(&mut tone(1_000.0, 0.1, index * 960));
    }
    assert!((limiter.gain - 1.0).abs() < 1e-6);
}

proptest! {
    #[test]
    fn nothing_leaves_beyond_full_scale(peaks in proptest::collection::vec(0.0f32..16.0, 1..20)) {
        let mut limiter = Limiter::new();
        for (index, peak) in peaks.into_iter().enumerate() {
            let mut frame = tone(300.0, peak, index * 960);
            limiter.limit(&mut frame);
            prop_assert!(frame.iter().all(|sample| sample.abs() <= 1.0));
        }
    }
}
