//! A listener's cadence under a target that wanders.

use super::*;
use proptest::prelude::*;

/// What is announced, and at which slots it holds, when a listener's sends come as they are due and the target is `target(slot)`.
fn follow(slots: u64, target: impl Fn(u64) -> Cadence) -> Vec<(u64, Option<Cadence>, Cadence)> {
    let (mut pace, mut slot, mut sends) = (Pace::born(Cadence::QUICKEST), 0, Vec::new());
    while slot < slots {
        let (next, announced) = pace.next(target(slot), FragmentNumber(slot));
        sends.push((slot, announced, next.now));
        (pace, slot) = (next, slot + next.now.slots());
    }
    sends
}

#[test]
fn a_raise_goes_step_by_step_and_a_fall_at_once() {
    let sends = follow(3_000, |slot| if slot < 2_500 { Cadence::SLOWEST } else { Cadence::QUICKEST });
    let announced: Vec<_> = sends.iter().filter_map(|(slot, announced, _)| Some((*slot, announced.as_ref()?.millis()))).collect();
    let steps: Vec<u64> = announced.iter().map(|(_, millis)| *millis).collect();
    assert_eq!(steps, [1_000, 2_000, 4_000, 8_000, 16_000, 200]);
    let (fell, _, cadence) = *sends.iter().find(|(_, announced, _)| *announced == Some(Cadence::QUICKEST)).unwrap();
    assert_eq!(cadence, Cadence::QUICKEST, "it holds with the send that says so");
    assert!(fell < 2_500 + Cadence::SLOWEST.slots());
}

#[test]
fn a_raise_that_is_no_longer_wanted_is_taken_back() {
    let one = Cadence::QUICKEST.slower();
    let (pace, announced) = Pace::born(Cadence::QUICKEST).next(Cadence::SLOWEST, FragmentNumber(7));
    assert_eq!((pace.now, announced), (Cadence::QUICKEST, Some(one)));
    assert_eq!(pace.next(Cadence::SLOWEST, FragmentNumber(8)), (pace, None));
    assert_eq!(pace.next(Cadence::QUICKEST, FragmentNumber(8)), (Pace::born(Cadence::QUICKEST), Some(Cadence::QUICKEST)));
    assert_eq!(pace.next(one, FragmentNumber(7 + notice_slots(Cadence::QUICKEST, one))), (Pace::born(one), None));
}

#[test]
fn a_notice_is_what_a_player_needs_and_a_reserve() {
    for pair in Cadence::ALL.windows(2) {
        let growth_millis = (pair[1].millis() - pair[0].millis()) as f64;
        let needed = growth_millis / (PLAYER_SLOWDOWN_PERCENT as f64 / 100.0);
        let given = (notice_slots(pair[0], pair[1]) * SLOT_MILLIS) as f64;
        assert!((needed * 1.25 + 2_000.0..needed * 1.25 + 2_200.0).contains(&given), "{pair:?}: {given} ms for {needed} ms");
    }
}

proptest! {
    #[test]
    fn no_cadence_holds_before_a_player_is_ready_for_it(targets in proptest::collection::vec((1u64..400, 0usize..6), 1..30)) {
        let target = |slot: u64| {
            let mut end = 0;
            let found = targets.iter().find(|(slots, _)| { end += slots; slot < end });
            Cadence::ALL[found.map_or(0, |(_, place)| *place)]
        };
        // A player that plays at 0.92 of its speed while it has less in store behind a send than the cadence it was told, and no
        // faster than it should otherwise; it begins with what the quickest cadence takes.
        let (mut store, mut told, mut before) = (200.0, Cadence::QUICKEST, 0);
        for (slot, announced, now) in follow(targets.iter().map(|(slots, _)| slots).sum(), target) {
            let elapsed = (slot - before) as f64 * SLOT_MILLIS as f64;
            let played = if store < told.millis() as f64 { elapsed * 0.92 } else { elapsed };
            prop_assert!(store >= played - 1e-6, "it ran dry at slot {slot}");
            store = (store - played + elapsed).min((told.millis() as f64).max(store));
            told = announced.unwrap_or(told);
            before = slot;
            prop_assert!(now <= told, "{now} was not announced");
            prop_assert!(store + 1e-6 >= now.millis() as f64, "slot {slot}: {store} ms in store for {now} ms");
        }
    }
}
