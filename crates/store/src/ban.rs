//! Who is excluded from an event: the tickets that were banned, and the visitors who had come with them.

use crate::engine::{Error, Store, on_either};
use base::{EventId, UnixMillis};

/// A number by which somebody is known who came with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Their account's.
    Account(u64),
    /// Their browser's.
    Browser(u64),
}

impl Store {
    /// Notes that somebody came with a ticket; the first `max` of either kind are kept, so that nobody is pushed out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_bearer(&self, event: EventId, ticket: u64, bearer: Bearer, at: UnixMillis, max: u32) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO bearers (event_id, ticket, visitor, came_at, is_account) SELECT $1, $2, $3, $4, $5 \
             WHERE (SELECT COUNT(*) FROM bearers WHERE event_id = $1 AND ticket = $2 AND is_account = $5) < $6 ON CONFLICT DO NOTHING";
        let (visitor, is_account) = match bearer {
            Bearer::Account(number) => (number, 1i64),
            Bearer::Browser(number) => (number, 0),
        };
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(event.to_i64())
            .bind(ticket.cast_signed())
            .bind(visitor.cast_signed())
            .bind(at.0)
            .bind(is_account)
            .bind(i64::from(max))
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Bans tickets, and everybody who came with them; gives all who are banned from the event by now, in order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ban(&self, event: EventId, tickets: &[u64]) -> Result<Vec<u64>, Error> {
        const TEXT: &str = "INSERT INTO bans (event_id, ticket) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        // Who came with a ticket is in turn one with whom others came: an account with its browsers.
        const BEARERS: &str = "WITH RECURSIVE barred (ticket) AS (SELECT ticket FROM bans WHERE event_id = $1 \
             UNION SELECT b.visitor FROM bearers b JOIN barred ON b.ticket = barred.ticket WHERE b.event_id = $1) \
             INSERT INTO bans (event_id, ticket) SELECT $1, ticket FROM barred WHERE true ON CONFLICT DO NOTHING";
        const ALL: &str = "SELECT ticket FROM bans WHERE event_id = $1";
        let event = event.to_i64();
        for ticket in tickets {
            on_either!(self, pool => sqlx::query(TEXT).bind(event).bind(ticket.cast_signed()).execute(pool).await.map(drop))?;
        }
        on_either!(self, pool => sqlx::query(BEARERS).bind(event).execute(pool).await.map(drop))?;
        let rows: Vec<(i64,)> = on_either!(self, pool => sqlx::query_as(ALL).bind(event).fetch_all(pool).await)?;
        let mut all: Vec<u64> = rows.into_iter().map(|(ticket,)| ticket.cast_unsigned()).collect();
        all.sort_unstable();
        Ok(all)
    }

    /// Whether one of up to three numbers is banned from an event.
    ///
    /// # Errors
    /// The database fails.
    pub async fn is_banned(&self, event: EventId, numbers: [Option<u64>; 3]) -> Result<bool, Error> {
        const TEXT: &str = "SELECT ticket FROM bans WHERE event_id = $1 AND ticket IN ($2, $3, $4) LIMIT 1";
        let [one, two, three] = numbers.map(|number| number.map(u64::cast_signed));
        let row: Option<(i64,)> = on_either!(self, pool =>
            sqlx::query_as(TEXT).bind(event.to_i64()).bind(one).bind(two).bind(three).fetch_optional(pool).await)?;
        Ok(row.is_some())
    }
}

#[cfg(test)]
mod tests;
