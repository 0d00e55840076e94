//! Clips of replays.

use crate::account::AccountId;
use crate::engine::{Error, Store, on_either};
use base::{ClipId, EventId, FragmentNumber, UnixMillis};
use std::ops::Range;

/// A part of a replay with a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Its id.
    pub id: ClipId,
    /// The event that it is of.
    pub event: EventId,
    /// Its title.
    pub title: String,
    /// Its fragments.
    pub range: Range<FragmentNumber>,
    /// Who made it; nobody when the operator did.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: UnixMillis,
}

type Row = (i64, i64, String, i64, i64, Option<i64>, i64);

fn from_row((id, event, title, from, to, by, at): Row) -> Result<Clip, Error> {
    const DAMAGED: Error = Error::Damaged("clips");
    let number = |value: i64| u64::try_from(value).map(FragmentNumber).map_err(|_| DAMAGED);
    Ok(Clip {
        id: ClipId::from_i64(id).ok_or(DAMAGED)?,
        event: EventId::from_i64(event).ok_or(DAMAGED)?,
        title,
        range: number(from)?..number(to)?,
        created_by: by.map(AccountId),
        created_at: UnixMillis(at),
    })
}

impl Store {
    /// Adds a clip.
    ///
    /// # Errors
    /// [`Error::Taken`] when the id is; the database fails.
    pub async fn insert_clip(&self, clip: &Clip) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO clips (id, event_id, title, from_number, to_number, created_by, created_at) \
                            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let number = |number: FragmentNumber| i64::try_from(number.0).unwrap_or(i64::MAX);
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(clip.id.to_i64())
            .bind(clip.event.to_i64())
            .bind(&clip.title)
            .bind(number(clip.range.start))
            .bind(number(clip.range.end))
            .bind(clip.created_by.map(|account| account.0))
            .bind(clip.created_at.0)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// One clip.
    ///
    /// # Errors
    /// The database fails.
    pub async fn clip(&self, id: ClipId) -> Result<Option<Clip>, Error> {
        const TEXT: &str = "SELECT id, event_id, title, from_number, to_number, created_by, created_at FROM clips WHERE id = $1";
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.to_i64()).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// At most `limit` clips of an event, in the order in which they begin.
    ///
    /// # Errors
    /// The database fails.
    pub async fn clips(&self, event: EventId, limit: u32) -> Result<Vec<Clip>, Error> {
        const TEXT: &str = "SELECT id, event_id, title, from_number, to_number, created_by, created_at FROM clips \
                            WHERE event_id = $1 ORDER BY from_number, id LIMIT $2";
        let rows: Vec<Row> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).bind(i64::from(limit)).fetch_all(pool).await)?;
        rows.into_iter().map(from_row).collect()
    }

    /// Takes a clip away; one that is not there is no fault.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_clip(&self, id: ClipId) -> Result<(), Error> {
        const TEXT: &str = "DELETE FROM clips WHERE id = $1";
        on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).execute(pool).await.map(drop))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
