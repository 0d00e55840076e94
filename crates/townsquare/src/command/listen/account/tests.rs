//! How far behind somebody is.

use super::*;
use base::Rung;

const FRAGMENT_MS: u64 = 200;

/// One fragment of rung 64.
fn piece(number: u64) -> Piece {
    let frame_bytes = Rung::R64.frame_bytes();
    let frames = vec![0; frame_bytes * Rung::R64.frames_per_fragment()];
    Piece { start: number * FRAGMENT_SAMPLES, frame_bytes, frames, cadence_ms: None }
}

/// Somebody connects 1 s after the command began, when the relay has fragment 99, and is given these, each so many milliseconds after that.
fn behind(edge: Option<u64>, given: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let began = Instant::now();
    let mut account = Account::new(began);
    let connected = began + Duration::from_secs(1);
    account.connected(connected, edge.map(FragmentNumber));
    for (number, millis) in given {
        account.place(connected + Duration::from_millis(millis), &piece(number)).expect("new");
    }
    account.report(1.0).behind_live_ms
}

/// What is sealed behind fragment 99 comes as it is sealed.
fn live(count: u64) -> impl Iterator<Item = (u64, u64)> {
    (1..=count).map(|nth| (99 + nth, nth * FRAGMENT_MS))
}

#[test]
fn who_is_sent_what_is_sealed_is_not_behind() {
    // from=-1: a second at once, of which the first fragment is 800 ms old, then what is live.
    let second = || (95..100).map(|number| (number, 0));
    assert_eq!(behind(Some(99), second()), 0);
    assert_eq!(behind(Some(99), second().chain(live(20))), 0);
    assert_eq!(behind(Some(99), second().chain(live(20)).chain([(120, 21 * FRAGMENT_MS + 150)])), 150, "the last was late");
}

#[test]
fn who_is_sent_the_past_is_behind() {
    assert_eq!(behind(Some(99), (0..5).map(|number| (number, 0))), 95 * FRAGMENT_MS);
    assert_eq!(behind(Some(99), (95..97).map(|number| (number, 30))), 3 * FRAGMENT_MS + 30);
    // In real time from there on it stays so; the edge is remembered for a while.
    assert_eq!(behind(Some(99), (50..60).map(|number| (number, (number - 50) * FRAGMENT_MS))), 49 * FRAGMENT_MS);
}

#[test]
fn a_replay_has_no_edge() {
    assert_eq!(behind(None, (0..5).map(|number| (number, 0))), 0);
}
