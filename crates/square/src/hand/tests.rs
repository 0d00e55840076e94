//! Raised hands: who is heard when, and what is refused.

use super::{has_room, lower, raise, standing, vote};
use crate::testing::{NOW, with_store};
use base::limit::{HANDS_WAITING_MAX, HANDS_WAITING_PER_ADDRESS_MAX};
use base::{FaultKind, FragmentNumber, Speak, UnixMillis, Visibility};
use store::{Standing, Store};

async fn town(store: &Store) -> store::Event {
    let event = store::testing::event(1, Visibility::Public, 1);
    store.insert_event(&event).await.expect("free");
    event
}

#[test]
fn a_hand_says_who_and_what_about() {
    with_store(|store| async move {
        let event = town(&store).await;
        let long = "x".repeat(200);
        let rows = [
            ("Ada", "Trees", None),
            (" Ada\u{202e} ", "Trees\nand roads", None),
            ("", "Trees", Some(FaultKind::TextMissing)),
            ("Ada", " ", Some(FaultKind::TextMissing)),
            (long.as_str(), "Trees", Some(FaultKind::TextTooLong)),
            ("Ada", long.as_str(), Some(FaultKind::TextTooLong)),
        ];
        for (name, topic, refused) in rows {
            let raised = raise(&store, &event, 7, None, name, topic, NOW).await;
            assert_eq!(raised.err().map(|fault| fault.kind), refused, "{name:?} {topic:?}");
        }
        let (hand, place) = standing(&store, event.id, 7).await.expect("is there");
        assert_eq!((hand.name.as_str(), hand.topic.as_str(), place), ("Ada", "Trees and roads", Some(1)));
        let mut closed = event.clone();
        closed.plan.speak = Speak::Invited;
        assert_eq!(raise(&store, &closed, 8, None, "Bo", "Trees", NOW).await.expect_err("closed").kind, FaultKind::HandsClosed);
        store.mark_ended(event.id, NOW, FragmentNumber(1)).await.expect("noted");
        let over = store.event(event.id).await.expect("answers").expect("is there");
        assert_eq!(raise(&store, &over, 7, None, "Ada", "Trees", NOW).await.expect_err("over").kind, FaultKind::EventEnded);
    });
}

#[test]
fn votes_decide_and_a_full_queue_says_so() {
    with_store(|store| async move {
        let event = town(&store).await;
        let most = u64::try_from(HANDS_WAITING_MAX).expect("small");
        for ticket in 1..=most {
            raise(&store, &event, ticket, None, "N", "T", UnixMillis(NOW.0 + ticket.cast_signed())).await.expect("room");
        }
        assert_eq!(raise(&store, &event, 999, None, "N", "T", NOW).await.expect_err("full").kind, FaultKind::HandsFull);
        vote(&store, &event, 5, 999).await.expect("counts");
        vote(&store, &event, 5, 999).await.expect("again changes nothing");
        assert_eq!(vote(&store, &event, 5, 5).await.expect_err("one's own").kind, FaultKind::Forbidden);
        let (hand, place) = standing(&store, event.id, 5).await.expect("is there");
        assert_eq!((hand.votes, place), (1, Some(1)));
        lower(&store, event.id, 5).await.expect("taken down");
        assert_eq!(vote(&store, &event, 5, 998).await.expect_err("down").kind, FaultKind::NotFound);
        let (hand, place) = standing(&store, event.id, 5).await.expect("is there");
        assert_eq!((hand.standing, place), (Standing::Gone, None));
        assert_eq!(standing(&store, event.id, 12_345).await.expect_err("never raised").kind, FaultKind::NotFound);
    });
}

#[test]
fn a_full_queue_and_a_network_s_full_part_of_it_are_told_apart() {
    with_store(|store| async move {
        let event = town(&store).await;
        let one = async |ticket, network| raise(&store, &event, ticket, network, "N", "T", NOW).await.err().map(|fault| fault.kind);
        let share = u64::try_from(HANDS_WAITING_PER_ADDRESS_MAX).expect("small");
        for ticket in 0..share {
            has_room(&store, event.id, Some(7)).await.expect("room");
            assert_eq!(one(ticket, Some(7)).await, None);
        }
        assert_eq!(has_room(&store, event.id, Some(7)).await.expect_err("full").kind, FaultKind::HandsOfNetworkFull);
        assert_eq!(one(900, Some(7)).await, Some(FaultKind::HandsOfNetworkFull));
        assert_eq!(one(0, Some(7)).await, None, "who waits says something else");
        for ticket in share..u64::try_from(HANDS_WAITING_MAX).expect("small") {
            assert_eq!(one(ticket, None).await, None, "a member");
        }
        assert_eq!(one(900, Some(8)).await, Some(FaultKind::HandsFull));
    });
}
