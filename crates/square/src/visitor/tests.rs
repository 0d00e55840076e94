//! Numbers of visitors.

use super::{Known, ticket};
use crate::Secret;
use crate::testing::chance;
use base::EventId;
use store::AccountId;

#[test]
fn a_visitor_has_one_number_in_each_event() {
    let (here, there) = (EventId::from_random(1), EventId::from_random(2));
    let (ada, bo) = (Secret::new(&chance(1)), Secret::new(&chance(2)));
    let numbers = [
        ticket(here, Known::Account(AccountId(1))),
        ticket(here, Known::Account(AccountId(2))),
        ticket(there, Known::Account(AccountId(1))),
        ticket(here, Known::Cookie(&ada)),
        ticket(here, Known::Cookie(&bo)),
        ticket(there, Known::Cookie(&ada)),
        ticket(here, Known::Encoder(Some(AccountId(1)))),
        ticket(here, Known::Encoder(None)),
    ];
    let mut different = numbers.to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), numbers.len());
    assert_eq!(numbers[3], ticket(here, Known::Cookie(&Secret::new(&chance(1)))), "the same when they come again");
}
