//! Bells begin and end at nothing, and are the same however often one asks.

use super::{CHIME_TICKS, Chime, Shape, ring};
use crate::SILENCE;
use crate::sample::decibels;

const SHAPE: Shape = Shape { swell: 0.05, decay: 0.8, length: 3.0 };

fn sound(ticks: u64) -> Vec<f32> {
    let tick = |tick| {
        let mut frame = SILENCE;
        ring(&mut frame, 440.0, 0.1, SHAPE, tick);
        frame
    };
    (0..ticks).flat_map(tick).collect()
}

#[test]
fn a_bell_swells_and_dies_away_without_a_click() {
    let bell = sound(SHAPE.ticks() + 10);
    let steepest = bell.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let steepest_of_its_waves = 0.1 * std::f32::consts::TAU * (0.6 * 440.0 + 0.4 * 441.1 + 0.16 * 880.0 + 0.04 * 1_324.4) / 48_000.0;
    assert!(steepest < steepest_of_its_waves, "{steepest}, also from one tick to the next");
    assert!(bell[0].abs() < 1e-6 && decibels(&bell[..96]) < -45.0);
    assert!(decibels(&bell[4_800..9_600]) > -30.0);
    let end = usize::try_from(SHAPE.ticks()).unwrap() * 960;
    assert!(decibels(&bell[end - 960..end]) < -80.0);
    assert!(bell[end..].iter().all(|sample| *sample == 0.0));
}

#[test]
fn a_chime_is_two_tones_once() {
    let mut chime = Chime::default();
    let mut two = [SILENCE; 2];
    chime.ring(&mut two);
    assert_eq!(two, [SILENCE; 2], "not struck");
    chime.strike();
    let mut rung: Vec<f32> = Vec::new();
    for tick in 0..CHIME_TICKS + 50 {
        let mut two = [SILENCE; 2];
        chime.ring(&mut two);
        assert_eq!(two[0], two[1]);
        rung.extend(two[0]);
        if tick == 20 {
            chime.strike();
        }
    }
    assert!(decibels(&rung[2_400..9_600]) > -30.0 && decibels(&rung[15_000..24_000]) > -30.0);
    assert!(rung.iter().all(|sample| sample.abs() < 0.3), "soft");
    assert!(rung[rung.len() - 48_000..].iter().all(|sample| *sample == 0.0), "once");
}
