//! Accounts on both engines.

use super::Role;
use crate::engine::Error;
use crate::testing::{account, on_both};

#[test]
fn a_name_is_taken_whatever_its_case() {
    on_both(|store| async move {
        assert!(!store.any_account().await.expect("answers"));
        let ada = account(7, "Ada");
        store.insert_account(&ada).await.expect("free");
        for name in ["Ada", "ada", "ADA"] {
            assert!(matches!(store.insert_account(&account(8, name)).await, Err(Error::Taken)), "{name}");
            assert_eq!(store.account_by_name(name).await.expect("answers").as_ref(), Some(&ada), "{name}");
        }
        assert!(store.any_account().await.expect("answers"));
        assert_eq!(store.account_by_name("Ad").await.expect("answers"), None);
    });
}

#[test]
fn a_role_reads_back() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.name()), Some(role));
    }
    assert_eq!(Role::parse("root"), None);
}
