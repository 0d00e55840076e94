//! Links are spent once, sessions end.

use super::{Hash, Link};
use crate::account::{AccountId, Role};
use crate::engine::Store;
use crate::testing::{account, on_both};
use base::UnixMillis;

const LINK: Hash = Hash([1; 32]);
const OTHER: Hash = Hash([2; 32]);
const SESSION: Hash = Hash([3; 32]);
const EPOCH: UnixMillis = UnixMillis(0);

fn link(account: Option<i64>) -> Link {
    Link { account: account.map(AccountId), created_at: UnixMillis(10), expires_at: UnixMillis(100), spent_at: None }
}

async fn name_of(store: &Store, session: &Hash) -> Option<String> {
    store.session(session, EPOCH).await.expect("answers").map(|session| session.account.name)
}

#[test]
fn a_link_signs_in_once_and_in_time() {
    on_both(|store| async move {
        store.insert_account(&account(7, "Ada")).await.expect("free");
        store.insert_link(&LINK, &link(Some(7))).await.expect("new");
        assert_eq!(store.link(&LINK).await.expect("answers"), Some(link(Some(7))));
        // (when, the link, whether it signs in)
        for (at, hash, opens) in [(100, LINK, false), (50, OTHER, false), (99, LINK, true), (99, LINK, false)] {
            let session = Hash([u8::try_from(at).expect("small"); 32]);
            assert_eq!(store.sign_in(&hash, &session, UnixMillis(at)).await.expect("answers"), opens, "at {at}");
        }
        assert_eq!(name_of(&store, &Hash([99; 32])).await.as_deref(), Some("Ada"));
        assert_eq!(name_of(&store, &Hash([50; 32])).await, None);
        assert_eq!(store.link(&LINK).await.expect("answers").and_then(|link| link.spent_at), Some(UnixMillis(99)));
    });
}

#[test]
fn the_first_administrator_is_made_once() {
    on_both(|store| async move {
        store.insert_link(&LINK, &link(None)).await.expect("new");
        store.insert_link(&OTHER, &link(None)).await.expect("new");
        let mut first = account(AccountId::FIRST.0, "Ada");
        first.role = Role::Admin;
        assert!(!store.sign_in(&LINK, &SESSION, UnixMillis(20)).await.expect("answers"), "it has no account to sign in");
        assert!(store.sign_in_first(&LINK, &first, &SESSION, UnixMillis(20)).await.expect("answers"));
        assert!(!store.sign_in_first(&LINK, &first, &Hash([9; 32]), UnixMillis(20)).await.expect("answers"), "spent");
        assert!(!store.sign_in_first(&OTHER, &first, &Hash([9; 32]), UnixMillis(20)).await.expect("answers"), "somebody was first");
        assert_eq!(store.link(&OTHER).await.expect("answers").and_then(|link| link.spent_at), None, "all or nothing");
        assert_eq!(name_of(&store, &SESSION).await.as_deref(), Some("Ada"));
    });
}

#[test]
fn a_session_ends_by_hand_or_by_age() {
    on_both(|store| async move {
        store.insert_account(&account(7, "Ada")).await.expect("free");
        store.insert_link(&LINK, &link(Some(7))).await.expect("new");
        store.sign_in(&LINK, &SESSION, UnixMillis(20)).await.expect("answers");
        assert_eq!(store.session(&SESSION, UnixMillis(20)).await.expect("answers"), None, "too long ago");
        store.touch_session(&SESSION, UnixMillis(30)).await.expect("noted");
        assert_eq!(store.session(&SESSION, UnixMillis(20)).await.expect("answers").map(|s| s.last_used_at), Some(UnixMillis(30)));
        store.forget(UnixMillis(100), UnixMillis(29)).await.expect("forgets");
        assert_eq!(store.link(&LINK).await.expect("answers"), None, "expired at 100");
        assert_eq!(name_of(&store, &SESSION).await.as_deref(), Some("Ada"));
        store.delete_session(&SESSION).await.expect("ends");
        assert_eq!(name_of(&store, &SESSION).await, None);
    });
}
