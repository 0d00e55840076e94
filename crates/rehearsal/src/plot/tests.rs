//! Axes that people can read.

use super::*;

#[test]
fn axes_end_at_round_numbers() {
    for (value, expected) in [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (420_000.0, 500_000.0), (60.0, 100.0), (f64::MAX, 1e19)] {
        assert!((nice(value) - expected).abs() <= expected * 1e-9, "{value}: {}", nice(value));
    }
    for (value, expected) in [(0.0, "0"), (2.5, "2.5"), (250_000.0, "250 k"), (5_000.0, "5000"), (2e6, "2 M")] {
        assert_eq!(short(value), expected);
    }
}
