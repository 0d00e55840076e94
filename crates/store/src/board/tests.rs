//! Pins, polls and questions on both engines.

use crate::testing::{event, on_both};
use crate::vote::Ballot;
use base::{UnixMillis, Visibility};

const NOW: UnixMillis = UnixMillis(5);

#[test]
fn pins_are_numbered_and_taken_down() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        for (text, number) in [("a", Some(1)), ("b", Some(2)), ("c", None)] {
            assert_eq!(store.insert_pin(town.id, text, "", NOW, 2).await.expect("answers"), number);
        }
        assert!(store.take_pin(town.id, 1, NOW).await.expect("answers"));
        assert!(!store.take_pin(town.id, 1, NOW).await.expect("answers"), "it is down");
        assert_eq!(store.insert_pin(town.id, "d", "https://d.example/", NOW, 2).await.expect("answers"), Some(3), "no number twice");
        let pins = store.pins(town.id).await.expect("answers");
        assert_eq!(pins.iter().map(|pin| (pin.number, pin.address.as_str())).collect::<Vec<_>>(), [(3, "https://d.example/"), (2, "")]);
    });
}

#[test]
fn one_poll_is_open_and_its_votes_stand() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let answers = ["Yes".to_owned(), "No".to_owned()];
        let open = async |most| store.insert_poll(town.id, "So?", &answers, NOW, most).await.expect("answers");
        assert_eq!((open(2).await, open(2).await), (Some(1), None));
        for (voter, answer, new) in [(1, 1, true), (1, 0, false), (2, 1, true), (3, 0, true), (4, 9, true)] {
            assert_eq!(store.vote(town.id, Ballot::Poll(1), voter, answer).await.expect("answers"), new);
        }
        let poll = store.newest_poll(town.id).await.expect("answers").expect("is there");
        assert_eq!((poll.votes, poll.answers, poll.open), (vec![1, 2], answers.to_vec(), true));
        assert_eq!(store.votes_of(town.id, 1).await.expect("answers"), [(Ballot::Poll(1), 1)]);
        assert!(store.close_poll(town.id, 1).await.expect("answers"));
        assert!(!store.close_poll(town.id, 1).await.expect("answers"));
        assert_eq!((open(2).await, store.close_poll(town.id, 2).await.expect("answers"), open(2).await), (Some(2), true, None));
    });
}

#[test]
fn questions_stand_by_votes() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        for (text, number) in [("a", Some(1)), ("b", Some(2)), ("c", Some(3)), ("d", None)] {
            assert_eq!(store.insert_question(town.id, u64::MAX, ("Ada", text), NOW, 3).await.expect("answers"), number);
        }
        for voter in [1, 2] {
            assert!(store.vote(town.id, Ballot::Question(2), voter, 0).await.expect("answers"));
        }
        assert!(store.settle_question(town.id, 1).await.expect("answers"));
        let asked = store.questions(town.id, 9).await.expect("answers");
        assert_eq!(asked.iter().map(|one| (one.number, one.votes)).collect::<Vec<_>>(), [(2, 2), (3, 0)]);
        assert!(store.has_question(town.id, 3).await.expect("answers") && !store.has_question(town.id, 1).await.expect("answers"));
    });
}
