//! What every view has in common: bridges, holes, cuts, the published mark.

use super::*;
use crate::cuts::Cut;
use crate::world::{Heard, World, heard};
use proptest::prelude::*;

fn play(world: &World, rung: Rung, from: u64, to: u64) -> Vec<(FragmentNumber, Heard)> {
    let (extents, _) = world.ask(|programme| programme.extents(rung, FragmentNumber(from), FragmentNumber(to)));
    heard(&world.bytes(&extents))
}

/// The slots of a stream, each with what is heard in it; fails where time jumps.
fn slots(pieces: &[(FragmentNumber, Heard)], rung: Rung) -> Vec<Heard> {
    let mut slots = Vec::new();
    let first = pieces.first().map_or(0, |piece| piece.0.0);
    for (place, &(number, heard)) in pieces.iter().enumerate() {
        assert_eq!(number.0, first + slots.len() as u64, "time jumps");
        let next = pieces.get(place + 1).map(|next| next.0.0 - number.0);
        let length = next.unwrap_or(if heard == Heard::Sound(Rung::R64) { 1 } else { rung.slots_per_fragment() });
        slots.extend(std::iter::repeat_n(heard, usize::try_from(length).unwrap()));
    }
    slots
}

const S64: Heard = Heard::Sound(Rung::R64);
const S16: Heard = Heard::Sound(Rung::R16);

#[test]
fn a_file_without_holes_is_one_extent() {
    let mut world = World::new();
    world.run(100, &[Rung::R64]);
    let (extents, next) = world.ask(|programme| programme.extents(Rung::R64, FragmentNumber(10), FragmentNumber(90)));
    assert!(matches!(extents[..], [Extent::File { .. }]), "{extents:?}");
    assert_eq!(next, FragmentNumber(90));
}

#[test]
fn a_rung_that_is_not_there_yet_is_bridged() {
    let mut world = World::new();
    world.run(7, &[Rung::R64]);
    world.run(13, &[Rung::R64, Rung::R16]);
    let expected = [[S64; 10], [S16; 10]].concat();
    assert_eq!(slots(&play(&world, Rung::R16, 0, 20), Rung::R16), expected);
    // The rung stops: the listener waits a moment for what does not come, then goes on with the recording.
    world.writer.stop(Rung::R16);
    world.run(6, &[Rung::R64]);
    assert_eq!(play(&world, Rung::R16, 20, 30), []);
    world.run(1, &[Rung::R64]);
    assert_eq!(slots(&play(&world, Rung::R16, 20, 30), Rung::R64), [S64; 7]);
}

#[test]
fn a_running_rung_is_waited_for() {
    let mut world = World::new();
    world.run(13, &Rung::ALL);
    assert_eq!(play(&world, Rung::R16, 5, 100), [(FragmentNumber(5), S16)]);
    assert_eq!(play(&world, Rung::R16, 7, 9).len(), 2, "within a fragment there is only the recording");
}

#[test]
fn holes_and_cuts_are_silent() {
    let mut world = World::new();
    world.run(10, &Rung::ALL);
    world.skip(10);
    world.run(10, &Rung::ALL);
    world.cuts = Cuts::read(&Cuts::record(Cut { from: FragmentNumber(2), to: FragmentNumber(4) }));
    for rung in Rung::ALL {
        let heard = slots(&play(&world, rung, 0, 30), rung);
        let cut = if rung == Rung::R16 { 0..5 } else { 2..4 };
        for (slot, heard) in heard.iter().enumerate() {
            let silent = cut.contains(&slot) || (10..20).contains(&slot);
            assert_eq!(*heard, if silent { Heard::Silence } else { Heard::Sound(rung) }, "rung {rung}, slot {slot}");
        }
        assert_eq!(heard.len(), 30);
    }
}

#[test]
fn the_mark_stays_behind_and_comes_after() {
    let mut world = World::new();
    world.run(60, &[Rung::R64]);
    let recording = &world.indexes()[0];
    for (delay, idle_millis, expected) in [
        (Delay::None, 0, 60),
        (Delay::Seconds5, 0, 35),
        (Delay::Seconds10, 0, 10),
        (Delay::Seconds10, 199, 10),
        (Delay::Seconds10, 200, 11),
        (Delay::Seconds10, 9_900, 59),
        (Delay::Seconds10, 60_000, 60),
    ] {
        assert_eq!(published(recording, delay, idle_millis), FragmentNumber(expected), "{delay:?} after {idle_millis} ms");
    }
    assert_eq!(published(&Index::new(Rung::R64), Delay::Seconds5, 0), FragmentNumber(0));
}

#[test]
fn nothing_behind_the_mark_is_told() {
    let mut world = World::new();
    world.run(30, &Rung::ALL);
    world.end();
    let rungs = world.indexes();
    for mark in 0..30 {
        let programme = Programme { rungs: &rungs, cuts: &world.cuts, published: FragmentNumber(mark) };
        assert!(!programme.has_ended());
        for rung in Rung::ALL {
            assert!(programme.extents(rung, FragmentNumber(0), FragmentNumber(100)).1 <= FragmentNumber(mark));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any history of rungs coming and going, holes and crashes: every rung's stream is one timeline without a jump, and
    /// asking piecewise gives the same bytes as asking at once.
    #[test]
    fn time_never_jumps(history in prop::collection::vec((0u64..20, 0usize..4, 0u64..12), 1..8), stride in 1u64..9) {
        let mut world = World::new();
        world.run(1, &[Rung::R64]);
        for (run, rungs, hole) in history {
            let rungs = [&[Rung::R64][..], &[Rung::R64, Rung::R32], &[Rung::R64, Rung::R16], &Rung::ALL][rungs];
            world.run(run, rungs);
            for rung in [Rung::R32, Rung::R16] {
                assert_eq!(world.writer.stop(rung), None);
            }
            world.skip(hole);
        }
        world.end();
        let end = world.indexes()[0].sealed_end();
        for rung in Rung::ALL {
            let (all, next) = world.ask(|programme| programme.extents(rung, FragmentNumber(0), FragmentNumber(1_000)));
            let all = world.bytes(&all);
            prop_assert!(next >= end);
            slots(&heard(&all), rung);
            let mut pieces = Vec::new();
            let mut at = FragmentNumber(0);
            while at < end {
                let (extents, next) = world.ask(|programme| programme.extents(rung, at, FragmentNumber(at.0 + stride)));
                prop_assert!(next > at);
                pieces.extend(world.bytes(&extents));
                at = next;
            }
            prop_assert_eq!(pieces, all);
        }
    }
}
