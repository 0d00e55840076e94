//! What an audience sends, added up; and who may send more.

use super::{Assembly, Due, Settled, Who};
use crate::testing::NOW;
use base::limit::{
    HANDS_PER_ADDRESS_MINUTE_MAX, PARTS_PER_ADDRESS_MINUTE_MAX, PARTS_PER_VISITOR_MINUTE_MAX, REACTIONS_PER_ADDRESS_SECOND_MAX,
    REACTIONS_PER_VISITOR_SECOND_MAX, VISITORS_PER_ADDRESS_HOUR_MAX,
};
use base::{EventId, FaultKind, UnixMillis};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TOWN: EventId = EventId::FIRST;

fn who(ticket: u64) -> Who {
    Who { ticket: Some(ticket), is_member: false, address: None }
}

/// Somebody in one household, who has this number.
fn at_home(ticket: Option<u64>, one: u32) -> Who {
    let last = u16::try_from(one).expect("small");
    Who { ticket, is_member: false, address: Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))) }
}

#[test]
fn a_lecture_hall_takes_part_and_a_machine_is_not_many() {
    let mut assembly = Assembly::default();
    let minute = |minute: i64| UnixMillis(NOW.0 + minute * 60_000);
    for visitor in 0..VISITORS_PER_ADDRESS_HOUR_MAX {
        assembly.may_take_part(TOWN, at_home(Some(visitor.into()), 1), NOW).expect("may");
    }
    assert_eq!(assembly.may_take_part(TOWN, at_home(Some(9_999), 1), NOW), Err(FaultKind::TooManyRequests));
    assert_eq!(assembly.may_take_part(TOWN, at_home(Some(9_999), 1), minute(1)), Err(FaultKind::VisitorsFull));
    assembly.may_take_part(TOWN, at_home(Some(7), 1), minute(1)).expect("who was there before");
    assembly.may_take_part(TOWN, Who { is_member: true, ..at_home(Some(9_999), 1) }, minute(1)).expect("a member");
    assembly.may_take_part(TOWN, at_home(Some(9_999), 1), minute(61)).expect("an hour later");
}

#[test]
fn a_minute_s_hands_of_one_address_are_counted() {
    let mut assembly = Assembly::default();
    let somebody = at_home(Some(1), 1);
    for _ in 0..HANDS_PER_ADDRESS_MINUTE_MAX {
        assembly.may_raise(somebody, NOW).expect("may");
    }
    assert_eq!(assembly.may_raise(at_home(None, 2), NOW), Err(FaultKind::TooManyRequests), "one household");
    assembly.may_raise(Who { is_member: true, ..somebody }, NOW).expect("a member");
    assembly.may_raise(Who { address: Some(Ipv4Addr::LOCALHOST.into()), ..somebody }, NOW).expect("another household");
    assembly.may_raise(somebody, UnixMillis(NOW.0 + 60_000)).expect("a minute later");
}

#[test]
fn members_are_not_counted_by_their_address() {
    let mut assembly = Assembly::default();
    let member = |ticket: u32| Who { is_member: true, ..at_home(Some(ticket.into()), 1) };
    for ticket in 0..=PARTS_PER_ADDRESS_MINUTE_MAX {
        assembly.may_take_part(TOWN, member(ticket), NOW).expect("a company of members");
    }
    assembly.may_take_part(TOWN, at_home(Some(9_999), 1), NOW).expect("nor do they use up what others may");
    for _ in 1..PARTS_PER_VISITOR_MINUTE_MAX {
        assembly.may_take_part(TOWN, member(0), NOW).expect("may");
    }
    assert_eq!(assembly.may_take_part(TOWN, member(0), NOW), Err(FaultKind::TooManyRequests), "each by themselves");
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
    for one in 0..REACTIONS_PER_ADDRESS_SECOND_MAX {
        assembly.react(TOWN, at_home(Some(one.into()), one), 0, 1, NOW).expect("counts");
    }
    assert_eq!(assembly.react(TOWN, at_home(Some(999), 999), 0, 1, NOW), Err(FaultKind::TooManyRequests), "one household");
    let other = Who { ticket: None, is_member: false, address: Some(Ipv4Addr::LOCALHOST.into()) };
    for _ in 0..REACTIONS_PER_VISITOR_SECOND_MAX {
        assembly.react(TOWN, other, 0, 1, NOW).expect("another household");
    }
    assert_eq!(assembly.react(TOWN, other, 0, 1, NOW), Err(FaultKind::TooManyRequests), "whom nothing tells apart is one");
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
