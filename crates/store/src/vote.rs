//! Votes: one of each voter for each thing.

use crate::engine::{Error, Store, on_either};
use base::EventId;

/// What a vote is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ballot {
    /// A raised hand, by its ticket.
    Hand(u64),
    /// A poll, by its number.
    Poll(i64),
    /// A question, by its number.
    Question(i64),
}

impl Ballot {
    const fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Hand(ticket) => ("hand", ticket.cast_signed()),
            Self::Poll(number) => ("poll", number),
            Self::Question(number) => ("question", number),
        }
    }
}

impl Store {
    /// Notes a vote; `false` when the voter has voted for this before, and the first one stands.
    ///
    /// # Errors
    /// The database fails.
    pub async fn vote(&self, event: EventId, ballot: Ballot, voter: u64, answer: u8) -> Result<bool, Error> {
        const TEXT: &str = "INSERT INTO votes (event_id, kind, item, voter, answer) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let (kind, item) = ballot.columns();
        let done = on_either!(self, pool => sqlx::query(TEXT)
            .bind(event.to_i64())
            .bind(kind)
            .bind(item)
            .bind(voter.cast_signed())
            .bind(i64::from(answer))
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done > 0)
    }

    /// What a voter has voted for in an event, with the answer.
    ///
    /// # Errors
    /// The database fails.
    pub async fn votes_of(&self, event: EventId, voter: u64) -> Result<Vec<(Ballot, u8)>, Error> {
        const TEXT: &str = "SELECT kind, item, answer FROM votes WHERE event_id = $1 AND voter = $2 ORDER BY kind, item";
        let rows: Vec<(String, i64, i64)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(voter.cast_signed()).fetch_all(pool).await)?;
        let ballot = |kind: &str, item: i64| match kind {
            "hand" => Ok(Ballot::Hand(item.cast_unsigned())),
            "poll" => Ok(Ballot::Poll(item)),
            "question" => Ok(Ballot::Question(item)),
            _ => Err(Error::Damaged("votes")),
        };
        rows.into_iter().map(|(kind, item, answer)| Ok((ballot(&kind, item)?, u8::try_from(answer).unwrap_or(0)))).collect()
    }

    /// How many voted for each of a poll's `answers`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn poll_votes(&self, event: EventId, number: i64, answers: usize) -> Result<Vec<u32>, Error> {
        const TEXT: &str =
            "SELECT answer, COUNT(*) FROM votes WHERE event_id = $1 AND kind = 'poll' AND item = $2 GROUP BY answer ORDER BY answer";
        let rows: Vec<(i64, i64)> = on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(number).fetch_all(pool).await)?;
        let mut counts = vec![0; answers];
        for (answer, count) in rows {
            if let Some(slot) = usize::try_from(answer).ok().and_then(|answer| counts.get_mut(answer)) {
                *slot = u32::try_from(count).unwrap_or(u32::MAX);
            }
        }
        Ok(counts)
    }
}
