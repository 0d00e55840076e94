//! A player's store, announcement by announcement.

use super::*;

#[test]
fn fills_slowly_and_empties_at_once() {
    let mut store = Store::default();
    store.heard();
    assert_eq!((store.at(0), store.ready(0).millis()), (200, 200));
    store.announced(1_000, 1_000);
    for (now, has) in [(1_000, 200), (2_000, 280), (10_999, 999), (11_000, 1_000), (60_000, 1_000)] {
        assert_eq!(store.at(now), has, "at {now}");
    }
    assert_eq!([10_999, 11_000].map(|now| store.ready(now).millis()), [200, 1_000]);
    store.announced(20_000, 2_000);
    store.announced(26_250, 1_000);
    assert_eq!((store.at(26_250), store.wanted_ms()), (1_000, 1_000), "what is taken back leaves no more than it needs");
}

#[test]
fn a_burst_has_what_its_opening_says() {
    let mut store = Store::default();
    store.announced(5, 16_000);
    assert_eq!((store.at(5), store.ready(5)), (16_000, Cadence::SLOWEST));
    store.connected(60_000);
    assert_eq!(store.at(90_000), 16_000, "between two connections a player plays what it has");
    store.heard();
    assert_eq!(store.at(90_000), 200, "a stream that says nothing");
}
