//! What hangs on an event's board: pins, polls and questions, numbered from 1 in each event.

use crate::engine::{Error, Store, on_either};
use base::{EventId, UnixMillis};

/// Something that a host wants everybody to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its number in the event.
    pub number: i64,
    /// What it says.
    pub text: String,
    /// Where it leads; empty for nowhere.
    pub address: String,
    /// When it was made.
    pub made_at: UnixMillis,
}

/// A question to everybody, with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Its number in the event.
    pub number: i64,
    /// What is asked.
    pub text: String,
    /// What can be answered.
    pub answers: Vec<String>,
    /// How many chose each answer.
    pub votes: Vec<u32>,
    /// Whether it takes votes.
    pub open: bool,
}

/// A listener's question to the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its number in the event.
    pub number: i64,
    /// The name of who asks.
    pub name: String,
    /// What is asked.
    pub text: String,
    /// Who voted for it.
    pub votes: u32,
}

/// A row's number is the next one of its event. Two who ask for it at once on `PostgreSQL`: one of them is told [`Error::Taken`].
macro_rules! insert {
    ($table:literal, $columns:literal, $values:literal, $so:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (event_id, number, ",
            $columns,
            ") SELECT $1, COALESCE(MAX(number), 0) + 1, ",
            $values,
            " FROM ",
            $table,
            " WHERE event_id = $1 HAVING ",
            $so,
            " RETURNING number"
        )
    };
}

impl Store {
    /// Hangs a pin up; `None` when `most` are up.
    ///
    /// # Errors
    /// The database fails.
    pub async fn insert_pin(&self, event: EventId, text: &str, address: &str, at: UnixMillis, most: usize) -> Result<Option<i64>, Error> {
        const TEXT: &str = insert!("pins", "body, address, made_at", "$2, $3, $4", "COUNT(*) - COUNT(taken_at) < $5");
        let row: Option<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT)
            .bind(event.to_i64())
            .bind(text)
            .bind(address)
            .bind(at.0)
            .bind(bound(most))
            .fetch_optional(pool)
            .await)?;
        Ok(row.map(|(number,)| number))
    }

    /// Takes a pin down; `false` when none of this number is up.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take_pin(&self, event: EventId, number: i64, at: UnixMillis) -> Result<bool, Error> {
        const TEXT: &str = "UPDATE pins SET taken_at = $3 WHERE event_id = $1 AND number = $2 AND taken_at IS NULL";
        let done = on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(number).bind(at.0).execute(pool).await
            .map(|done| done.rows_affected()))?;
        Ok(done > 0)
    }

    /// The pins that are up, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pins(&self, event: EventId) -> Result<Vec<Pin>, Error> {
        const TEXT: &str = "SELECT number, body, address, made_at FROM pins WHERE event_id = $1 AND taken_at IS NULL ORDER BY number DESC";
        let rows: Vec<(i64, String, String, i64)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_all(pool).await)?;
        let pin = |(number, text, address, made_at)| Pin { number, text, address, made_at: UnixMillis(made_at) };
        Ok(rows.into_iter().map(pin).collect())
    }

    /// Opens a poll; `None` when one is open or there were `most`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn insert_poll(
        &self,
        event: EventId,
        text: &str,
        answers: &[String],
        at: UnixMillis,
        most: usize,
    ) -> Result<Option<i64>, Error> {
        const TEXT: &str =
            insert!("polls", "body, answers, open, made_at", "$2, $3, 1, $4", "COUNT(*) < $5 AND COALESCE(SUM(open), 0) = 0");
        let row: Option<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT)
            .bind(event.to_i64())
            .bind(text)
            .bind(answers.join("\n"))
            .bind(at.0)
            .bind(bound(most))
            .fetch_optional(pool)
            .await)?;
        Ok(row.map(|(number,)| number))
    }

    /// Closes a poll; `false` when none of this number is open.
    ///
    /// # Errors
    /// The database fails.
    pub async fn close_poll(&self, event: EventId, number: i64) -> Result<bool, Error> {
        const TEXT: &str = "UPDATE polls SET open = 0 WHERE event_id = $1 AND number = $2 AND open = 1";
        let done = on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(number).execute(pool).await
            .map(|done| done.rows_affected()))?;
        Ok(done > 0)
    }

    /// The newest poll, open or closed, with its votes.
    ///
    /// # Errors
    /// The database fails.
    pub async fn newest_poll(&self, event: EventId) -> Result<Option<Poll>, Error> {
        const TEXT: &str = "SELECT number, body, answers, open FROM polls WHERE event_id = $1 ORDER BY number DESC LIMIT 1";
        let row: Option<(i64, String, String, i64)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_optional(pool).await)?;
        let Some((number, text, answers, open)) = row else { return Ok(None) };
        let answers: Vec<String> = answers.lines().map(str::to_owned).collect();
        let votes = self.poll_votes(event, number, answers.len()).await?;
        Ok(Some(Poll { number, text, answers, votes, open: open != 0 }))
    }

    /// Asks a question; `None` when `most` were asked.
    ///
    /// # Errors
    /// The database fails.
    pub async fn insert_question(
        &self,
        event: EventId,
        ticket: u64,
        question: (&str, &str),
        at: UnixMillis,
        most: usize,
    ) -> Result<Option<i64>, Error> {
        const TEXT: &str = insert!("questions", "ticket, name, body, open, made_at", "$2, $3, $4, 1, $5", "COUNT(*) < $6");
        let (name, text) = question;
        let row: Option<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT)
            .bind(event.to_i64())
            .bind(ticket.cast_signed())
            .bind(name)
            .bind(text)
            .bind(at.0)
            .bind(bound(most))
            .fetch_optional(pool)
            .await)?;
        Ok(row.map(|(number,)| number))
    }

    /// Takes a question off the list: it was answered, or is none for this event. `false` when none of this number is there.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settle_question(&self, event: EventId, number: i64) -> Result<bool, Error> {
        const TEXT: &str = "UPDATE questions SET open = 0 WHERE event_id = $1 AND number = $2 AND open = 1";
        let done = on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(number).execute(pool).await
            .map(|done| done.rows_affected()))?;
        Ok(done > 0)
    }

    /// The questions that are open, those with the most votes first, then the oldest; at most `limit`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn questions(&self, event: EventId, limit: u32) -> Result<Vec<Question>, Error> {
        const TEXT: &str = "SELECT number, name, body, \
            (SELECT COUNT(*) FROM votes v WHERE v.event_id = questions.event_id AND v.kind = 'question' AND v.item = questions.number) AS votes \
            FROM questions WHERE event_id = $1 AND open = 1 ORDER BY votes DESC, number LIMIT $2";
        let rows: Vec<(i64, String, String, i64)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(i64::from(limit)).fetch_all(pool).await)?;
        let question = |(number, name, text, votes)| Question { number, name, text, votes: u32::try_from(votes).unwrap_or(u32::MAX) };
        Ok(rows.into_iter().map(question).collect())
    }

    /// Whether a question of this number is open.
    ///
    /// # Errors
    /// The database fails.
    pub async fn has_question(&self, event: EventId, number: i64) -> Result<bool, Error> {
        const TEXT: &str = "SELECT number FROM questions WHERE event_id = $1 AND number = $2 AND open = 1";
        let row: Option<(i64,)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(number).fetch_optional(pool).await)?;
        Ok(row.is_some())
    }
}

fn bound(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
