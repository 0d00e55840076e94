//! Whose turn it is, slot by slot.

use super::*;
use proptest::prelude::*;

fn seated(listeners: u32, cadence: Cadence) -> Rota {
    let mut rota = Rota::default();
    for ordinal in 0..listeners {
        rota.seat(Seat::of(ordinal, Rung::R64, cadence), (ordinal, 0));
    }
    rota
}

/// Those whose turn it is up to a slot, by their number.
fn turn(rota: &mut Rota, to: u64) -> Vec<u32> {
    let mut seats = Vec::new();
    rota.turn(Rung::R64, FragmentNumber(to), false, |seat| seats.push(seat));
    let mut keys = Vec::new();
    for seat in seats {
        keys.extend((0..).map_while(|nth| rota.nth(seat, nth)).map(|(key, _)| key));
    }
    keys
}

#[test]
fn everybody_has_one_turn_in_a_cadence_and_the_turns_are_even() {
    for cadence in Cadence::ALL {
        let mut rota = seated(800, cadence);
        rota.begin([FragmentNumber(1_000); 3]);
        let mut all = Vec::new();
        for slot in 1..=cadence.slots() {
            let due = turn(&mut rota, 1_000 + slot);
            assert_eq!(due.len() as u64, 800 / cadence.slots(), "{cadence} ms, slot {slot}");
            all.extend(due);
        }
        all.sort_unstable();
        assert_eq!(all, (0..800).collect::<Vec<_>>());
    }
}

#[test]
fn a_turn_that_has_not_begun_is_no_second_turn() {
    let mut rota = seated(10, Cadence::QUICKEST);
    let mut count = 0;
    for slot in 1..=3 {
        rota.turn(Rung::R64, FragmentNumber(slot), false, |_| count += 1);
    }
    assert_eq!(count, 1);
    let seat = Seat::of(0, Rung::R64, Cadence::QUICKEST);
    assert!(rota.nth(seat, 0).is_some() && rota.nth(seat, 1).is_some());
    rota.turn(Rung::R64, FragmentNumber(4), false, |_| count += 1);
    assert_eq!(count, 2, "who has had it in the turn under way is due again");
}

#[test]
fn what_comes_later_at_the_same_slot_is_sent_at_once_only_at_the_quickest() {
    let mut due = Vec::new();
    let mut rota = seated(10, Cadence::QUICKEST);
    rota.seat(Seat::of(0, Rung::R64, Cadence::SLOWEST), (99, 0));
    rota.turn(Rung::R64, FragmentNumber(80), false, |seat| due.push(seat));
    assert_eq!(due.len(), 2);
    assert!(due.iter().all(|&seat| rota.nth(seat, 0).is_some()), "the turn begins");
    due.clear();
    rota.turn(Rung::R64, FragmentNumber(80), true, |seat| due.push(seat));
    assert_eq!(due, [Seat::of(0, Rung::R64, Cadence::QUICKEST)]);
}

#[test]
fn a_mark_that_goes_back_gives_nobody_a_turn() {
    let mut rota = seated(10, Cadence::QUICKEST);
    assert_eq!(turn(&mut rota, 100).len(), 10);
    assert!(turn(&mut rota, 90).is_empty());
    assert_eq!(turn(&mut rota, 91).len(), 10);
}

#[test]
fn who_is_gone_is_forgotten_when_many_are() {
    let mut rota = seated(10_000, Cadence::SLOWEST);
    rota.tidy(5_000, |_, _| panic!("half of them are there"));
    rota.tidy(100, |seat, (key, _)| key < 100 && seat == Seat::of(key, Rung::R64, Cadence::SLOWEST));
    let mut all = turn(&mut rota, 1_000);
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn however_the_mark_jumps_nobody_is_left_out(jumps in proptest::collection::vec(0u64..200, 1..60), place in 0usize..6) {
        let cadence = Cadence::ALL[place];
        let mut rota = seated(160, cadence);
        let (mut slot, mut last) = (0, vec![0; 160]);
        for jump in jumps {
            slot += jump;
            let due = turn(&mut rota, slot);
            for key in &due {
                last[*key as usize] = slot;
            }
            let mut once = due.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), due.len(), "somebody has two turns at once");
            for at in &last {
                prop_assert!(slot - at < cadence.slots(), "somebody is left out at slot {}", slot);
            }
        }
    }
}
