//! LL-HLS: playlists, addresses, what is held and what is refused.

use super::*;
use crate::announcement::Delay;
use crate::cuts::{Cut, Cuts};
use crate::world::{World, heard};
use base::limit::PLAYLIST_BYTES_MAX;
use proptest::prelude::*;

const CLOCK: [(FragmentNumber, UnixMillis); 1] = [(FragmentNumber(0), UnixMillis(1_763_683_200_000))];

fn world(slots: u64) -> World {
    let mut world = World::new();
    world.run(slots, &Rung::ALL);
    world
}

fn playlist(world: &World, rung: Rung, skip: bool) -> String {
    world.ask(|programme| media(programme, rung, &CLOCK, skip)).unwrap_or_default()
}

#[test]
fn one_variant_a_rung() {
    insta::assert_snapshot!(multivariant());
}

#[test]
fn a_young_programme() {
    assert_eq!(playlist(&world(0), Rung::R64, false), "");
    insta::assert_snapshot!("one_part", playlist(&world(4), Rung::R64, false));
}

#[test]
fn a_programme_under_way() {
    insta::assert_snapshot!("under_way_64", playlist(&world(30 * 4 + 8), Rung::R64, false));
    insta::assert_snapshot!("under_way_16", playlist(&world(30 * 4 + 8), Rung::R16, false));
}

#[test]
fn a_new_epoch_behind_a_hole_and_a_cut() {
    let mut world = world(65);
    world.reopen(&crate::write::Opening { epoch: Epoch(2), first: FragmentNumber(75), ..reopening(&world) });
    world.run(20, &Rung::ALL);
    world.cuts = Cuts::read(&Cuts::record(Cut { from: FragmentNumber(2), to: FragmentNumber(4) }));
    let clock = [CLOCK[0], (FragmentNumber(75), UnixMillis(CLOCK[0].1.0 + 60_000))];
    insta::assert_snapshot!("new_epoch", world.ask(|programme| media(programme, Rung::R32, &clock, false)).unwrap());
}

#[test]
fn a_programme_that_lost_its_first_fragments_is_heard_at_once() {
    for (rung, first) in [(Rung::R64, 10), (Rung::R64, 44), (Rung::R16, 13)] {
        let mut world = World::new();
        world.reopen(&crate::write::Opening { first: FragmentNumber(first), ..crate::write::Opening::fresh() });
        world.run(12, &Rung::ALL);
        let text = playlist(&world, rung, false);
        let sequence = format!("#EXT-X-MEDIA-SEQUENCE:{}\n", first / SLOTS_PER_SEGMENT);
        assert!(text.contains(&sequence), "{text}");
        let parts: Vec<&str> = text.split("URI=\"").filter_map(|rest| rest.split_once('"')?.0.split_once('/')).map(|pair| pair.1).collect();
        let (hinted, named) = parts.split_last().expect("parts");
        assert!(!named.is_empty());
        for part in named {
            let address = Address::parse(part).unwrap();
            assert!(world.ask(|programme| extents(programme, rung, &address)).is_ok(), "{rung} {part}");
        }
        let hinted = Address::parse(hinted).unwrap();
        assert_eq!(world.ask(|programme| extents(programme, rung, &hinted)), Err(Ready::NotYet));
    }
}

fn reopening(world: &World) -> crate::write::Opening {
    let lengths = |rung: Rung| crate::write::Lengths {
        media: world.disk.read(&format!("Disk/{rung}.mp4")).len() as u64,
        index: world.disk.read(&format!("Disk/{rung}.idx")).len() as u64,
    };
    crate::write::Opening { disk: Rung::ALL.map(lengths), ..crate::write::Opening::fresh() }
}

#[test]
fn a_delta_leaves_out_what_the_client_has() {
    insta::assert_snapshot!("delta", playlist(&world(30 * 12 + 3), Rung::R64, true));
    assert_eq!(playlist(&world(100), Rung::R64, true), playlist(&world(100), Rung::R64, false), "nothing to skip");
}

#[test]
fn an_ended_programme() {
    let mut world = world(70);
    world.end();
    insta::assert_snapshot!("ended", playlist(&world, Rung::R64, false));
}

#[test]
fn a_long_programme_slides_and_stays_small() {
    let mut world = World::new();
    world.reopen(&crate::write::Opening { first: FragmentNumber(108_000), ..reopening(&world) });
    world.run(30 * 60 + 29, &[Rung::R64]);
    for rung in Rung::ALL {
        let text = playlist(&world, rung, false);
        assert!(text.len() < PLAYLIST_BYTES_MAX / 2, "{} bytes", text.len());
        assert_eq!(text.matches("#EXTINF").count() as u64, SEGMENTS_PER_PLAYLIST);
        assert!(text.contains("#EXT-X-MEDIA-SEQUENCE:3610\n"), "{text}");
    }
}

#[test]
fn addresses_have_one_form() {
    let address = Address { kind: Kind::Segment, place: Place { epoch: Epoch(1), number: FragmentNumber(30) }, revision: 0 };
    for (text, expected) in [
        ("s1.30.m4s", Some(address)),
        ("p1.30.m4s", Some(Address { kind: Kind::Part, ..address })),
        ("s1.30.2.m4s", Some(Address { revision: 2, ..address })),
        ("s1.30.0.m4s", None),
        ("s01.30.m4s", None),
        ("s1.+30.m4s", None),
        ("s1.30.m4s?", None),
        ("s1.m4s", None),
        ("s1.30.2.2.m4s", None),
        ("x1.30.m4s", None),
        ("ß1.30.m4s", None),
        ("", None),
    ] {
        assert_eq!(Address::parse(text), expected, "{text}");
    }
}

#[test]
fn what_comes_is_held_and_what_can_not_come_is_refused() {
    let world = world(64);
    for (rung, msn, part, expected) in [
        (Rung::R64, 0, None, Ready::Yes),
        (Rung::R64, 1, None, Ready::Yes),
        (Rung::R64, 2, None, Ready::NotYet),
        (Rung::R64, 2, Some(0), Ready::Yes),
        (Rung::R64, 2, Some(1), Ready::NotYet),
        (Rung::R64, 1, Some(10), Ready::Yes),
        (Rung::R64, 3, Some(0), Ready::NotYet),
        (Rung::R64, 9, Some(0), Ready::No),
        (Rung::R64, u64::MAX, Some(u64::MAX), Ready::No),
        (Rung::R16, 2, Some(0), Ready::NotYet),
        (Rung::R16, 1, Some(5), Ready::Yes),
    ] {
        assert_eq!(world.ask(|programme| ready(programme, rung, msn, part)), expected, "{rung} {msn} {part:?}");
    }
    let get =
        |name: &str| world.ask(|programme| extents(programme, Rung::R64, &Address::parse(name).unwrap()).map(|extents| extents.len()));
    for (name, expected) in [
        ("s1.30.m4s", Ok(1)),
        ("p1.60.m4s", Ok(1)),
        ("p1.63.m4s", Err(Ready::NotYet)),
        ("p1.66.m4s", Err(Ready::No)),
        ("s1.60.m4s", Err(Ready::NotYet)),
        ("s1.31.m4s", Err(Ready::No)),
        ("s2.30.m4s", Err(Ready::No)),
        ("s1.30.1.m4s", Err(Ready::No)),
        ("s1.18446744073709551600.m4s", Err(Ready::No)),
    ] {
        assert_eq!(get(name), expected, "{name}");
    }
}

#[test]
fn a_delayed_programme_ends_for_its_listeners_later() {
    let mut world = world(100);
    world.end();
    let rungs = world.indexes();
    let at = |idle: u64| {
        let published = crate::view::published(&rungs[0], Delay::Seconds5, idle);
        media(&Programme { rungs: &rungs, cuts: &world.cuts, published }, Rung::R64, &CLOCK, false).unwrap()
    };
    assert!(!at(0).contains("ENDLIST") && !at(4_000).contains("ENDLIST"));
    assert!(at(5_000).contains("ENDLIST"));
}

/// Every address in a playlist.
fn addresses(text: &str) -> Vec<(Address, bool)> {
    let hint = |line: &str| line.starts_with("#EXT-X-PRELOAD-HINT");
    let name = |line: &str| line.split('"').nth(1).unwrap_or(line).split_once('/').and_then(|(_, name)| Address::parse(name));
    text.lines().filter(|line| line.contains(".m4s")).map(|line| (name(line).unwrap(), hint(line))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a playlist names is there, has the length that it says, and is the same bytes as in the stream; a hint is held.
    #[test]
    fn what_is_named_is_there(slots in 3u64..200, late in 0u64..40, hole in 0u64..20, more in 0u64..40, ends: bool) {
        let mut world = World::new();
        world.run(late, &[Rung::R64]);
        world.run(slots, &Rung::ALL);
        world.skip(hole);
        world.run(more, &Rung::ALL);
        if ends {
            world.end();
        }
        for rung in Rung::ALL {
            let text = playlist(&world, rung, false);
            prop_assert_eq!(text.contains("ENDLIST"), ends && !text.is_empty());
            for (address, is_hint) in addresses(&text) {
                let got = world.ask(|programme| extents(programme, rung, &address));
                if is_hint {
                    prop_assert_eq!(got, Err(Ready::NotYet), "{} in\n{}", address, text);
                    continue;
                }
                let bytes = world.bytes(&got.expect("named, so there"));
                prop_assert_eq!(heard(&bytes)[0].0, address.place.number);
                let from = address.place.number;
                let (stream, _) = world.ask(|programme| programme.extents(rung, from, FragmentNumber(from.0 + address.slots(rung))));
                prop_assert_eq!(bytes, world.bytes(&stream));
            }
        }
    }

    #[test]
    fn arbitrary_names_never_panic(name in ".{0,30}") {
        let _ = Address::parse(&name);
    }
}

#[test]
fn dates_are_rfc_3339() {
    for (millis, expected) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_763_683_200_999, "2025-11-21T00:00:00.999Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(Date(millis).to_string(), expected);
    }
}
