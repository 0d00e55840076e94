//! Joins come evenly, and tries spread.

use super::*;

#[test]
fn joins_are_spread_over_time() {
    for (elapsed, per_second, total, expected) in
        [(0, 1_000.0, 10, 1), (5, 1_000.0, 10, 6), (1_000, 1_000.0, 10, 10), (1_000, 0.5, 10, 1), (2_000, 0.5, 10, 2), (0, 9.0, 0, 0)]
    {
        assert_eq!(due(elapsed, per_second, total), expected, "{elapsed} ms at {per_second} of {total}");
    }
}

#[test]
fn tries_are_later_and_later_and_never_together() {
    for (tries, least, most) in [(0, 50, 100), (1, 100, 200), (4, 800, 1_600), (5, 1_000, 2_000), (99, 1_000, 2_000)] {
        assert_eq!((back_off_ms(tries, 0.0), back_off_ms(tries, 1.0)), (least, most));
    }
}

#[test]
fn chance_is_spread() {
    let mut chance = Chance::new(42);
    let mean = (0..1_000).map(|_| chance.next()).inspect(|value| assert!((0.0..1.0).contains(value))).sum::<f64>() / 1_000.0;
    assert!((0.45..0.55).contains(&mean), "{mean}");
}
