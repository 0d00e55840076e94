//! Fresh databases for tests: one on SQLite, and one on PostgreSQL where `TOWNSQUARE_TEST_POSTGRES` names a server.

use crate::account::{Account, AccountId, Role};
use crate::engine::Store;
use crate::event::Event;
use base::{EventId, Plan, UnixMillis, Visibility};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs the same test on either engine, each time on an empty database.
///
/// # Panics
/// When a database can't be made or the test fails.
pub fn on_both<F, Fut>(test: F)
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let file = std::env::temp_dir().join(format!("townsquare-store-{}.db", unique()));
        let store = Store::open(&format!("sqlite:{}", file.display())).await.expect("sqlite opens");
        test(store.clone()).await;
        store.close().await;
        std::fs::remove_file(&file).expect("the database was there");

        let Some(database) = fresh_postgres().await else { return };
        let store = Store::open(&database).await.expect("postgres opens");
        test(store.clone()).await;
        store.close().await;
    });
}

/// The address of an empty PostgreSQL database, when there is a server for tests.
///
/// # Panics
/// When the server does not answer.
pub async fn fresh_postgres() -> Option<String> {
    let Ok(server) = std::env::var("TOWNSQUARE_TEST_POSTGRES") else {
        #[expect(clippy::print_stdout, reason = "whoever reads the test run must see what it left out")]
        {
            println!("left out on PostgreSQL: TOWNSQUARE_TEST_POSTGRES is not set");
        }
        return None;
    };
    let name = format!("store_{}", unique());
    let admin = sqlx::PgPool::connect(&server).await.expect("the server for tests answers");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.expect("a database");
    admin.close().await;
    let (head, tail) = server.split_once('?').map_or((server.as_str(), String::new()), |(head, tail)| (head, format!("?{tail}")));
    let head = head.rsplit_once('/').map_or(head, |(host, _)| host);
    Some(format!("{head}/{name}{tail}"))
}

/// A name that no other test on this machine has.
#[must_use]
pub fn unique() -> String {
    format!("{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A member called `name`.
#[must_use]
pub fn account(id: i64, name: &str) -> Account {
    Account { id: AccountId(id), name: name.to_owned(), role: Role::Member, created_at: UnixMillis(1) }
}

/// An event that was announced by nobody at `created_at`.
#[must_use]
pub fn event(id: u64, visibility: Visibility, created_at: i64) -> Event {
    Event {
        id: EventId::from_random(id),
        title: format!("Event {id}"),
        description: String::new(),
        language: String::new(),
        visibility,
        plan: Plan::default(),
        passphrase: None,
        picture: None,
        series: None,
        revision: 0,
        changed_at: None,
        created_by: None,
        created_at: UnixMillis(created_at),
        start_at: None,
        doors_at: None,
        live_at: None,
        ended_at: None,
        end: None,
    }
}
