//! Opening, migrating, refusing.

use super::{Error, Store};
use crate::testing::{on_both, unique};

#[test]
fn answers_after_opening() {
    on_both(|store| async move { store.ping().await.expect("answers") });
}

#[test]
fn refuses_an_unknown_engine() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for address in ["", "square.db", "mysql://localhost/x", "sqlite"] {
        let refused = runtime.block_on(Store::open(address));
        assert!(matches!(refused, Err(Error::UnknownEngine)), "{address:?}: {refused:?}");
    }
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    on_both(|store| async move {
        const FUTURE: &str = "UPDATE _sqlx_migrations SET version = 7 WHERE version = 1";
        on_either!(store, pool => sqlx::query(FUTURE).execute(pool).await.map(drop)).expect("pretends a newer program was here");
        let refused = store.migrate().await;
        assert!(matches!(refused, Err(Error::Newer { found: 7, known: 1 })), "{refused:?}");
        assert!(!store.any_account().await.expect("the tables are as they were"));
    });
}

#[test]
fn opening_again_finds_what_was_written() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let file = std::env::temp_dir().join(format!("townsquare-store-{}.db", unique()));
        let address = format!("sqlite:{}", file.display());
        let store = Store::open(&address).await.expect("opens");
        store.insert_account(&crate::testing::account(5, "Ada")).await.expect("written");
        store.close().await;
        let store = Store::open(&address).await.expect("opens again");
        assert_eq!(store.account_by_name("ada").await.expect("answers").map(|account| account.id.0), Some(5));
        store.close().await;
        std::fs::remove_file(&file).expect("the database was there");
    });
}

#[test]
fn sqlite_keeps_what_it_acknowledged() {
    on_both(|store| async move {
        let super::Engine::Sqlite(pool) = &store.0 else { return };
        for (pragma, wanted) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5000)] {
            let (found,): (i64,) = sqlx::query_as(pragma).fetch_one(pool).await.expect("answers");
            assert_eq!(found, wanted, "{pragma}");
        }
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(pool).await.expect("answers");
        assert_eq!(mode, "wal");
    });
}
