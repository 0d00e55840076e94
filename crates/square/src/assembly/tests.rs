//! What an audience sends, added up; and who is refused.

use super::{Assembly, Due, Settled, Who};
use crate::testing::NOW;
use base::limit::{PARTS_PER_VISITOR_MINUTE_MAX, REACTIONS_PER_ADDRESS_SECOND_MAX, REACTIONS_PER_VISITOR_SECOND_MAX};
use base::{EventId, FaultKind, UnixMillis};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TOWN: EventId = EventId::FIRST;

fn who(ticket: u64) -> Who {
    Who { ticket: Some(ticket), address: None }
}

#[test]
fn a_second_is_told_once() {
    let mut assembly = Assembly::default();
    assembly.react(TOWN, who(1), 0, 1, NOW).expect("counts");
    assembly.react(TOWN, who(2), 0, 9, NOW).expect("counts");
    assert_eq!(assembly.react(TOWN, who(2), 8, 1, NOW), Err(FaultKind::BadRequest));
    assembly.hands_changed(TOWN);
    let due = |reactions, hands, board| Due { event: TOWN, reactions, hands, board };
    assert_eq!(assembly.due(), [due(vec![(0, 2)], true, false)], "without listeners nobody stands for others");
    assert_eq!(assembly.due(), []);
    assembly.listening(TOWN, 200);
    assembly.react(TOWN, who(2), 0, 9, NOW).expect("counts");
    assembly.board_changed(TOWN);
    assert_eq!(assembly.due(), [due(vec![(0, 9)], false, true)]);
}

#[test]
fn nobody_does_it_all_the_time() {
    let mut assembly = Assembly::default();
    for _ in 0..REACTIONS_PER_VISITOR_SECOND_MAX {
        assembly.react(TOWN, who(1), 0, 1, NOW).expect("counts");
    }
    assert_eq!(assembly.react(TOWN, who(1), 0, 1, NOW), Err(FaultKind::TooManyRequests));
    assembly.react(TOWN, who(1), 0, 1, UnixMillis(NOW.0 + 1_000)).expect("another second");
    assembly.react(EventId::LAST, who(1), 0, 1, UnixMillis(NOW.0 + 1_000)).expect("another event");
    let from = |last| Who { ticket: None, address: Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))) };
    for last in 0..REACTIONS_PER_ADDRESS_SECOND_MAX {
        assembly.react(TOWN, from(u16::try_from(last).expect("small")), 0, 1, NOW).expect("counts");
    }
    assert_eq!(assembly.react(TOWN, from(999), 0, 1, NOW), Err(FaultKind::TooManyRequests), "one household");
    let other = Who { ticket: None, address: Some(Ipv4Addr::LOCALHOST.into()) };
    assembly.react(TOWN, other, 0, 1, NOW).expect("another household");
    for _ in 0..PARTS_PER_VISITOR_MINUTE_MAX {
        assembly.may_take_part(TOWN, who(1), NOW).expect("may");
    }
    assert_eq!(assembly.may_take_part(TOWN, who(1), NOW), Err(FaultKind::TooManyRequests));
}

#[test]
fn what_became_of_hands_is_news_once() {
    let mut assembly = Assembly::default();
    let settled = |admitted: &[u64], declined: &[u64]| Settled { admitted: admitted.to_vec(), declined: declined.to_vec() };
    assert_eq!(assembly.seat(TOWN, &[1], &[2]), settled(&[1], &[2]));
    assert_eq!(assembly.seat(TOWN, &[1, 3], &[]), settled(&[3], &[]));
    assert_eq!(assembly.seat(TOWN, &[1, 3], &[2]), settled(&[], &[2]), "declined again, after it was raised again");
}
