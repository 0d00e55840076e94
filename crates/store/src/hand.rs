//! Raised hands: who wants to speak, what about, and what became of it.

use crate::engine::{Error, Store, on_either};
use base::{EventId, UnixMillis};

/// What became of a raised hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Waiting,
    /// A host has let them on stage.
    Admitted,
    /// A host has said no.
    Declined,
    /// It was taken down.
    Gone,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Admitted, Self::Declined, Self::Gone];

    /// Its name in rows, pages and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Admitted => "admitted",
            Self::Declined => "declined",
            Self::Gone => "gone",
        }
    }
}

/// One visitor's raised hand; each has one at most in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The number of the visitor's ticket, which is the hand's too.
    pub ticket: u64,
    /// The name shown.
    pub name: String,
    /// What they want to speak about.
    pub topic: String,
    /// What became of it.
    pub standing: Standing,
    /// Whether they have been on stage before.
    pub spoke: bool,
    /// When it was raised.
    pub raised_at: UnixMillis,
    /// Who voted for it.
    pub votes: u32,
}

type Row = (i64, String, String, String, i64, i64, i64);

fn from_row((ticket, name, topic, standing, spoke, raised_at, votes): Row) -> Result<Hand, Error> {
    let standing = Standing::ALL.into_iter().find(|one| one.name() == standing).ok_or(Error::Damaged("hands"))?;
    Ok(Hand {
        ticket: ticket.cast_unsigned(),
        name,
        topic,
        standing,
        spoke: spoke != 0,
        raised_at: UnixMillis(raised_at),
        votes: u32::try_from(votes).unwrap_or(u32::MAX),
    })
}

/// `SELECT` every column of a hand with its votes, and what follows.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ticket, name, topic, standing, spoke, raised_at, \
             (SELECT COUNT(*) FROM votes v WHERE v.event_id = hands.event_id AND v.kind = 'hand' AND v.item = hands.ticket) AS votes \
             FROM hands ",
            $rest
        )
    };
}

impl Store {
    /// Raises a hand, again after it was taken down; one that waits keeps its place and says what it says now. `network`: the number of the
    /// network that it is counted to, with how many of one may wait. `false`: as many wait as `waiting_max`, or as may of the network.
    ///
    /// # Errors
    /// The database fails.
    pub async fn raise_hand(&self, event: EventId, hand: &Hand, network: Option<(u64, usize)>, waiting_max: usize) -> Result<bool, Error> {
        // Whoever raises one waits for the event's row: hands that are raised at once are counted one after the other.
        const TURN: &str = "UPDATE events SET id = id WHERE id = $1";
        const TEXT: &str = "INSERT INTO hands (event_id, ticket, name, topic, standing, spoke, raised_at, network) \
            SELECT $1, $2, $3, $4, 'waiting', 0, $5, $7 \
            WHERE (SELECT COUNT(*) FROM hands WHERE event_id = $1 AND standing = 'waiting' AND ticket <> $2) < $6 \
            AND (SELECT COUNT(*) FROM hands WHERE event_id = $1 AND standing = 'waiting' AND ticket <> $2 AND network = $7) < $8 \
            ON CONFLICT (event_id, ticket) DO UPDATE SET name = excluded.name, topic = excluded.topic, standing = 'waiting', \
            network = excluded.network, \
            spoke = CASE WHEN hands.standing = 'admitted' THEN 1 ELSE hands.spoke END, \
            raised_at = CASE WHEN hands.standing = 'waiting' THEN hands.raised_at ELSE excluded.raised_at END";
        let count = |max: usize| i64::try_from(max).unwrap_or(i64::MAX);
        let (network, network_max) = network.unzip();
        on_either!(self, pool => {
            let mut all = pool.begin().await?;
            sqlx::query(TURN).bind(event.to_i64()).execute(&mut *all).await?;
            let done = sqlx::query(TEXT)
                .bind(event.to_i64())
                .bind(hand.ticket.cast_signed())
                .bind(&hand.name)
                .bind(&hand.topic)
                .bind(hand.raised_at.0)
                .bind(count(waiting_max))
                .bind(network.map(u64::cast_signed))
                .bind(network_max.map_or(i64::MAX, count))
                .execute(&mut *all)
                .await?
                .rows_affected();
            all.commit().await?;
            Ok(done > 0)
        })
    }

    /// One visitor's hand.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hand(&self, event: EventId, ticket: u64) -> Result<Option<Hand>, Error> {
        const TEXT: &str = select!("WHERE event_id = $1 AND ticket = $2");
        let row: Option<Row> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(ticket.cast_signed()).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// The hands that wait, in the order in which they are to be taken: who has not spoken first, then by votes, then by time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hands_waiting(&self, event: EventId) -> Result<Vec<Hand>, Error> {
        const TEXT: &str = select!("WHERE event_id = $1 AND standing = 'waiting' ORDER BY spoke, votes DESC, raised_at, ticket");
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_all(pool).await)?;
        rows.into_iter().map(from_row).collect()
    }

    /// How many hands wait that are counted to the network of this number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hands_waiting_of(&self, event: EventId, network: u64) -> Result<u64, Error> {
        const TEXT: &str = "SELECT COUNT(*) FROM hands WHERE event_id = $1 AND standing = 'waiting' AND network = $2";
        let (count,): (i64,) =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(network.cast_signed()).fetch_one(pool).await)?;
        u64::try_from(count).map_err(|_| Error::Damaged("hands"))
    }

    /// Takes a hand that waits out of the queue, its votes with it. `false`: it does not wait.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settle_hand(&self, event: EventId, ticket: u64, standing: Standing) -> Result<bool, Error> {
        const TEXT: &str = "UPDATE hands SET standing = $3, network = NULL WHERE event_id = $1 AND ticket = $2 AND standing = 'waiting'";
        const VOTES: &str = "DELETE FROM votes WHERE event_id = $1 AND kind = 'hand' AND item = $2";
        let (event, ticket) = (event.to_i64(), ticket.cast_signed());
        let done = on_either!(self, pool => sqlx::query(TEXT).bind(event).bind(ticket).bind(standing.name()).execute(pool).await
            .map(|done| done.rows_affected()))?;
        if done == 0 {
            return Ok(false);
        }
        on_either!(self, pool => sqlx::query(VOTES).bind(event).bind(ticket).execute(pool).await.map(drop))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
