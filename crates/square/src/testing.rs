//! A named cast, and a fresh database for it.

use crate::Actor;
use crate::secret::Chance;
use base::UnixMillis;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Account, AccountId, Role, Store};

/// A moment: 2026-11-21T01:00:00Z.
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_222_800_000);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a test on an empty database. The queries themselves are tested on both engines in `store`.
pub(crate) fn with_store<F, Fut>(test: F)
where
    F: FnOnce(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    let name = format!("townsquare-square-{}-{}.db", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let file = std::env::temp_dir().join(name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&format!("sqlite:{}", file.display())).await.expect("opens");
        test(store.clone()).await;
        store.close().await;
    });
    std::fs::remove_file(&file).expect("the database was there");
}

/// Chance that a test can name.
pub(crate) const fn chance(byte: u8) -> Chance {
    [byte; 32]
}

/// Somebody signed in.
pub(crate) fn somebody(id: i64, role: Role) -> Actor {
    Actor::Account(Account { id: AccountId(id), name: format!("a{id}"), role, created_at: NOW })
}
