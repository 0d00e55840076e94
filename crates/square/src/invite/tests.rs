//! Who invites, and which invites are good.

use super::{Wanted, find_to_revoke, make, of_event, of_ticket, read};
use crate::Actor;
use crate::testing::{NOW, chance, somebody, with_store};
use base::limit::{INVITE_NOTE_CHARS_MAX, INVITES_PER_EVENT_MAX, STAGE_NAME_CHARS_MAX};
use base::{EventId, FaultKind, FragmentNumber, Visibility};
use store::testing::event;
use store::{Guest, Role};

fn wanted(name: &str, role: &str, note: &str) -> Wanted {
    Wanted { name: name.into(), role: role.into(), note: note.into() }
}

#[test]
fn what_is_typed_is_read() {
    let long = |count: usize| "x".repeat(count);
    let rows = [
        (wanted("  Grace \u{202e}Hopper ", "", ""), Ok(("Grace Hopper".to_owned(), Guest::Speaker))),
        (wanted("Grace", "co-host", "compilers"), Ok(("Grace".to_owned(), Guest::CoHost))),
        (wanted("Grace", "host", ""), Err(FaultKind::BadRequest)),
        (wanted(" ", "", ""), Err(FaultKind::InviteUnusable)),
        (wanted(&long(STAGE_NAME_CHARS_MAX), "", &long(INVITE_NOTE_CHARS_MAX)), Ok((long(STAGE_NAME_CHARS_MAX), Guest::Speaker))),
        (wanted(&long(STAGE_NAME_CHARS_MAX + 1), "", ""), Err(FaultKind::InviteUnusable)),
        (wanted("Grace", "", &long(INVITE_NOTE_CHARS_MAX + 1)), Err(FaultKind::InviteUnusable)),
    ];
    for (wanted, expected) in rows {
        let found = read(&wanted, EventId::from_random(1), &Actor::Operator, NOW, &chance(1));
        assert_eq!(found.map(|invite| (invite.name, invite.guest)), expected, "{wanted:?}");
    }
}

#[test]
fn who_runs_the_event_invites_and_takes_back() {
    with_store(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let grace = wanted("Grace", "speaker", "");
        for (actor, fault) in [(Actor::Visitor, FaultKind::NotSignedIn), (somebody(2, Role::Member), FaultKind::Forbidden)] {
            let refused = make(&store, &actor, town.id, &grace, NOW, &chance(1)).await.expect_err("refused");
            assert_eq!(refused.kind, fault);
            assert_eq!(of_event(&store, &actor, town.id).await.expect_err("refused").kind, fault);
        }
        let (_, invite) = make(&store, &Actor::Operator, town.id, &grace, NOW, &chance(1)).await.expect("made");
        assert_eq!(of_ticket(&store, invite.id).await.expect("good"), Some(invite.clone()));
        assert_eq!(of_ticket(&store, 1).await.expect("answers"), None, "a shared link");
        let other = EventId::from_random(2);
        assert_eq!(find_to_revoke(&store, &Actor::Operator, other, invite.id).await.expect_err("none").kind, FaultKind::EventUnknown);
        assert_eq!(find_to_revoke(&store, &Actor::Operator, town.id, 1).await.expect_err("none").kind, FaultKind::NotFound);
        find_to_revoke(&store, &Actor::Operator, town.id, invite.id).await.expect("is there");
        store.revoke_invite(invite.id, NOW).await.expect("noted");
        assert_eq!(of_ticket(&store, invite.id).await.expect_err("taken back").kind, FaultKind::InviteRevoked);
    });
}

#[test]
fn a_full_and_an_ended_event_invite_nobody_else() {
    with_store(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let grace = wanted("Grace", "", "");
        for id in 0..INVITES_PER_EVENT_MAX {
            let mut chance = chance(0);
            chance[4..8].copy_from_slice(&id.to_be_bytes());
            make(&store, &Actor::Operator, town.id, &grace, NOW, &chance).await.expect("made");
        }
        let full = make(&store, &Actor::Operator, town.id, &grace, NOW, &chance(9)).await.expect_err("full");
        assert_eq!(full.kind, FaultKind::InvitesFull);
        store.mark_ended(town.id, NOW, FragmentNumber(0)).await.expect("noted");
        let over = make(&store, &Actor::Operator, town.id, &grace, NOW, &chance(9)).await.expect_err("over");
        assert_eq!(over.kind, FaultKind::EventEnded);
    });
}
