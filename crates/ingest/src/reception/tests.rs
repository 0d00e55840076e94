//! Loss and jitter of streams whose every packet is known.

use super::Reception;
use std::time::{Duration, Instant};

/// A packet every 20 ms, those left out for which `lost` is true, and delayed by what `late` says.
fn heard(seconds: u32, first: u16, lost: impl Fn(u32) -> bool, late_millis: impl Fn(u32) -> u64) -> Reception {
    let begin = Instant::now();
    let mut reception = Reception::default();
    for number in 0..seconds * 50 {
        if !lost(number) {
            let at = begin + Duration::from_millis(20) * number + Duration::from_millis(late_millis(number));
            reception.hear(at, 7, first.wrapping_add(u16::try_from(number).unwrap()), number.wrapping_mul(960).wrapping_sub(5_000));
        }
        if number % 50 == 49 {
            reception.second();
        }
    }
    reception
}

#[test]
fn loss_is_the_share_of_what_did_not_come() {
    type Lost = fn(u32) -> bool;
    let cases: [(&str, Lost, f32); 4] = [
        ("none", |_| false, 0.0),
        ("one in ten", |number| number % 10 == 4, 0.1),
        ("half a second in ten", |number| (620..645).contains(&number), 0.05),
        ("long ago", |number| number < 100 && number % 2 == 1, 0.0),
    ];
    for (name, lost, share) in cases {
        for first in [0, 65_000] {
            let found = heard(20, first, lost, |_| 0).lost().unwrap();
            assert!((found - share).abs() < 0.003, "{name}: {found}");
        }
    }
    assert_eq!(Reception::default().lost(), None);
}

#[test]
fn order_and_another_microphone_are_no_loss() {
    let mut reception = Reception::default();
    let begin = Instant::now();
    for number in 0..500u32 {
        let ssrc = if number < 250 { 1 } else { 2 };
        let swapped = number ^ 1;
        let sequence = if ssrc == 1 { 100 + swapped } else { 40_000 + swapped };
        reception.hear(begin + Duration::from_millis(20) * number, ssrc, u16::try_from(sequence).unwrap(), swapped * 960);
        if number % 50 == 49 {
            reception.second();
        }
    }
    assert!(reception.lost().unwrap() < 0.005, "{:?}", reception.lost());
}

#[test]
fn jitter_is_how_unevenly_they_come() {
    let even = heard(10, 0, |_| false, |_| 30).jitter().unwrap();
    assert!(even < Duration::from_millis(1), "{even:?}");
    let uneven = heard(10, 0, |_| false, |number| u64::from(number % 2) * 15).jitter().unwrap();
    assert!((13..=17).contains(&uneven.as_millis()), "{uneven:?}");
    let pause = heard(10, 0, |number| (300..400).contains(&number), |_| 0).jitter().unwrap();
    assert!(pause < Duration::from_millis(1), "a pause is not uneven: {pause:?}");
}
