//! Streams as the programme writes them, cut anywhere.

use super::*;
use base::{Cadence, FragmentNumber, Rung};
use programme::fragment::{self, payload_bytes, seal};
use programme::init;
use proptest::prelude::*;

fn stream(rung: Rung, numbers: &[u64]) -> Vec<u8> {
    let mut bytes = init::segment().to_vec();
    bytes.extend_from_slice(b"\0\0\0\x10free--------");
    for number in numbers {
        let facts = number.is_multiple_of(2).then_some(r#"{"n":1}"#);
        bytes.extend(seal(rung, FragmentNumber(*number), facts, &vec![0; payload_bytes(rung)]));
    }
    bytes
}

/// The fragments that pass when the bytes come in pieces of these sizes, over and over.
fn passed(bytes: &[u8], sizes: &[usize]) -> Result<Vec<Passed>, Foreign> {
    let (mut boxes, mut found, mut rest) = (Boxes::new(), Vec::new(), bytes);
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        while let Some(passed) = boxes.next(&mut piece)? {
            found.push(passed);
        }
    }
    Ok(found)
}

proptest! {
    #[test]
    fn fragments_are_found_however_the_bytes_come(sizes in proptest::collection::vec(1usize..3_000, 1..20), first in 0u64..(1 << 40)) {
        for rung in Rung::ALL {
            let slots = rung.slots_per_fragment();
            let numbers: Vec<u64> = (0..5).map(|nth| (first + nth) * slots).collect();
            let expected: Vec<Passed> = numbers.iter().map(|&number| Passed { number, slots }).collect();
            prop_assert_eq!(passed(&stream(rung, &numbers), &sizes), Ok(expected));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..500), size in 1usize..50) {
        let _ = passed(&bytes, &[size]);
    }
}

#[test]
fn an_announced_cadence_is_read_however_the_bytes_come() {
    let mut bytes = stream(Rung::R64, &[6]);
    bytes.extend(fragment::cadence(FragmentNumber(7), Cadence::SLOWEST));
    bytes.extend(stream(Rung::R64, &[7, 8]).split_off(init::segment().len()));
    for size in [1, 7, 50, 100_000] {
        let (mut boxes, mut heard) = (Boxes::new(), Vec::new());
        for mut piece in bytes.chunks(size) {
            loop {
                let passed = boxes.next(&mut piece).unwrap();
                heard.extend(boxes.take_cadence().map(|millis| (u64::from(millis), 0)));
                let Some(Passed { number, slots }) = passed else { break };
                heard.push((number, slots));
            }
        }
        assert_eq!(heard, [(6, 1), (16_000, 0), (7, 1), (8, 1)], "{size} bytes at once");
    }
}

#[test]
fn a_fragment_passes_with_its_last_byte() {
    let bytes = stream(Rung::R64, &[7]);
    assert_eq!(passed(&bytes[..bytes.len() - 1], &[100]), Ok(vec![]));
    assert_eq!(passed(&bytes, &[100]), Ok(vec![Passed { number: 7, slots: 1 }]));
}

#[test]
fn foreign_bytes_are_refused() {
    let lying = {
        let mut bytes = seal(Rung::R64, FragmentNumber(7), None, &vec![0; payload_bytes(Rung::R64)]);
        let sequence = bytes.windows(4).position(|window| window == b"mfhd").unwrap() + 8;
        bytes[sequence + 3] += 1;
        bytes
    };
    for bytes in [b"OggS\0\0\0\0\0\0\0\0".to_vec(), b"\xff\xff\xff\xffmdat".to_vec(), b"\0\0\0\x08mdat".to_vec(), lying] {
        assert_eq!(passed(&bytes, &[bytes.len()]), Err(Foreign), "{bytes:?}");
    }
}
