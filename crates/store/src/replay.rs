//! Replays: what is heard of an ended event, and what became of its recording.

use crate::engine::{Error, Store, on_either};
use base::{EventId, FragmentNumber, UnixMillis};
use std::ops::Range;

/// Who deleted a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedBy {
    /// Somebody who runs the event.
    Owner,
    /// Replays are kept for so many days.
    Retention,
}

impl DeletedBy {
    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Retention => "retention",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Retention].into_iter().find(|by| by.name() == name)
    }
}

/// The replay of an ended event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its event.
    pub event: EventId,
    /// The fragments that are heard; empty when nothing is, or when it is not known yet.
    pub heard: Range<FragmentNumber>,
    /// How many cuts were known: what addresses carry.
    pub cuts: u32,
    /// Whether its moments were read.
    pub is_read: bool,
    /// Bytes of its MP3, once there is one.
    pub mp3_bytes: Option<u64>,
    /// Since when only who runs the event hears it.
    pub hidden_at: Option<UnixMillis>,
    /// When the recording was deleted, and by whom.
    pub deleted: Option<(UnixMillis, DeletedBy)>,
}

impl Replay {
    /// A replay of which nothing is known yet.
    #[must_use]
    pub const fn unread(event: EventId) -> Self {
        let none = FragmentNumber(0);
        Self { event, heard: none..none, cuts: 0, is_read: false, mp3_bytes: None, hidden_at: None, deleted: None }
    }

    /// How long it is.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.heard.end.0.saturating_sub(self.heard.start.0).div_ceil(5)
    }

    /// Whether listeners may not hear it.
    #[must_use]
    pub const fn is_withheld(&self) -> bool {
        self.hidden_at.is_some() || self.deleted.is_some()
    }
}

type Row = (i64, i64, i64, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<String>);

fn from_row((event, first, end, cuts, read_at, mp3, hidden_at, deleted_at, deleted_by): Row) -> Result<Replay, Error> {
    const DAMAGED: Error = Error::Damaged("replays");
    let number = |value: i64| u64::try_from(value).map(FragmentNumber).map_err(|_| DAMAGED);
    let deleted = match (deleted_at, deleted_by) {
        (Some(at), by) => Some((UnixMillis(at), DeletedBy::parse(&by.unwrap_or_default()).ok_or(DAMAGED)?)),
        (None, _) => None,
    };
    Ok(Replay {
        event: EventId::from_i64(event).ok_or(DAMAGED)?,
        heard: number(first)?..number(end)?,
        cuts: u32::try_from(cuts).map_err(|_| DAMAGED)?,
        is_read: read_at.is_some(),
        mp3_bytes: mp3.map(u64::try_from).transpose().map_err(|_| DAMAGED)?,
        hidden_at: hidden_at.map(UnixMillis),
        deleted,
    })
}

/// 2^63 fragments are 58 billion years.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Store {
    /// What is known of an event's replay.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replay(&self, event: EventId) -> Result<Option<Replay>, Error> {
        const TEXT: &str = "SELECT event_id, first_number, end_number, cuts, read_at, mp3_bytes, hidden_at, deleted_at, deleted_by \
                            FROM replays WHERE event_id = $1";
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// Notes what is heard of an event's recording; its MP3 is to be made anew.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_replay(&self, event: EventId, heard: &Range<FragmentNumber>, cuts: u32, at: UnixMillis) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO replays (event_id, first_number, end_number, cuts, read_at) VALUES ($1, $2, $3, $4, $5) \
                            ON CONFLICT (event_id) DO UPDATE SET first_number = excluded.first_number, end_number = excluded.end_number, \
                            cuts = excluded.cuts, read_at = excluded.read_at, mp3_bytes = NULL";
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(event.to_i64())
            .bind(signed(heard.start.0))
            .bind(signed(heard.end.0))
            .bind(i64::from(cuts))
            .bind(at.0)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// A replay is to be read again.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_replay(&self, event: EventId) -> Result<(), Error> {
        const TEXT: &str = "UPDATE replays SET read_at = NULL, mp3_bytes = NULL WHERE event_id = $1";
        on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Notes that a replay's MP3 is there, unless it was cut meanwhile.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_mp3(&self, event: EventId, cuts: u32, bytes: u64) -> Result<(), Error> {
        const TEXT: &str = "UPDATE replays SET mp3_bytes = $3 WHERE event_id = $1 AND cuts = $2 AND deleted_at IS NULL";
        on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(i64::from(cuts)).bind(signed(bytes)).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Hides a replay since then, or shows it again.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hide_replay(&self, event: EventId, since: Option<UnixMillis>) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO replays (event_id, hidden_at) VALUES ($1, $2) \
                            ON CONFLICT (event_id) DO UPDATE SET hidden_at = excluded.hidden_at";
        on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(since.map(|at| at.0)).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Notes that a recording was deleted; a later word changes nothing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_deleted(&self, event: EventId, at: UnixMillis, by: DeletedBy) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO replays (event_id, deleted_at, deleted_by) VALUES ($1, $2, $3) \
                            ON CONFLICT (event_id) DO UPDATE SET deleted_at = COALESCE(replays.deleted_at, excluded.deleted_at), \
                            deleted_by = COALESCE(replays.deleted_by, excluded.deleted_by), mp3_bytes = NULL";
        on_either!(self, pool => sqlx::query(TEXT).bind(event.to_i64()).bind(at.0).bind(by.name()).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Ended events whose replay was not read yet, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn unread_replays(&self, limit: u32) -> Result<Vec<EventId>, Error> {
        const TEXT: &str = "SELECT e.id FROM events e LEFT JOIN replays r ON r.event_id = e.id \
                            WHERE e.ended_at IS NOT NULL AND e.end_number > 0 AND r.read_at IS NULL AND r.deleted_at IS NULL \
                            ORDER BY e.ended_at, e.id LIMIT $1";
        let rows: Vec<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT).bind(i64::from(limit)).fetch_all(pool).await)?;
        ids(&rows)
    }

    /// Replays without an MP3, the newest first: they are what people ask for.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replays_without_mp3(&self, limit: u32) -> Result<Vec<EventId>, Error> {
        const TEXT: &str = "SELECT e.id FROM events e JOIN replays r ON r.event_id = e.id \
                            WHERE r.read_at IS NOT NULL AND r.mp3_bytes IS NULL AND r.deleted_at IS NULL AND r.end_number > r.first_number \
                            ORDER BY e.ended_at DESC, e.id LIMIT $1";
        let rows: Vec<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT).bind(i64::from(limit)).fetch_all(pool).await)?;
        ids(&rows)
    }

    /// Events that ended before `at` and whose recording is still there, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replays_from_before(&self, at: UnixMillis, limit: u32) -> Result<Vec<EventId>, Error> {
        const TEXT: &str = "SELECT e.id FROM events e LEFT JOIN replays r ON r.event_id = e.id \
                            WHERE e.ended_at < $1 AND e.end_number > 0 AND r.deleted_at IS NULL ORDER BY e.ended_at, e.id LIMIT $2";
        let rows: Vec<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT).bind(at.0).bind(i64::from(limit)).fetch_all(pool).await)?;
        ids(&rows)
    }

    /// Those of the `limit` events that ended last whose recording listeners may not hear, and perhaps some more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn withheld_replays(&self, limit: u32) -> Result<Vec<EventId>, Error> {
        const TEXT: &str = "SELECT e.id FROM events e JOIN replays r ON r.event_id = e.id \
                            WHERE r.hidden_at IS NOT NULL OR r.deleted_at IS NOT NULL ORDER BY e.ended_at DESC, e.id LIMIT $1";
        let rows: Vec<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT).bind(i64::from(limit)).fetch_all(pool).await)?;
        ids(&rows)
    }
}

fn ids(rows: &[(i64,)]) -> Result<Vec<EventId>, Error> {
    rows.iter().map(|(id,)| EventId::from_i64(*id).ok_or(Error::Damaged("replays"))).collect()
}

#[cfg(test)]
mod tests;
