//! The journal: every kind there and back, torn tails, damage.

use super::*;
use base::ParticipantId;
use base::journal::{Budget, Clock, ClockMode, MutedBy, Role};
use proptest::prelude::*;

fn every_kind() -> Vec<Entry> {
    let participant = ParticipantId(3);
    let clock = Clock {
        mode: ClockMode::Side,
        budget_ms: 120_000,
        budgets: vec![Budget { name: "For".into(), who: vec![participant], left_ms: 90_500 }],
        running: Some(participant),
    };
    let kinds = [
        What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "b".into() },
        What::Joined { participant, key: "k".into(), name: "Ada \"É\"".into(), role: Role::Host, ticket: u64::MAX, backstage: false },
        What::Joined {
            participant: ParticipantId(4),
            key: "l".into(),
            name: String::new(),
            role: Role::Speaker,
            ticket: 7,
            backstage: true,
        },
        What::Stepped { participant, backstage: true },
        What::Promoted { participant, role: Role::CoHost },
        What::Ready { participant, ready: true },
        What::Renamed { participant, name: "Eve".into() },
        What::Muted { participant, by: Some(MutedBy::Themselves) },
        What::Muted { participant, by: Some(MutedBy::Host) },
        What::Muted { participant, by: Some(MutedBy::Clock) },
        What::Muted { participant, by: None },
        What::Left { participant },
        What::Removed { participant },
        What::Banned { ticket: 7 },
        What::Locked { locked: true },
        What::InCharge { participant: Some(participant) },
        What::InCharge { participant: None },
        What::Succession { order: vec![participant, ParticipantId(4)] },
        What::Admitted { ticket: 8, name: "Eve".into() },
        What::Declined { ticket: 9 },
        What::Clock { clock: Some(clock) },
        What::Clock { clock: None },
        What::Spoken { totals: vec![(participant, 1_200)] },
        What::DoorsOpened,
        What::Begun { first: FragmentNumber(5) },
        What::RecordingStopped { first_lost: FragmentNumber(u64::MAX) },
        What::Held { from: Some(FragmentNumber(6)) },
        What::Held { from: None },
        What::Ended { end: FragmentNumber(10), heard: Some(FragmentNumber(8)) },
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
fn an_end_is_known_by_the_last_bytes() {
    let over: Vec<u8> = every_kind().iter().flat_map(record).collect();
    let longest = What::Ended { end: FragmentNumber(u64::MAX), heard: Some(FragmentNumber(u64::MAX)) };
    let longest = record(&Entry { at: UnixMillis(i64::MIN), what: longest });
    let tail = |bytes: &[u8]| bytes[bytes.len().saturating_sub(usize::try_from(TAIL_BYTES).unwrap())..].to_vec();
    assert!(is_over(&tail(&over)) && is_over(&tail(&[over.clone(), longest].concat())));
    let open: Vec<u8> = every_kind().iter().rev().skip(1).rev().flat_map(record).collect();
    for open in [&open[..], &over[..over.len() - 1], &[&over[..], b"x"].concat(), b""] {
        assert!(!is_over(&tail(open)));
    }
}

#[test]
fn what_older_versions_wrote_is_read() {
    let line = br#"{"at":5,"joined":{"participant":3,"key":"k","name":"Ada","role":"host"}}"#;
    let joined =
        What::Joined { participant: ParticipantId(3), key: "k".into(), name: "Ada".into(), role: Role::Host, ticket: 0, backstage: false };
    assert_eq!(Journal::read(&record::frame(line)).entries, [Entry { at: UnixMillis(5), what: joined }]);
    let lines = [&br#"{"at":5,"muted":{"participant":3,"muted":true}}"#[..], br#"{"at":6,"ended":{"end":7}}"#];
    let entries = Journal::read(&lines.map(record::frame).concat()).entries;
    let muted = What::Muted { participant: ParticipantId(3), by: Some(MutedBy::Themselves) };
    let ended = What::Ended { end: FragmentNumber(7), heard: None };
    assert_eq!(entries.into_iter().map(|entry| entry.what).collect::<Vec<_>>(), [muted, ended]);
}

#[test]
fn an_event_begins_with_its_programme_or_after_the_doors() {
    let opened = |epoch, first| What::EpochOpened { epoch: Epoch(epoch), first: FragmentNumber(first), boot: String::new() };
    let begun = |what: &[What]| {
        let entries = what.iter().map(|what| Entry { at: UnixMillis(0), what: what.clone() }).collect();
        Journal { entries, bytes: 0 }.begun()
    };
    assert_eq!(begun(&[]), None);
    assert_eq!(begun(&[opened(1, 10), opened(2, 20)]), Some(FragmentNumber(10)));
    assert_eq!(begun(&[What::DoorsOpened, opened(1, 0), opened(2, 20)]), None);
    let proper = |what: &[What]| {
        let entries = what.iter().map(|what| Entry { at: UnixMillis(0), what: what.clone() }).collect();
        let proper = Journal { entries, bytes: 0 }.proper();
        (proper.start.0, proper.end.0)
    };
    let ended = |heard: Option<u64>| What::Ended { end: FragmentNumber(90), heard: heard.map(FragmentNumber) };
    assert_eq!(proper(&[]), (0, u64::MAX));
    assert_eq!(proper(&[What::DoorsOpened, opened(1, 0)]), (u64::MAX, u64::MAX));
    assert_eq!(proper(&[opened(1, 10), ended(None)]), (10, u64::MAX));
    assert_eq!(proper(&[opened(1, 10), What::Held { from: Some(FragmentNumber(60)) }, ended(Some(40))]), (10, 40));
    assert_eq!(begun(&[What::DoorsOpened, opened(1, 0), What::Begun { first: FragmentNumber(30) }]), Some(FragmentNumber(30)));
}

#[test]
fn is_written_as_the_formats_say() {
    let lines: Vec<String> = every_kind().iter().map(|entry| String::from_utf8(record(entry)[8..].to_vec()).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"at":1763683200000,"epoch-opened":{"epoch":1,"first":0,"boot":"b"}}
    {"at":1763683200001,"joined":{"participant":3,"key":"k","name":"Ada \"É\"","role":"host","ticket":18446744073709551615,"backstage":false}}
    {"at":1763683200002,"joined":{"participant":4,"key":"l","name":"","role":"speaker","ticket":7,"backstage":true}}
    {"at":1763683200003,"stepped":{"participant":3,"backstage":true}}
    {"at":1763683200004,"promoted":{"participant":3,"role":"co-host"}}
    {"at":1763683200005,"ready":{"participant":3,"ready":true}}
    {"at":1763683200006,"renamed":{"participant":3,"name":"Eve"}}
    {"at":1763683200007,"muted":{"participant":3,"muted":true}}
    {"at":1763683200008,"muted":{"participant":3,"muted":true,"by":"host"}}
    {"at":1763683200009,"muted":{"participant":3,"muted":true,"by":"clock"}}
    {"at":1763683200010,"muted":{"participant":3,"muted":false}}
    {"at":1763683200011,"left":{"participant":3}}
    {"at":1763683200012,"removed":{"participant":3}}
    {"at":1763683200013,"banned":{"ticket":7}}
    {"at":1763683200014,"locked":{"locked":true}}
    {"at":1763683200015,"in-charge":{"participant":3}}
    {"at":1763683200016,"in-charge":{"participant":null}}
    {"at":1763683200017,"succession":{"order":[3,4]}}
    {"at":1763683200018,"admitted":{"ticket":8,"name":"Eve"}}
    {"at":1763683200019,"declined":{"ticket":9}}
    {"at":1763683200020,"clock":{"clock":{"mode":"side","budget_ms":120000,"budgets":[{"name":"For","who":[3],"left_ms":90500}],"running":3}}}
    {"at":1763683200021,"clock":{"clock":null}}
    {"at":1763683200022,"spoken":{"totals":[[3,1200]]}}
    {"at":1763683200023,"doors-opened":{}}
    {"at":1763683200024,"begun":{"first":5}}
    {"at":1763683200025,"recording-stopped":{"first_lost":18446744073709551615}}
    {"at":1763683200026,"held":{"from":6}}
    {"at":1763683200027,"held":{"from":null}}
    {"at":1763683200028,"ended":{"end":10,"heard":8}}
    
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
