//! Gaps, repeats and stalls, row by row.

use super::*;
use proptest::prelude::*;

const BUFFER: u32 = 3_000;

/// The buffer, and the quickest cadence.
const LIMIT: u32 = 3_200;

/// Counts of (gaps, repeats, stalls) after these fragments: (time, number, slots), `None` for a new connection.
fn counts(rows: &[Option<(u32, u64, u64)>]) -> (u32, u32, u32) {
    let (mut hearing, mut counts) = (Hearing::default(), (0, 0, 0));
    for row in rows {
        let Some((now, number, slots)) = *row else {
            hearing.connected(0);
            continue;
        };
        let noted = hearing.note(now, BUFFER, Passed { number, slots });
        counts.0 += u32::from(noted.is_gap);
        counts.1 += u32::from(noted.is_repeat);
        counts.2 += u32::from(noted.ends_stall);
    }
    counts
}

#[test]
fn faults_are_counted() {
    let at = |now, number| Some((now, number, 1));
    for (rows, expected, what) in [
        (vec![None, at(0, 5), at(200, 6), at(400, 7)], (0, 0, 0), "nothing wrong"),
        (vec![None, at(0, 5), at(200, 7)], (1, 0, 0), "one is missing"),
        (vec![None, at(0, 5), at(200, 100)], (1, 0, 0), "many are missing: one gap"),
        (vec![None, at(0, 5), at(200, 6), at(400, 6)], (0, 1, 0), "said twice"),
        (vec![None, at(0, 5), at(200, 6), None, at(900, 7)], (0, 0, 0), "a connection went on"),
        (vec![None, at(0, 5), at(200, 6), None, at(900, 5), at(900, 6), at(900, 7)], (0, 0, 0), "a connection began again a little before"),
        (vec![None, at(0, 5), at(200, 6), None, at(900, 9)], (1, 0, 0), "a connection lost something"),
        (vec![None, at(0, 5), None, at(900, 6), at(950, 5)], (0, 1, 0), "going back after going on"),
        (vec![None, at(0, 5), at(3_200, 6), at(6_401, 7)], (0, 0, 1), "a silence longer than the buffer"),
        (vec![None, at(0, 4), at(100, 5), Some((200, 5, 5)), Some((300, 10, 5))], (0, 0, 0), "another rung overlaps"),
    ] {
        assert_eq!(counts(&rows), expected, "{what}");
    }
}

#[test]
fn a_stall_is_counted_once_and_ends_with_sound() {
    let mut hearing = Hearing::default();
    assert!(!hearing.is_newly_stalled(10_000, BUFFER) && !hearing.plays(0, BUFFER), "who heard nothing yet waits, but does not stall");
    hearing.note(0, BUFFER, Passed { number: 0, slots: 1 });
    assert!(hearing.plays(LIMIT, BUFFER) && !hearing.is_newly_stalled(LIMIT, BUFFER));
    assert!(hearing.is_newly_stalled(LIMIT + 1, BUFFER) && !hearing.is_newly_stalled(LIMIT + 2, BUFFER));
    assert!(!hearing.plays(LIMIT + 2, BUFFER));
    assert!(!hearing.note(LIMIT + 3, BUFFER, Passed { number: 1, slots: 1 }).ends_stall, "it was counted when it began");
    assert!(hearing.is_newly_stalled(2 * LIMIT + 4, BUFFER));
}

#[test]
fn a_player_that_was_told_bridges_more() {
    let mut hearing = Hearing::default();
    hearing.connected(0);
    hearing.announced(0, 4_000);
    hearing.note(0, BUFFER, Passed { number: 0, slots: 1 });
    assert!(hearing.plays(7_000, BUFFER) && !hearing.is_newly_stalled(7_000, BUFFER));
    assert!(hearing.is_newly_stalled(7_001, BUFFER));
    hearing.announced(8_000, 8_000);
    assert_eq!([57_999, 58_000].map(|now| hearing.ready(now).millis()), [4_000, 8_000]);
}

#[test]
fn one_send_in_many_reads_is_one_send() {
    let mut hearing = Hearing::default();
    let mut seen = Vec::new();
    for (now, number) in [(0, 0), (10, 1), (30, 2), (1_000, 3), (1_020, 4), (2_000, 5)] {
        seen.extend(hearing.note(now, BUFFER, Passed { number, slots: 1 }).cadence_ms);
    }
    assert_eq!(seen, [1_000, 1_000]);
}

proptest! {
    #[test]
    fn each_left_out_number_run_is_one_gap(keep in proptest::collection::vec(any::<bool>(), 2..200)) {
        let kept: Vec<u64> = (0u64..).zip(&keep).filter(|(_, kept)| **kept).map(|(number, _)| number).collect();
        let rows: Vec<_> = std::iter::once(None).chain(kept.iter().map(|&number| Some((u32::try_from(number * 200).unwrap(), number, 1)))).collect();
        let expected = kept.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
        prop_assert_eq!(counts(&rows).0 as usize, expected);
    }
}
