//! Tracks line up with the programme, whatever is missing and wherever they are cut.

use super::{Track, resume, sounds};
use crate::fragment::{self, find};
use crate::{init, silence};
use base::{FragmentNumber, MediaTime, Rung};
use std::convert::Infallible;

const PACKET: [u8; Rung::R64.frame_bytes()] = [0xfc; Rung::R64.frame_bytes()];

fn at(tick: u64) -> MediaTime {
    MediaTime(tick * 960)
}

/// Which ticks of a file have sound, up to its end; every fragment follows the one before.
fn heard(mut file: &[u8]) -> (Vec<u64>, u64) {
    let (mut ticks, mut next) = (Vec::new(), 0);
    while !file.is_empty() {
        let found = find(file).unwrap();
        assert_eq!(found.number.0 * 10, next, "no hole, no repetition");
        for frame in file[found.payload.clone()].chunks_exact(found.frame_bytes) {
            if *frame == PACKET {
                ticks.push(next);
            } else {
                assert!(*frame == silence::SHORTEST || frame == silence::frame(Rung::R64));
            }
            next += 1;
        }
        file = &file[found.length()..];
    }
    (ticks, next)
}

fn resumed(file: &[u8]) -> (FragmentNumber, u64) {
    let read = |at: u64, bytes: &mut [u8]| {
        bytes.copy_from_slice(&file[at as usize..][..bytes.len()]);
        Ok::<_, Infallible>(())
    };
    let Ok(found) = resume(file.len() as u64, read);
    found
}

#[test]
fn what_was_said_is_where_it_was_said() {
    let spoken: Vec<u64> = (3..47).chain(60..61).chain(2_000..2_030).chain(99_999..100_004).collect();
    let mut track = Track::new(FragmentNumber(0));
    let mut file: Vec<u8> = spoken.iter().flat_map(|tick| track.push(at(*tick), &PACKET)).collect();
    file.extend(track.stop());
    assert!(track.stop().is_empty());
    let (ticks, end) = heard(&file);
    assert_eq!((ticks, end), (spoken, 100_010));
    assert!(file.len() < 2_000 * 200, "half an hour of silence in {} bytes", file.len());
}

#[test]
fn what_is_late_or_no_packet_is_left_out() {
    let mut track = Track::new(FragmentNumber(1));
    assert!(track.push(at(9), &PACKET).is_empty(), "that is written");
    assert!(track.push(at(12), &[]).is_empty());
    assert!(track.push(at(12), &PACKET).is_empty());
    assert!(track.push(at(11), &PACKET).is_empty());
    assert!(track.push(at(12), &PACKET).is_empty());
    let rest = track.stop();
    let found = find(&rest).unwrap();
    assert_eq!(found.number, FragmentNumber(1));
    assert_eq!(rest[found.payload].chunks_exact(160).filter(|frame| **frame == PACKET).count(), 1);
}

#[test]
fn a_file_goes_on_where_it_is_whole() {
    let mut track = Track::new(FragmentNumber(0));
    let mut file = init::segment().to_vec();
    assert_eq!(resumed(&file), (FragmentNumber(0), file.len() as u64));
    let mut ends = vec![(FragmentNumber(0), file.len())];
    for tick in (0..20).chain(700..710) {
        file.extend(track.push(at(tick), &PACKET));
    }
    let mut place = file.len() - (file.len() - init::segment().len());
    while place < file.len() {
        let found = find(&file[place..]).unwrap();
        place += found.length();
        let ticks = found.payload.len() / found.frame_bytes;
        ends.push((FragmentNumber(found.number.0 + ticks as u64 / 10), place));
    }
    assert_eq!(ends.len(), 6, "nothing, two, 10 s and some of silence, one: {ends:?}");
    for cut in init::segment().len()..=file.len() {
        let expected = ends.iter().rev().find(|(_, end)| *end <= cut).unwrap();
        assert_eq!(resumed(&file[..cut]), (expected.0, expected.1 as u64), "cut at {cut}");
    }
    assert_eq!(fragment::find(b"no fragment at all, but long enough"), Err(fragment::NoFragment::Foreign));
}

#[test]
fn where_sound_begins_and_ends_is_found_without_reading_it() {
    let file = |spoken: std::ops::Range<u64>| {
        let mut track = Track::new(FragmentNumber(0));
        let mut file = init::segment().to_vec();
        spoken.for_each(|tick| file.extend(track.push(at(tick), &PACKET)));
        file.extend(track.stop());
        file
    };
    let found = |file: &[u8]| {
        let mut reads = 0;
        let read = |at: u64, bytes: &mut [u8]| {
            reads += 1;
            bytes.copy_from_slice(&file[at as usize..][..bytes.len()]);
            Ok::<_, Infallible>(())
        };
        let Ok(found) = sounds(file.len() as u64, read);
        (found.map(|range| (range.start.0, range.end.0)), reads)
    };
    assert_eq!(found(init::segment()), (None, 0));
    assert_eq!(found(&file(0..3_000)), (Some((0, 300)), 2));
    assert_eq!(found(&file(1_234..3_001)), (Some((123, 301)), 5), "three pauses, a word, the last one");
    let whole = file(1_234..3_001);
    for cut in 1..whole.len().min(3_600) {
        let torn = &whole[..whole.len() - cut];
        assert_eq!(found(torn).0, Some((123, resumed(torn).0.0)), "{cut} bytes are missing");
    }
}
