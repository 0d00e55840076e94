//! Signing in.

use super::{create, first_link, forget, link_for, look, sign_in, sign_out, whose};
use crate::testing::{NOW, chance, somebody, with_store};
use crate::{Actor, Secret};
use base::{FaultKind, UnixMillis};
use store::{Role, Store};

const HOUR: i64 = 3_600_000;

async fn refusal(store: &Store, secret: &Secret, at: i64) -> Option<FaultKind> {
    sign_in(store, secret, "Eve", UnixMillis(NOW.0 + at), &chance(99)).await.err().map(|fault| fault.kind)
}

#[test]
fn the_first_link_makes_the_first_administrator_once() {
    with_store(|store| async move {
        for actor in [Actor::Visitor, somebody(5, Role::Admin)] {
            let refused = first_link(&store, &actor, NOW, &chance(1)).await.expect_err("the operator's alone");
            assert_eq!(refused.kind, FaultKind::Forbidden);
        }
        let link = first_link(&store, &Actor::Operator, NOW, &chance(1)).await.expect("made").expect("nobody is there yet");
        let spare = first_link(&store, &Actor::Operator, NOW, &chance(2)).await.expect("made").expect("nobody is there yet");
        let bad = sign_in(&store, &link, "no spaces", NOW, &chance(3)).await.expect_err("no name");
        assert_eq!(bad.kind, FaultKind::NameUnusable);
        let session = sign_in(&store, &link, "Ada", NOW, &chance(3)).await.expect("a wrong name spent nothing");
        let ada = whose(&store, &session, NOW).await.expect("answers").expect("signed in");
        assert_eq!((ada.name.as_str(), ada.role), ("Ada", Role::Admin));
        assert_eq!(refusal(&store, &link, 0).await, Some(FaultKind::LinkSpent));
        assert_eq!(refusal(&store, &spare, 0).await, Some(FaultKind::LinkSpent), "somebody was first");
        assert!(first_link(&store, &Actor::Operator, NOW, &chance(4)).await.expect("answers").is_none());
    });
}

#[test]
fn looking_spends_nothing_and_age_ends_a_link() {
    with_store(|store| async move {
        let (_, old) = create(&store, &Actor::Operator, "Ada", Role::Member, NOW, &chance(1)).await.expect("made");
        let (_, link) = link_for(&store, &Actor::Operator, "ada", NOW, &chance(2)).await.expect("made");
        for _ in 0..3 {
            look(&store, &link, NOW).await.expect("still good");
        }
        assert_eq!(refusal(&store, &old, HOUR).await, Some(FaultKind::LinkSpent), "an hour is too long");
        assert_eq!(refusal(&store, &link, HOUR - 1).await, None);
        assert_eq!(refusal(&store, &Secret::new(&chance(77)), 0).await, Some(FaultKind::LinkSpent), "never was");
    });
}

#[test]
fn who_may_make_accounts() {
    with_store(|store| async move {
        let rows = [
            (Actor::Visitor, "a", Some(FaultKind::NotSignedIn)),
            (somebody(5, Role::Member), "a", Some(FaultKind::Forbidden)),
            (somebody(5, Role::Moderator), "a", Some(FaultKind::Forbidden)),
            (somebody(5, Role::Admin), "a", None),
            (Actor::Operator, "b", None),
            (Actor::Operator, "B", Some(FaultKind::NameTaken)),
            (Actor::Operator, "", Some(FaultKind::NameUnusable)),
        ];
        for (place, (actor, name, refused)) in rows.into_iter().enumerate() {
            let made = create(&store, &actor, name, Role::Member, NOW, &chance(u8::try_from(place).expect("small"))).await;
            assert_eq!(made.err().map(|fault| fault.kind), refused, "{actor:?} {name:?}");
        }
        let unknown = link_for(&store, &Actor::Operator, "nobody", NOW, &chance(9)).await.expect_err("no such account");
        assert_eq!(unknown.kind, FaultKind::NotFound);
    });
}

#[test]
fn a_session_lives_while_it_is_used() {
    with_store(|store| async move {
        let (_, link) = create(&store, &Actor::Operator, "Ada", Role::Member, NOW, &chance(1)).await.expect("made");
        let session = sign_in(&store, &link, "", NOW, &chance(2)).await.expect("signed in");
        let day = |days: i64| UnixMillis(NOW.0 + days * 24 * HOUR);
        for days in [0, 89, 178] {
            assert!(whose(&store, &session, day(days)).await.expect("answers").is_some(), "used again on day {days}");
        }
        assert!(whose(&store, &session, day(268)).await.expect("answers").is_none(), "90 days without a use");
        forget(&store, day(200)).await.expect("forgets what is old");
        assert!(whose(&store, &session, day(200)).await.expect("answers").is_some(), "that one was not");
        sign_out(&store, &session).await.expect("ends");
        assert!(whose(&store, &session, day(200)).await.expect("answers").is_none());
    });
}
