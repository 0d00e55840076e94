//! The writer: what it seals when, starts and stops of rungs, the end, a full disk.

use super::*;
use crate::world::{World, heard, media_name, packet, perform};
use base::time::TICK_SAMPLES;

fn at(tick: u64) -> MediaTime {
    MediaTime(tick * TICK_SAMPLES as u64)
}

fn said(append: &Append) -> (u64, u64, usize) {
    match append.says {
        Record::Fragment(entry) => (entry.number.0, entry.offset, entry.length as usize),
        Record::End { number, offset, .. } => (number.0, offset, 0),
    }
}

#[test]
fn rungs_start_where_their_fragments_do_and_share_one_timeline() {
    let mut world = World::new();
    world.run(2, &[Rung::R64]);
    world.run(9, &Rung::ALL);
    let first = |rung: Rung| crate::index::records(world.disk.read(&format!("Disk/{rung}.idx"))).next();
    let number = |record: Option<Record>| record.map(|record| if let Record::Fragment(entry) = record { entry.number.0 } else { 0 });
    assert_eq!(Rung::ALL.map(|rung| number(first(rung))), [Some(0), Some(2), Some(5)]);
    for rung in Rung::ALL {
        let file = world.disk.read(&media_name(rung, Source::Disk));
        assert!(file.starts_with(init::segment()));
        assert!(heard(&file[init::segment().len()..]).iter().all(|(_, heard)| *heard == crate::world::Heard::Sound(rung)));
    }
}

#[test]
fn a_packet_from_before_the_open_fragment_is_too_late() {
    let mut writer = Writer::open(&Opening::fresh());
    assert_eq!(writer.push(at(20), Rung::R64, &packet(Rung::R64, 20)), Ok(None));
    assert_eq!(writer.push(at(12), Rung::R64, &packet(Rung::R64, 12)), Err(PushError::TooLate { rung: Rung::R64 }));
    let sealed = writer.stop(Rung::R64).map(|append| said(&append).0);
    assert_eq!(sealed, Some(2), "numbers only grow");
}

#[test]
fn packets_of_a_wrong_size_or_too_late_are_refused() {
    let mut writer = Writer::open(&Opening { first: FragmentNumber(3), ..Opening::fresh() });
    assert_eq!(writer.push(at(30), Rung::R64, &[0; 10]), Err(PushError::WrongSize { rung: Rung::R64, bytes: 10 }));
    assert_eq!(writer.push(at(29), Rung::R64, &packet(Rung::R64, 29)), Err(PushError::TooLate { rung: Rung::R64 }));
    for tick in 30..40 {
        let sealed = writer.push(at(tick), Rung::R64, &packet(Rung::R64, tick)).unwrap();
        assert_eq!(sealed.is_some(), tick == 39);
    }
    assert_eq!(writer.push(at(39), Rung::R64, &packet(Rung::R64, 39)), Err(PushError::TooLate { rung: Rung::R64 }));
    // A rung whose fragment spans the epoch's beginning starts with its next one.
    assert_eq!(writer.push(at(30), Rung::R16, &packet(Rung::R16, 30)), Ok(None));
    assert_eq!(writer.stop(Rung::R16), None);
}

#[test]
fn what_is_missing_is_silent() {
    let mut writer = Writer::open(&Opening::fresh());
    for tick in [2, 3, 7] {
        assert_eq!(writer.push(at(tick), Rung::R64, &packet(Rung::R64, tick)), Ok(None));
    }
    // The next fragment's first packet seals this one.
    let append = writer.push(at(10), Rung::R64, &packet(Rung::R64, 10)).unwrap().unwrap();
    let fragment = &append.media[init::segment().len()..];
    let frames: Vec<&[u8]> = fragment[fragment.len() - 1_600..].chunks(160).collect();
    for (tick, frame) in (0..).zip(frames) {
        let expected = if [2, 3, 7].contains(&tick) { packet(Rung::R64, tick) } else { silence::frame(Rung::R64).to_vec() };
        assert_eq!(frame, expected, "tick {tick}");
    }
}

#[test]
fn the_end_fills_up_what_is_under_way_and_stands_in_every_file() {
    let mut writer = Writer::open(&Opening::fresh());
    let mut appends = Vec::new();
    for tick in 0..63 {
        for rung in [Rung::R64, Rung::R16] {
            appends.extend(writer.push(at(tick), rung, &packet(rung, tick)).unwrap());
        }
    }
    let (last, end) = writer.end();
    assert_eq!(end, FragmentNumber(7));
    let told: Vec<(Rung, u64, bool)> = last.iter().map(|append| (append.rung, said(append).0, append.media.is_empty())).collect();
    assert_eq!(told, [(Rung::R64, 6, false), (Rung::R64, 7, true), (Rung::R16, 10, true)]);
    assert_eq!(appends.last().map(said).map(|said| said.0), Some(5), "the saver rung's fragment that was under way is dropped");
}

#[test]
fn a_rung_that_stopped_starts_again_with_its_next_fragment() {
    let mut world = World::new();
    world.run(7, &Rung::ALL);
    assert_eq!(world.writer.stop(Rung::R16), None);
    world.run(8, &Rung::ALL);
    let numbers: Vec<u64> = crate::index::records(world.disk.read("Disk/16.idx"))
        .map(|record| if let Record::Fragment(entry) = record { entry.number.0 } else { 0 })
        .collect();
    assert_eq!(numbers, [0, 10]);
}

#[test]
fn appends_touch_each_other() {
    let mut world = World::new();
    world.run(20, &Rung::ALL);
    for rung in Rung::ALL {
        let mut at = init::segment().len() as u64;
        for record in crate::index::records(world.disk.read(&format!("Disk/{rung}.idx"))) {
            let Record::Fragment(entry) = record else { continue };
            assert_eq!(entry.offset, at);
            at = entry.end();
        }
        assert_eq!(at, world.disk.read(&media_name(rung, Source::Disk)).len() as u64);
    }
}

#[test]
fn a_full_disk_sends_the_programme_to_memory() {
    let mut world = World::new();
    world.run(3, &[Rung::R64, Rung::R32]);
    let mut failed = Vec::new();
    for tick in 30..40 {
        for rung in [Rung::R64, Rung::R32] {
            failed.extend(world.writer.push(at(tick), rung, &packet(rung, tick)).unwrap());
        }
    }
    assert_eq!(failed.len(), 2);
    let anew = world.writer.divert(failed);
    assert!(world.writer.is_diverted());
    for append in &anew {
        assert_eq!((append.source, append.media_at, append.record_at), (Source::Memory, 0, 0));
        assert!(append.media.starts_with(init::segment()));
        perform(&mut world.disk, append);
    }
    world.skip(1);
    world.run(3, &[Rung::R64]);
    let (extents, next) = world.ask(|programme| programme.extents(Rung::R64, FragmentNumber(0), FragmentNumber(100)));
    assert_eq!(next, FragmentNumber(7));
    assert_eq!(heard(&world.bytes(&extents)).len(), 7);
    assert_eq!(world.indexes()[0].recording().len(), 3, "memory is no recording");
}

#[test]
fn a_disk_that_is_full_from_the_start_loses_nothing_live() {
    let mut writer = Writer::open(&Opening::fresh());
    let failed: Vec<Append> = (0..10).filter_map(|tick| writer.push(at(tick), Rung::R64, &packet(Rung::R64, tick)).unwrap()).collect();
    let media = failed[0].media.clone();
    let anew = writer.divert(failed);
    assert_eq!(anew[0].media, media);
}
