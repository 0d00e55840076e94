//! Events: what was announced, when it went live, when it ended.

use crate::account::AccountId;
use crate::engine::{Error, Store, on_either};
use base::{EventId, FragmentNumber, UnixMillis, Visibility};

/// How far an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has not begun.
    Announced,
    /// It is on.
    Live,
    /// It is over.
    Ended,
}

impl Phase {
    /// Its name in pages and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its title.
    pub title: String,
    /// Who finds it.
    pub visibility: Visibility,
    /// Who announced it; nobody when the operator did at the terminal.
    pub created_by: Option<AccountId>,
    /// When it was announced.
    pub created_at: UnixMillis,
    /// When it is to begin.
    pub start_at: Option<UnixMillis>,
    /// When it went live.
    pub live_at: Option<UnixMillis>,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
    /// The number after its last fragment.
    pub end: Option<FragmentNumber>,
}

impl Event {
    /// How far it is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match (self.ended_at, self.live_at) {
            (Some(_), _) => Phase::Ended,
            (None, Some(_)) => Phase::Live,
            (None, None) => Phase::Announced,
        }
    }

    /// Whether there is sound to hear afterwards.
    #[must_use]
    pub fn has_replay(&self) -> bool {
        self.phase() == Phase::Ended && self.live_at.is_some() && self.end.is_some_and(|end| end.0 > 0)
    }
}

type Row = (i64, String, String, Option<i64>, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn from_row((id, title, visibility, by, created_at, start_at, live_at, ended_at, end): Row) -> Result<Event, Error> {
    const DAMAGED: Error = Error::Damaged("events");
    Ok(Event {
        id: EventId::from_i64(id).ok_or(DAMAGED)?,
        title,
        visibility: Visibility::parse(&visibility).ok_or(DAMAGED)?,
        created_by: by.map(AccountId),
        created_at: UnixMillis(created_at),
        start_at: start_at.map(UnixMillis),
        live_at: live_at.map(UnixMillis),
        ended_at: ended_at.map(UnixMillis),
        end: end.map(u64::try_from).transpose().map_err(|_| DAMAGED)?.map(FragmentNumber),
    })
}

/// `SELECT` every column of an event, and what follows.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, title, visibility, created_by, created_at, start_at, live_at, ended_at, end_number FROM events ", $rest)
    };
}

impl Store {
    /// Adds an event that has not begun.
    ///
    /// # Errors
    /// [`Error::Taken`] when the id is.
    pub async fn insert_event(&self, event: &Event) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO events (id, title, visibility, created_by, created_at, start_at) VALUES ($1, $2, $3, $4, $5, $6)";
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(event.id.to_i64())
            .bind(&event.title)
            .bind(event.visibility.name())
            .bind(event.created_by.map(|account| account.0))
            .bind(event.created_at.0)
            .bind(event.start_at.map(|at| at.0))
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// One event.
    ///
    /// # Errors
    /// The database fails.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, Error> {
        const TEXT: &str = select!("WHERE id = $1");
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.to_i64()).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// At most `limit` events of one phase and one of these visibilities: those live newest first, those to come
    /// in the order in which they begin, those over newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events(&self, phase: Phase, listed: &[Visibility], limit: u32) -> Result<Vec<Event>, Error> {
        const LIVE: &str =
            select!("WHERE ended_at IS NULL AND live_at IS NOT NULL AND visibility IN ($1, $2, $3) ORDER BY live_at DESC, id LIMIT $4");
        const ANNOUNCED: &str = select!(
            "WHERE ended_at IS NULL AND live_at IS NULL AND visibility IN ($1, $2, $3) \
             ORDER BY COALESCE(start_at, created_at), id LIMIT $4"
        );
        const ENDED: &str = select!("WHERE ended_at IS NOT NULL AND visibility IN ($1, $2, $3) ORDER BY ended_at DESC, id LIMIT $4");
        let text = match phase {
            Phase::Live => LIVE,
            Phase::Announced => ANNOUNCED,
            Phase::Ended => ENDED,
        };
        let name = |place: usize| listed.get(place).map_or("", |visibility| visibility.name());
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(text)
            .bind(name(0))
            .bind(name(1))
            .bind(name(2))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(from_row).collect()
    }

    /// Every event that is not over, for whoever looks after them at the start.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_events(&self) -> Result<Vec<Event>, Error> {
        const TEXT: &str = select!("WHERE ended_at IS NULL ORDER BY id");
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(TEXT).fetch_all(pool).await)?;
        rows.into_iter().map(from_row).collect()
    }

    /// Notes when the event first went live; a later word changes nothing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn mark_live(&self, id: EventId, since: UnixMillis) -> Result<(), Error> {
        const TEXT: &str = "UPDATE events SET live_at = $2 WHERE id = $1 AND live_at IS NULL";
        on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).bind(since.0).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Notes when the event ended and the number after its last fragment; a later word changes nothing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn mark_ended(&self, id: EventId, at: UnixMillis, end: FragmentNumber) -> Result<(), Error> {
        const TEXT: &str = "UPDATE events SET ended_at = $2, end_number = $3 WHERE id = $1 AND ended_at IS NULL";
        // 2^63 fragments are 58 billion years.
        let end = i64::try_from(end.0).unwrap_or(i64::MAX);
        on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).bind(at.0).bind(end).execute(pool).await.map(drop))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
