//! Guests and reminders on both engines.

use crate::testing::{account, event, on_both};
use base::{FragmentNumber, UnixMillis, Visibility};

#[test]
fn guests_are_named_once_and_go_with_their_event() {
    on_both(|store| async move {
        let (ada, bob) = (account(1, "ada"), account(2, "Bob"));
        for account in [&bob, &ada] {
            store.insert_account(account).await.expect("free");
        }
        let board = event(7, Visibility::Private, 5);
        store.insert_events(None, std::slice::from_ref(&board), &[bob.id, ada.id]).await.expect("free");
        assert_eq!(store.guests(board.id).await.expect("answers"), [ada.clone(), bob]);
        assert!(store.is_guest(board.id, ada.id).await.expect("answers"));
        store.delete_announced(board.id).await.expect("gone");
        assert!(!store.is_guest(board.id, ada.id).await.expect("answers"));
    });
}

#[test]
fn a_reminder_stands_until_it_is_taken_back_or_the_event_is_over() {
    on_both(|store| async move {
        let ada = account(1, "Ada");
        store.insert_account(&ada).await.expect("free");
        for id in [7, 8] {
            let event = event(id, Visibility::Public, 5);
            store.insert_event(&event).await.expect("free");
            for _ in 0..2 {
                store.remind(event.id, ada.id, true).await.expect("noted");
            }
        }
        let wanted = async || store.reminders(ada.id, 9).await.expect("answers").iter().map(|id| id.to_i64()).collect::<Vec<_>>();
        assert_eq!(wanted().await, [7, 8]);
        store.remind(base::EventId::from_random(7), ada.id, false).await.expect("noted");
        assert_eq!(wanted().await, [8]);
        store.mark_ended(base::EventId::from_random(8), UnixMillis(9), FragmentNumber(0)).await.expect("noted");
        assert!(wanted().await.is_empty());
    });
}
