//! Recovery: whatever is cut off the two files, every whole fragment stays and no number comes twice.

use super::*;
use crate::index::Source;
use crate::init;
use crate::world::{World, heard, index_name, media_name};
use crate::write::Writer;
use base::journal::Entry as JournalEntry;
use proptest::prelude::*;
use std::convert::Infallible;

fn look(rung: Rung, index: &[u8], media: &[u8], epochs: &[(Epoch, FragmentNumber)]) -> Found {
    let read = |at: u64, into: &mut [u8]| -> Result<(), Infallible> {
        let at = usize::try_from(at).unwrap();
        into.copy_from_slice(&media[at..at + into.len()]);
        Ok(())
    };
    files(rung, index, media.len() as u64, epochs, read).unwrap()
}

/// The index as it is once what was found is put right.
fn mended(found: &Found, index: &[u8]) -> Vec<Entry> {
    let bytes = [&index[..usize::try_from(found.cut_to.index).unwrap()], &found.records].concat();
    records(&bytes).filter_map(|record| if let Record::Fragment(entry) = record { Some(entry) } else { None }).collect()
}

fn world() -> World {
    let mut world = World::new();
    world.run(20, &Rung::ALL);
    world
}

proptest! {
    #[test]
    fn any_cut_of_both_files_leaves_every_whole_fragment(rung in 0usize..3, media_cut in 0usize..100_000, index_cut in 0usize..100_000) {
        let rung = Rung::ALL[rung];
        let world = world();
        let (media, index) = (world.disk.read(&media_name(rung, Source::Disk)), world.disk.read(&index_name(rung, Source::Disk)));
        let all = mended(&Found { cut_to: Lengths { media: 0, index: index.len() as u64 }, ..Found::default() }, index);
        let (media, index) = (&media[..media_cut % (media.len() + 1)], &index[..index_cut % (index.len() + 1)]);
        let found = look(rung, index, media, &[(Epoch(1), FragmentNumber(0))]);
        let whole: Vec<Entry> = all.into_iter().filter(|entry| entry.end() <= media.len() as u64).collect();
        prop_assert_eq!(mended(&found, index), whole.clone());
        let next = whole.last().map_or(0, |last| last.number.0 + rung.slots_per_fragment());
        prop_assert!(found.next.0 >= next);
        prop_assert!(!found.ended);
    }

    #[test]
    fn zeros_that_never_reached_the_disk_are_cut_off(start in 0usize..5_000, length in 512usize..2_000) {
        let world = world();
        let mut media = world.disk.read("Disk/64.mp4").to_vec();
        let index = world.disk.read("Disk/64.idx");
        let start = media.len() - 6_000 + start;
        let end = (start + length).min(media.len());
        media[start..end].fill(0);
        let found = look(Rung::R64, index, &media, &[]);
        let entries = mended(&found, index);
        // Zeros behind the first byte of a fragment's last frame can't be told from sound: 20 ms may be marred.
        prop_assert!(entries.iter().all(|entry| entry.end() < start as u64 + 160 || entry.offset >= end as u64));
        prop_assert_eq!(entries.last().map(Entry::end), Some(found.cut_to.media));
    }

    #[test]
    fn arbitrary_bytes_never_panic(index in prop::collection::vec(any::<u8>(), 0..200), tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let media = [init::segment(), &tail].concat();
        let found = look(Rung::R32, &index, &media, &[]);
        prop_assert_eq!(found.cut_to.media, init::segment().len() as u64);
        look(Rung::R32, &index, &tail, &[]);
    }
}

#[test]
fn sound_outlives_the_init_segment_before_it() {
    let world = world();
    let (media, index) = (world.disk.read("Disk/64.mp4"), world.disk.read("Disk/64.idx"));
    let whole = look(Rung::R64, index, media, &[]);
    let init = init::segment().len();
    for place in [0, 4, 40, init / 2, init - 1] {
        let mut media = media.to_vec();
        media[place] ^= 0x40;
        assert_eq!(look(Rung::R64, index, &media, &[]), whole, "another byte at {place}");
    }
    // An earlier version's is shorter, or longer.
    let other = [&[0, 0, 0, 16][..], b"ftypiso6", &[0; 4], &[0, 0, 0, 8], b"moov"].concat();
    let shift = init - other.len();
    let moved: Vec<u8> = records(index)
        .flat_map(|record| match record {
            Record::Fragment(entry) => Record::Fragment(Entry { offset: entry.offset - shift as u64, ..entry }).to_bytes(),
            end @ Record::End { .. } => end.to_bytes(),
        })
        .collect();
    let found = look(Rung::R64, &moved, &[&other, &media[init..]].concat(), &[]);
    assert_eq!((found.next, found.cut_to.index), (whole.next, whole.cut_to.index));
    // Zeros all over: nothing is whole, and the numbers are not used again.
    let found = look(Rung::R64, index, &vec![0; media.len()], &[]);
    assert_eq!(found, Found { next: whole.next, ..Found::default() });
}

#[test]
fn a_lost_index_is_rebuilt_with_its_epochs() {
    let mut world = World::new();
    world.run(100, &[Rung::R64]);
    let media = world.disk.read("Disk/64.mp4");
    let found = look(Rung::R64, &[], media, &[(Epoch(1), FragmentNumber(0)), (Epoch(2), FragmentNumber(60))]);
    let entries = mended(&found, &[]);
    assert_eq!(entries.len(), 100);
    assert_eq!((entries[59].epoch, entries[60].epoch), (Epoch(1), Epoch(2)));
    assert_eq!(found.lengths(), Lengths { media: media.len() as u64, index: 3_200 });
}

#[test]
fn a_disk_without_room_for_records_keeps_what_has_one() {
    let world = world();
    let (media, index) = (world.disk.read("Disk/64.mp4"), world.disk.read("Disk/64.idx"));
    let index = &index[..12 * RECORD_BYTES];
    let found = look(Rung::R64, index, media, &[]);
    assert_eq!(found.records.len(), 8 * RECORD_BYTES);
    let kept = found.clone().without_records();
    assert_eq!(kept.next, found.next, "heard numbers are not used again");
    assert_eq!(look(Rung::R64, index, &media[..usize::try_from(kept.cut_to.media).unwrap()], &[]).lengths(), kept.lengths());
    assert_eq!(kept.clone().without_records(), kept);
}

#[test]
fn an_ended_programme_stays_ended() {
    let mut world = world();
    let end = world.end();
    let found = look(Rung::R64, world.disk.read("Disk/64.idx"), world.disk.read("Disk/64.mp4"), &[]);
    assert_eq!((found.ended, found.next, found.records.len()), (true, end, 0));
    let disk = [found, Found::default(), Found::default()];
    assert_eq!(opening(&disk, &Default::default(), &Journal::default(), "b", UnixMillis(0)), None);
}

fn journal(entries: &[(i64, What)]) -> Journal {
    let entries = entries.iter().map(|(at, what)| JournalEntry { at: UnixMillis(*at), what: what.clone() }).collect();
    Journal { entries, bytes: 0 }
}

#[test]
fn the_next_epoch_uses_no_number_that_may_have_been_heard() {
    let opened = |epoch: u32, first: u64| What::EpochOpened { epoch: Epoch(epoch), first: FragmentNumber(first), boot: "boot 1".into() };
    let disk = |next: u64| [Found { next: FragmentNumber(next), ..Found::default() }, Found::default(), Found::default()];
    let memory = |next: u64| disk(next);
    let stopped = |first: u64| What::RecordingStopped { first_lost: FragmentNumber(first) };
    for (entries, on_disk, in_memory, boot, now, expected) in [
        (vec![], 0, 0, "boot 1", 0, (1, 0)),
        (vec![(0, opened(1, 0))], 50, 0, "boot 1", 0, (2, 50)),
        (vec![(0, opened(1, 0))], 50, 0, "boot 2", 0, (2, 60)),
        // Nothing of the second epoch is left: its numbers were heard all the same.
        (vec![(0, opened(1, 0)), (1, opened(2, 60))], 50, 0, "boot 2", 0, (3, 70)),
        (vec![(0, opened(1, 0)), (1, stopped(50))], 50, 80, "boot 1", 0, (2, 80)),
        // Ten seconds in memory, gone with the power.
        (vec![(0, opened(1, 0)), (1_000, stopped(50))], 50, 0, "boot 2", 11_000, (2, 110)),
        // Three days without power are no three days of silence.
        (vec![(0, opened(1, 0)), (1_000, stopped(50))], 50, 0, "boot 2", 3 * 86_400_000, (2, 3_060)),
        // The second epoch was on disk again.
        (vec![(0, opened(1, 0)), (1_000, stopped(50)), (2_000, opened(2, 60))], 70, 0, "boot 2", 500_000, (3, 80)),
        // A clock that went back.
        (vec![(0, opened(1, 0)), (1_000, stopped(50))], 50, 0, "boot 2", 0, (2, 60)),
        // A journal that is gone.
        (vec![], 50, 0, "boot 1", 0, (1, 60)),
    ] {
        let found = opening(&disk(on_disk), &memory(in_memory), &journal(&entries), boot, UnixMillis(now)).unwrap();
        assert_eq!((found.epoch.0, found.first.0), expected, "{entries:?}, {on_disk}, {in_memory}, {boot}");
    }
    let ended = journal(&[(0, opened(1, 0)), (1, What::Ended { end: FragmentNumber(50), heard: None })]);
    assert_eq!(opening(&disk(50), &memory(0), &ended, "boot 1", UnixMillis(0)), None);
}

#[test]
fn the_programme_goes_on_in_the_same_files() {
    let mut world = world();
    let found = Rung::ALL
        .map(|rung| look(rung, world.disk.read(&index_name(rung, Source::Disk)), world.disk.read(&media_name(rung, Source::Disk)), &[]));
    let journal = journal(&[(0, What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "b".into() })]);
    let opening = opening(&found, &Default::default(), &journal, "b", UnixMillis(0)).unwrap();
    assert_eq!(Writer::open(&opening).first(), FragmentNumber(20));
    world.reopen(&opening);
    world.run(10, &Rung::ALL);
    for rung in Rung::ALL {
        let index = &world.indexes()[rung.place()];
        assert_eq!(index.sealed_end(), FragmentNumber(30));
        assert_eq!(index.get(FragmentNumber(20)).unwrap().1.epoch, Epoch(2));
        let file = world.disk.read(&media_name(rung, Source::Disk));
        assert_eq!(heard(&file[init::segment().len()..]).len() as u64, 30 / rung.slots_per_fragment());
    }
}
