//! The replay: whole tables, offsets that hold, any range, short headers.

use super::*;
use crate::cuts::Cut;
use crate::index::Record;
use crate::world::{World, packet};
use base::Epoch;
use mp4_atom::Decode;
use proptest::prelude::*;

fn world() -> World {
    let mut world = World::new();
    world.run(60, &[Rung::R64]);
    world.skip(7);
    world.run(60, &[Rung::R64]);
    world.end();
    world.cuts = Cuts::read(&Cuts::record(Cut { from: FragmentNumber(3), to: FragmentNumber(5) }));
    world
}

fn whole(world: &World) -> Vec<u8> {
    let index = &world.indexes()[0];
    let replay = Replay::new(index).unwrap();
    world.bytes(&replay.read(index, &world.cuts, 0..u64::MAX))
}

#[test]
fn every_frame_is_where_the_tables_say() {
    let world = world();
    let bytes = whole(&world);
    let mut rest = &bytes[..];
    Ftyp::decode(&mut rest).unwrap();
    let moov = Moov::decode(&mut rest).unwrap();
    let stbl = &moov.trak[0].mdia.minf.stbl;
    let frames = 127 * 10;
    assert_eq!(stbl.stsz.samples, StszSamples::Identical { count: frames, size: 160 });
    assert_eq!(stbl.stts.entries, [SttsEntry { sample_count: frames, sample_delta: 960 }]);
    assert_eq!(moov.trak[0].mdia.mdhd.duration, u64::from(frames) * 960);
    let offsets = &stbl.stco.as_ref().unwrap().entries;
    let (mut frame, mut chunk) = (0, 0);
    for (run, next) in stbl.stsc.entries.iter().zip(stbl.stsc.entries.iter().skip(1).map(|next| next.first_chunk).chain([u32::MAX])) {
        while chunk < offsets.len() && chunk as u32 + 1 < next {
            for nth in 0..run.samples_per_chunk as usize {
                let at = offsets[chunk] as usize + nth * 160;
                let slot = frame / 10;
                let silent = (3..5).contains(&slot) || (60..67).contains(&slot);
                let expected = if silent { silence::frame(Rung::R64).to_vec() } else { packet(Rung::R64, frame) };
                assert_eq!(&bytes[at..at + 160], expected, "frame {frame}");
                frame += 1;
            }
            chunk += 1;
        }
    }
    assert_eq!((frame, chunk), (u64::from(frames), offsets.len()));
    assert_eq!(bytes.len(), offsets[offsets.len() - 1] as usize + 270 * 160);
}

#[test]
fn a_day_keeps_the_header_small() {
    for hours in [1, 6, 24, 100, 200, 1_000] {
        let frames = hours * 3_600 * 50;
        let header = header(frames);
        assert!(header.len() < REPLAY_HEADER_BYTES_MAX, "{hours} h: {} bytes", header.len());
        let mut rest = &header[..];
        Ftyp::decode(&mut rest).unwrap();
        let stbl = Moov::decode(&mut rest).unwrap().trak.remove(0).mdia.minf.stbl;
        let first = stbl.co64.map_or_else(|| u64::from(stbl.stco.unwrap().entries[0]), |co64| co64.entries[0]);
        assert_eq!(first, header.len() as u64, "{hours} h");
    }
}

#[test]
fn a_place_far_in_is_found_past_many_holes() {
    let mut index = Index::new(Rung::R64);
    let numbers: Vec<u64> = (0..10_000).filter(|number| number % 97 != 13).collect();
    for (nth, &number) in numbers.iter().enumerate() {
        let entry = Entry { number: FragmentNumber(number), offset: nth as u64 * 1_700, length: 1_700, epoch: Epoch(1) };
        index.feed(Source::Disk, &Record::Fragment(entry).to_bytes());
    }
    let replay = Replay::new(&index).unwrap();
    let header = replay.header().len() as u64;
    for number in 0..10_000 {
        let extents = replay.read(&index, &Cuts::default(), header + number * 1_600..header + (number + 1) * 1_600);
        match numbers.binary_search(&number) {
            Ok(nth) => assert_eq!(
                extents,
                [Extent::File { rung: Rung::R64, source: Source::Disk, offset: nth as u64 * 1_700 + 100, length: 1_600 }]
            ),
            Err(_) => assert!(matches!(extents[..], [Extent::Inline(_)])),
        }
    }
    assert!(Replay::new(&Index::new(Rung::R64)).is_none());
}

#[test]
fn what_was_cut_off_in_front_and_behind_is_left_out() {
    let cut = |from: u64, to: u64| Cut { from: FragmentNumber(from), to: FragmentNumber(to) };
    let world = world();
    let index = &world.indexes()[0];
    for (proper, cuts, expected) in [
        (0..u64::MAX, &[][..], Some((0, 127))),
        (30..u64::MAX, &[], Some((30, 127))),
        (30..60, &[], Some((30, 60))),
        (30..60, &[cut(20, 40), cut(50, 60)], Some((40, 50))),
        (30..500, &[], Some((30, 127))),
        (30..60, &[cut(0, 50), cut(40, 70)], None),
        (0..u64::MAX, &[cut(0, 10)], Some((10, 127))),
        (0..u64::MAX, &[cut(10, 20), cut(0, 10), cut(120, 500)], Some((20, 120))),
        (15..u64::MAX, &[cut(10, 20), cut(40, 50)], Some((20, 127))),
        (0..u64::MAX, &[cut(100, 127), cut(90, 101)], Some((0, 90))),
        (0..u64::MAX, &[cut(0, 90), cut(80, 200)], None),
        (127..u64::MAX, &[], None),
    ] {
        let cuts = Cuts::read(&cuts.iter().copied().flat_map(Cuts::record).collect::<Vec<_>>());
        let range = FragmentNumber(proper.start)..FragmentNumber(proper.end);
        let range = heard(index, &cuts, range).map(|range| (range.start.0, range.end.0));
        assert_eq!(range, expected, "{cuts:?} of {proper:?}");
    }
}

#[test]
fn a_part_has_the_very_bytes_of_the_whole() {
    let world = world();
    let index = &world.indexes()[0];
    let sound = |replay: &Replay| {
        let header = replay.header().len() as u64;
        world.bytes(&replay.read(index, &world.cuts, header..u64::MAX))
    };
    let whole = sound(&Replay::new(index).unwrap());
    for (from, to) in [(0, 1), (2, 6), (55, 70), (100, 127), (0, 127)] {
        let part = Replay::of(FragmentNumber(from)..FragmentNumber(to)).unwrap();
        assert_eq!(part.total_bytes(), part.header().len() as u64 + (to - from) * 1_600);
        assert!(sound(&part) == whole[from as usize * 1_600..to as usize * 1_600], "{from} to {to}");
    }
    assert!(Replay::of(FragmentNumber(7)..FragmentNumber(7)).is_none());
}

proptest! {
    #[test]
    fn any_range_is_a_slice_of_the_whole(start in 0u64..210_000, length in 0u64..30_000) {
        let world = world();
        let index = &world.indexes()[0];
        let replay = Replay::new(index).unwrap();
        let whole = whole(&world);
        prop_assert_eq!(whole.len() as u64, replay.total_bytes());
        let extents = replay.read(index, &world.cuts, start..start + length);
        let (start, end) = ((start as usize).min(whole.len()), ((start + length) as usize).min(whole.len()));
        prop_assert_eq!(world.bytes(&extents), &whole[start..end]);
    }
}
