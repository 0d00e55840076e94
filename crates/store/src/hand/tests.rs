//! Raised hands on both engines.

use super::{Hand, Standing};
use crate::testing::{event, on_both};
use crate::vote::Ballot;
use base::{EventId, UnixMillis, Visibility};

fn hand(ticket: u64, at: i64) -> Hand {
    Hand {
        ticket,
        name: format!("N{ticket}"),
        topic: "Trees".into(),
        standing: Standing::Waiting,
        spoke: false,
        raised_at: UnixMillis(at),
        votes: 0,
    }
}

#[test]
fn the_queue_has_an_order_and_an_end() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let queue = async || -> Vec<u64> { store.hands_waiting(town.id).await.expect("answers").iter().map(|hand| hand.ticket).collect() };
        for (ticket, at) in [(u64::MAX, 10), (2, 20), (3, 30)] {
            assert!(store.raise_hand(town.id, &hand(ticket, at), None, 3).await.expect("answers"));
        }
        assert!(!store.raise_hand(town.id, &hand(4, 40), None, 3).await.expect("answers"), "three wait");
        assert_eq!(queue().await, [u64::MAX, 2, 3]);
        assert!(store.raise_hand(town.id, &Hand { topic: "Roads".into(), ..hand(2, 99) }, None, 3).await.expect("answers"));
        let kept = store.hand(town.id, 2).await.expect("answers").expect("is there");
        assert_eq!((kept.topic.as_str(), kept.raised_at), ("Roads", UnixMillis(20)), "its place, what it says now");
        for (voter, new) in [(7, true), (7, false), (8, true)] {
            assert_eq!(store.vote(town.id, Ballot::Hand(3), voter, 0).await.expect("answers"), new);
        }
        assert_eq!(queue().await, [3, u64::MAX, 2], "votes go before time");
        assert!(store.settle_hand(town.id, 3, Standing::Admitted).await.expect("answers"));
        assert!(!store.settle_hand(town.id, 3, Standing::Gone).await.expect("answers"), "it does not wait");
        assert!(store.raise_hand(town.id, &hand(3, 50), None, 3).await.expect("answers"));
        let again = store.hand(town.id, 3).await.expect("answers").expect("is there");
        assert_eq!((again.spoke, again.votes, again.standing), (true, 0, Standing::Waiting));
        assert_eq!(queue().await, [u64::MAX, 2, 3], "who has spoken comes last");
        assert_eq!(store.hand(EventId::from_random(2), 3).await.expect("answers"), None);
    });
}

#[test]
fn one_network_fills_a_part_of_the_queue_however_many_raise_at_once() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let raise = async |ticket, network: Option<u64>| {
            store.raise_hand(town.id, &hand(ticket, 9), network.map(|one| (one, 2)), 9).await.expect("answers")
        };
        let home = Some(u64::MAX);
        let of_home = async || store.hands_waiting_of(town.id, u64::MAX).await.expect("answers");
        let (one, two, three) = tokio::join!(raise(1, home), raise(2, home), raise(3, home));
        assert_eq!([one, two, three].into_iter().filter(|raised| *raised).count(), 2);
        assert_eq!(of_home().await, 2);
        assert!(raise(4, Some(5)).await && raise(5, None).await, "others");
        let theirs = store.hands_waiting(town.id).await.expect("answers").remove(0).ticket;
        assert!(raise(theirs, home).await && !raise(6, home).await, "who waits says something else");
        assert!(store.settle_hand(town.id, theirs, Standing::Gone).await.expect("answers"));
        assert!(of_home().await == 1 && raise(6, home).await, "once one is taken");
    });
}
