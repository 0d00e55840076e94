//! The index: fed piecewise, looked up by number, holes and two sources.

use super::*;
use proptest::prelude::*;

fn entry(number: u64, nth: u64) -> Entry {
    Entry { number: FragmentNumber(number), offset: nth * 100, length: 100, epoch: Epoch(1) }
}

fn file(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().zip(0..).flat_map(|(&number, nth)| Record::Fragment(entry(number, nth)).to_bytes()).collect()
}

#[test]
fn a_record_is_laid_out_as_the_formats_say() {
    let record = Record::Fragment(Entry { number: FragmentNumber(1), offset: 2, length: 3, epoch: Epoch(4) });
    let bytes = record.to_bytes();
    assert_eq!(bytes[..28], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(bytes[28..], crc32fast::hash(&bytes[..28]).to_le_bytes());
    assert_eq!(Record::read(&bytes), Some(record));
    let end = Record::End { number: FragmentNumber(9), offset: 10, epoch: Epoch(4) };
    assert_eq!(Record::read(&end.to_bytes()), Some(end));
}

#[test]
fn a_torn_record_waits_for_its_rest() {
    let bytes = file(&[0, 1, 2]);
    let mut index = Index::new(Rung::R64);
    assert_eq!(index.feed(Source::Disk, &bytes[..70]), 2);
    assert_eq!(index.position(Source::Disk), 64);
    assert_eq!(index.feed(Source::Disk, &bytes[64..]), 1);
    assert_eq!(index.sealed_end(), FragmentNumber(3));
}

#[test]
fn memory_goes_on_where_the_disk_ends_and_forgets_the_oldest() {
    let mut index = Index::new(Rung::R64);
    index.feed(Source::Disk, &file(&[0, 1]));
    let huge = |number: u64, nth: u64| Entry {
        length: u32::try_from(memory_bytes_max(Rung::R64) / 2).unwrap(),
        offset: nth * memory_bytes_max(Rung::R64) / 2,
        ..entry(number, 0)
    };
    for (number, nth) in [(2, 0), (3, 1)] {
        index.feed(Source::Memory, &Record::Fragment(huge(number, nth)).to_bytes());
    }
    assert_eq!(index.get(FragmentNumber(2)).unwrap().0, Source::Memory);
    index.feed(Source::Memory, &Record::Fragment(huge(4, 2)).to_bytes());
    assert_eq!(index.get(FragmentNumber(2)), None, "punched out");
    assert_eq!(index.at_or_after(FragmentNumber(2)).unwrap().1.number, FragmentNumber(3));
    // A later epoch found the disk with room again.
    index.feed(Source::Disk, &file(&[0, 1, 5])[64..]);
    assert_eq!(index.get(FragmentNumber(4)).unwrap().0, Source::Memory);
    assert_eq!(index.get(FragmentNumber(5)).unwrap().0, Source::Disk);
    assert_eq!(index.recording().len(), 3);
}

proptest! {
    #[test]
    fn looks_up_what_a_plain_search_finds(gaps in prop::collection::vec(1u64..4, 0..60), step in 0usize..40, wanted in 0u64..200) {
        let numbers: Vec<u64> = gaps.iter().scan(0, |number, gap| { *number += gap; Some(*number) }).collect();
        let bytes = file(&numbers);
        let mut index = Index::new(Rung::R64);
        // Fed in pieces that end anywhere.
        let mut until = 0;
        while (index.position(Source::Disk) as usize) < bytes.len() {
            until = (until + step + 1).min(bytes.len());
            index.feed(Source::Disk, &bytes[index.position(Source::Disk) as usize..until]);
        }
        let expected = numbers.iter().copied().find(|&number| number >= wanted);
        prop_assert_eq!(index.at_or_after(FragmentNumber(wanted)).map(|(_, entry)| entry.number.0), expected);
        prop_assert_eq!(index.get(FragmentNumber(wanted)).is_some(), numbers.contains(&wanted));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Index::new(Rung::R16).feed(Source::Disk, &bytes), 0);
    }
}
