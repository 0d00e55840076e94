//! Opening, migrating, refusing.

use super::{Error, Store, is_full};
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
        const FUTURE: &str = "UPDATE _sqlx_migrations SET version = 99 WHERE version = 1";
        on_either!(store, pool => sqlx::query(FUTURE).execute(pool).await.map(drop)).expect("pretends a newer program was here");
        let refused = store.migrate().await;
        let newest = super::MIGRATIONS.last().expect("there is one").0;
        assert!(matches!(refused, Err(Error::Newer { found: 99, known }) if known == newest), "{refused:?}");
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

#[test]
fn a_full_disk_has_a_name_of_its_own() {
    on_both(|store| async move {
        let super::Engine::Sqlite(pool) = &store.0 else { return };
        // A file that may not grow is what a full disk is to SQLite.
        let mut connection = pool.acquire().await.expect("a connection");
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.expect("no more pages than there are");
        let grow = "CREATE TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT i FROM n";
        let refused = sqlx::query(grow).execute(&mut *connection).await.map(drop).map_err(Error::from);
        assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    });
}

#[test]
fn other_trouble_is_no_full_disk() {
    for code in ["13", "8", "1032", "4874", "53100"] {
        assert!(is_full(code), "{code}");
    }
    for code in ["1", "10", "14", "266", "2067", "22024", "40001", "57P01", ""] {
        assert!(!is_full(code), "{code}");
    }
}
