//! Rates.

use super::Rate;
use base::UnixMillis;

#[test]
fn so_often_in_a_window_and_no_more_than_are_counted() {
    let mut rate = Rate::new(1_000, 2);
    // (key, at, allowed)
    let rows =
        [(1, 0, true), (1, 10, true), (1, 20, false), (2, 20, true), (3, 30, false), (1, 999, false), (3, 1_000, true), (1, 1_001, true)];
    for (key, at, allowed) in rows {
        assert_eq!(rate.allows(key, 2, UnixMillis(at)), allowed, "{key} at {at}");
    }
    assert!(!Rate::new(1_000, 2).allows(1, 0, UnixMillis(0)), "none at all");
}
