//! Who stands beside an event by name: guests of a private one, and members who want to be reminded.

use crate::account::{self, Account, AccountId};
use crate::engine::{Error, Store, on_either};
use base::EventId;

impl Store {
    /// Whom the event's list of guests names, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn guests(&self, event: EventId) -> Result<Vec<Account>, Error> {
        const TEXT: &str = "SELECT a.id, a.name, a.role, a.created_at FROM event_guests g JOIN accounts a ON a.id = g.account_id \
             WHERE g.event_id = $1 ORDER BY lower(a.name)";
        let rows: Vec<account::Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_all(pool).await)?;
        rows.into_iter().map(account::from_row).collect()
    }

    /// Whether the event's list of guests names this account.
    ///
    /// # Errors
    /// The database fails.
    pub async fn is_guest(&self, event: EventId, account: AccountId) -> Result<bool, Error> {
        const TEXT: &str = "SELECT account_id FROM event_guests WHERE event_id = $1 AND account_id = $2";
        let row: Option<(i64,)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(account.0).fetch_optional(pool).await)?;
        Ok(row.is_some())
    }

    /// Notes that this account wants to be reminded of the event, or that it does not any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remind(&self, event: EventId, account: AccountId, wanted: bool) -> Result<(), Error> {
        const ADD: &str = "INSERT INTO event_reminders (event_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        const TAKE: &str = "DELETE FROM event_reminders WHERE event_id = $1 AND account_id = $2";
        let text = if wanted { ADD } else { TAKE };
        on_either!(self, pool => sqlx::query(text).bind(event.to_i64()).bind(account.0).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// The events that this account wants to be reminded of and that are not over, at most `limit`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reminders(&self, account: AccountId, limit: u32) -> Result<Vec<EventId>, Error> {
        const TEXT: &str = "SELECT e.id FROM event_reminders r JOIN events e ON e.id = r.event_id \
             WHERE r.account_id = $1 AND e.ended_at IS NULL ORDER BY e.start_at, e.id LIMIT $2";
        let rows: Vec<(i64,)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(account.0).bind(i64::from(limit)).fetch_all(pool).await)?;
        rows.into_iter().map(|(id,)| EventId::from_i64(id).ok_or(Error::Damaged("event_reminders"))).collect()
    }
}

#[cfg(test)]
mod tests;
