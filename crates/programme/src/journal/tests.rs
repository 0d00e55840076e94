//! The journal: every kind there and back, torn tails, damage.

use super::*;
use proptest::prelude::*;

fn every_kind() -> Vec<Entry> {
    let participant = ParticipantId(3);
    let kinds = [
        What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "b".into() },
        What::Joined { participant, key: "k".into(), name: "Ada \"É\"".into(), role: Role::Host },
        What::Joined { participant: ParticipantId(4), key: "l".into(), name: String::new(), role: Role::Speaker },
        What::Renamed { participant, name: "Eve".into() },
        What::Muted { participant, muted: true },
        What::Left { participant },
        What::Removed { participant },
        What::RecordingStopped { first_lost: FragmentNumber(u64::MAX) },
        What::Ended { end: FragmentNumber(10) },
    ];
    kinds.into_iter().zip(1_763_683_200_000..).map(|(what, at)| Entry { at: UnixMillis(at), what }).collect()
}

#[test]
fn every_kind_goes_there_and_back() {
    let bytes: Vec<u8> = every_kind().iter().flat_map(record).collect();
    let journal = Journal::read(&bytes);
    assert_eq!(journal.entries, every_kind());
    assert_eq!(journal.bytes, bytes.len() as u64);
    assert_eq!(journal.end(), Some(FragmentNumber(10)));
    assert_eq!(journal.epochs().collect::<Vec<_>>(), [(Epoch(1), FragmentNumber(0), UnixMillis(1_763_683_200_000))]);
}

#[test]
fn is_written_as_the_formats_say() {
    let lines: Vec<String> = every_kind().iter().map(|entry| String::from_utf8(record(entry)[8..].to_vec()).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"at":1763683200000,"epoch-opened":{"epoch":1,"first":0,"boot":"b"}}
    {"at":1763683200001,"joined":{"participant":3,"key":"k","name":"Ada \"É\"","role":"host"}}
    {"at":1763683200002,"joined":{"participant":4,"key":"l","name":"","role":"speaker"}}
    {"at":1763683200003,"renamed":{"participant":3,"name":"Eve"}}
    {"at":1763683200004,"muted":{"participant":3,"muted":true}}
    {"at":1763683200005,"left":{"participant":3}}
    {"at":1763683200006,"removed":{"participant":3}}
    {"at":1763683200007,"recording-stopped":{"first_lost":18446744073709551615}}
    {"at":1763683200008,"ended":{"end":10}}
    "#);
}

proptest! {
    #[test]
    fn a_torn_tail_leaves_what_is_whole(cut in 0usize..10_000) {
        let records: Vec<Vec<u8>> = every_kind().iter().map(record).collect();
        let bytes = records.concat();
        let cut = cut % (bytes.len() + 1);
        let journal = Journal::read(&bytes[..cut]);
        let whole = records.iter().scan(0, |end, record| { *end += record.len(); Some(*end) }).filter(|&end| end <= cut).count();
        prop_assert_eq!(journal.entries.len(), whole);
        prop_assert_eq!(journal.bytes as usize, records[..whole].concat().len());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Journal::read(&bytes);
    }

    #[test]
    fn a_flipped_bit_ends_the_journal_there(bit in 0usize..100_000) {
        let records: Vec<Vec<u8>> = every_kind().iter().map(record).collect();
        let mut bytes = records.concat();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let journal = Journal::read(&bytes);
        prop_assert!(journal.bytes as usize <= bit / 8);
        prop_assert_eq!(&journal.entries[..], &every_kind()[..journal.entries.len()]);
    }
}
