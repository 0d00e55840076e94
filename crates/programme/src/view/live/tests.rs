//! Where a stream begins.

use super::*;
use crate::world::World;

#[test]
fn reads_what_an_address_says() {
    for (text, expected) in [
        ("live", Some(From::Live)),
        ("0", Some(From::Fragment(FragmentNumber(0)))),
        ("17", Some(From::Fragment(FragmentNumber(17)))),
        ("-1", Some(From::SecondsBack(1))),
        ("", None),
        ("-", None),
        ("--1", None),
        ("+1", None),
        ("1.5", None),
        ("Live", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(From::parse(text), expected, "{text}");
    }
}

#[test]
fn begins_at_a_fragment_of_its_rung_and_never_before_the_first() {
    let mut world = World::new();
    world.run(203, &Rung::ALL);
    for (rung, from, cadence, expected) in [
        (Rung::R64, From::Live, 0, 178),
        (Rung::R32, From::Live, 0, 158),
        (Rung::R16, From::Live, 0, 115),
        (Rung::R64, From::SecondsBack(1), 0, 198),
        (Rung::R16, From::SecondsBack(1), 0, 195),
        (Rung::R64, From::SecondsBack(u64::MAX), 0, 0),
        (Rung::R64, From::SecondsBack(0), 0, 203),
        (Rung::R64, From::Live, 5, 99),
        (Rung::R16, From::Live, 1, 115),
        (Rung::R16, From::Live, 2, 110),
        (Rung::R64, From::SecondsBack(1), 1, 193),
        (Rung::R16, From::SecondsBack(1), 1, 185),
        (Rung::R64, From::SecondsBack(1), 5, 118),
        (Rung::R64, From::SecondsBack(30), 5, 53),
        (Rung::R64, From::Fragment(FragmentNumber(200)), 5, 200),
        (Rung::R64, From::Fragment(FragmentNumber(7)), 0, 7),
        (Rung::R16, From::Fragment(FragmentNumber(7)), 0, 5),
        (Rung::R64, From::Fragment(FragmentNumber(u64::MAX)), 0, 203),
    ] {
        assert_eq!(
            world.ask(|programme| start(programme, rung, from, Cadence::ALL[cadence])),
            FragmentNumber(expected),
            "{rung} {from:?} {cadence}"
        );
    }
    assert_eq!(World::new().ask(|programme| start(programme, Rung::R64, From::Live, Cadence::QUICKEST)), FragmentNumber(0));
}

#[test]
fn the_burst_wakes_a_bare_audio_element() {
    for rung in Rung::ALL {
        assert!(burst_seconds(rung) * u64::from(rung.bits_per_second()) / 8 >= ELEMENT_BLOCK_BYTES, "rung {rung}");
    }
}
