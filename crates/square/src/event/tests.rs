//! Who sees and does what.

use super::{Reach, Wanted, find, find_to_run, list, open, reach};
use crate::Actor;
use crate::testing::{NOW, chance, somebody, with_store};
use base::{FaultKind, FragmentNumber, UnixMillis, Visibility};
use store::{Phase, Role};

fn wanted(title: &str, visibility: &str) -> Wanted {
    Wanted { title: title.into(), start: String::new(), visibility: visibility.into() }
}

#[test]
fn who_sees_what() {
    use Reach::{ByLink, Hidden, Listed};
    let (admin, moderator, member) = (somebody(1, Role::Admin), somebody(2, Role::Moderator), somebody(3, Role::Member));
    // (who, [public, unlisted, private], private when they made it or have a ticket)
    let rows = [
        (Actor::Visitor, [Listed, ByLink, Hidden], ByLink),
        (member, [Listed, ByLink, Hidden], ByLink),
        (moderator, [Listed, ByLink, Hidden], ByLink),
        (admin, [Listed, Listed, Listed], Listed),
        (Actor::Operator, [Listed, Listed, Listed], Listed),
    ];
    for (actor, reaches, invited) in rows {
        for (visibility, wanted) in Visibility::ALL.into_iter().zip(reaches) {
            assert_eq!(reach(&actor, visibility, false, false), wanted, "{actor:?} {visibility:?}");
        }
        assert_eq!(reach(&actor, Visibility::Private, true, false), invited, "{actor:?} made it");
        assert_eq!(reach(&actor, Visibility::Private, false, true), invited, "{actor:?} has a ticket");
    }
}

#[test]
fn who_opens_what() {
    with_store(|store| async move {
        let rows = [
            (Actor::Visitor, wanted("A", ""), Some(FaultKind::NotSignedIn)),
            (somebody(3, Role::Member), wanted("A", ""), Some(FaultKind::Forbidden)),
            (Actor::Operator, wanted("A", ""), None),
            (Actor::Operator, wanted("A", "private"), None),
            (Actor::Operator, wanted("A", "secret"), Some(FaultKind::BadRequest)),
            (Actor::Operator, wanted(" ", ""), Some(FaultKind::TitleMissing)),
            (Actor::Operator, Wanted { start: "soon".into(), ..wanted("A", "") }, Some(FaultKind::BadTime)),
        ];
        for (place, (actor, wanted, refused)) in rows.into_iter().enumerate() {
            let opened = open(&store, &actor, &wanted, NOW, &chance(u8::try_from(place).expect("small"))).await;
            assert_eq!(opened.err().map(|fault| fault.kind), refused, "{actor:?} {wanted:?}");
        }
        assert_eq!(list(&store, &Actor::Visitor, Phase::Announced, 9).await.expect("answers").len(), 1);
        assert_eq!(list(&store, &Actor::Operator, Phase::Announced, 9).await.expect("answers").len(), 2);
    });
}

#[test]
fn a_private_event_is_as_if_it_were_not_there() {
    with_store(|store| async move {
        let event = open(&store, &Actor::Operator, &wanted("A", "private"), NOW, &chance(1)).await.expect("opened");
        let rows = [
            (Actor::Visitor, false, Some(FaultKind::EventUnknown)),
            (Actor::Visitor, true, None),
            (somebody(3, Role::Member), false, Some(FaultKind::EventUnknown)),
            (somebody(1, Role::Admin), false, None),
        ];
        for (actor, ticket, refused) in rows {
            let found = find(&store, &actor, event.id, ticket).await;
            assert_eq!(found.err().map(|fault| fault.kind), refused, "{actor:?} {ticket}");
        }
    });
}

#[test]
fn an_ended_event_is_not_run_again() {
    with_store(|store| async move {
        let event = open(&store, &Actor::Operator, &wanted("A", "public"), NOW, &chance(1)).await.expect("opened");
        let run = async |actor: &Actor| find_to_run(&store, actor, event.id).await.err().map(|fault| fault.kind);
        assert_eq!(run(&Actor::Visitor).await, Some(FaultKind::NotSignedIn));
        assert_eq!(run(&somebody(3, Role::Member)).await, Some(FaultKind::Forbidden));
        assert_eq!(run(&Actor::Operator).await, None);
        store.mark_ended(event.id, UnixMillis(NOW.0 + 1), FragmentNumber(0)).await.expect("noted");
        assert_eq!(run(&Actor::Operator).await, Some(FaultKind::EventEnded));
    });
}
