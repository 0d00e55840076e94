//! A named cast, and a fresh database of either engine for it.

use crate::Actor;
use crate::secret::Chance;
use base::UnixMillis;
use store::{Account, AccountId, Role};

/// A moment: 2026-11-21T01:00:00Z.
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_222_800_000);

pub(crate) use store::testing::on_both as with_store;

/// Chance that a test can name.
pub(crate) const fn chance(byte: u8) -> Chance {
    [byte; 32]
}

/// Somebody signed in.
pub(crate) fn somebody(id: i64, role: Role) -> Actor {
    Actor::Account(Account { id: AccountId(id), name: format!("a{id}"), role, created_at: NOW })
}
