//! Who is excluded from an event: the tickets that were banned, and the visitors who had come with them.

use crate::engine::{Error, Store, on_either};
use base::{EventId, UnixMillis};

impl Store {
    /// Notes that a visitor came with a ticket; of one ticket the newest `max` are kept.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_bearer(&self, event: EventId, ticket: u64, visitor: u64, at: UnixMillis, max: u32) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO bearers (event_id, ticket, visitor, came_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (event_id, ticket, visitor) DO UPDATE SET came_at = excluded.came_at";
        const FORGET: &str = "DELETE FROM bearers WHERE event_id = $1 AND ticket = $2 AND visitor NOT IN \
             (SELECT visitor FROM bearers WHERE event_id = $1 AND ticket = $2 ORDER BY came_at DESC, visitor LIMIT $3)";
        let (event, ticket, visitor) = (event.to_i64(), ticket.cast_signed(), visitor.cast_signed());
        on_either!(self, pool => sqlx::query(TEXT).bind(event).bind(ticket).bind(visitor).bind(at.0).execute(pool).await.map(drop))?;
        on_either!(self, pool => sqlx::query(FORGET).bind(event).bind(ticket).bind(i64::from(max)).execute(pool).await.map(drop))?;
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
