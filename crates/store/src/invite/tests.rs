//! Invites on both engines.

use super::{Guest, Invite};
use crate::testing::{event, on_both};
use base::{EventId, UnixMillis, Visibility};

fn invite(id: u64, event: EventId, guest: Guest, at: i64) -> Invite {
    Invite {
        id,
        event,
        guest,
        name: format!("Guest {id}"),
        note: "on bridges".into(),
        created_by: None,
        created_at: UnixMillis(at),
        revoked_at: None,
    }
}

#[test]
fn invites_read_back_in_order_and_are_taken_back_once() {
    on_both(|store| async move {
        let (town, other) = (event(1, Visibility::Public, 1), event(2, Visibility::Public, 1));
        for event in [&town, &other] {
            store.insert_event(event).await.expect("free");
        }
        let first = invite(u64::MAX, town.id, Guest::Speaker, 5);
        let second = invite(7, town.id, Guest::CoHost, 6);
        let elsewhere = invite(8, other.id, Guest::Speaker, 7);
        for one in [&first, &second, &elsewhere] {
            assert!(store.insert_invite(one, 2).await.expect("free"));
        }
        assert!(matches!(store.insert_invite(&first, 9).await, Err(crate::Error::Taken)));
        assert!(!store.insert_invite(&invite(9, town.id, Guest::Speaker, 8), 2).await.expect("answers"), "two are there");
        assert_eq!(store.invites(town.id).await.expect("answers"), [second, first.clone()]);
        for (at, kept) in [(50, 50), (60, 50)] {
            store.revoke_invite(u64::MAX, UnixMillis(at)).await.expect("noted");
            let found = store.invite(u64::MAX).await.expect("answers");
            assert_eq!(found, Some(Invite { revoked_at: Some(UnixMillis(kept)), ..first.clone() }));
        }
        assert_eq!(store.invite(9).await.expect("answers"), None);
    });
}
