//! Series: events that come again.

use crate::account::AccountId;
use crate::engine::{Error, Store, on_either};
use base::{UnixMillis, Visibility};

/// A series' number, unguessable like an event's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub i64);

/// How often its events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Every week, on the same day.
    Weekly,
    /// Every second week, on the same day.
    Fortnightly,
    /// Every month, on the same day of the same week: the third Tuesday.
    Monthly,
}

impl Repeats {
    /// Its name, in rows, forms and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Fortnightly => "fortnightly",
            Self::Monthly => "monthly",
        }
    }

    /// Reads what [`Repeats::name`] gave.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Weekly, Self::Fortnightly, Self::Monthly].into_iter().find(|repeats| repeats.name() == name)
    }
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its number.
    pub id: SeriesId,
    /// Its title: what its events were called when it was made.
    pub title: String,
    /// Who finds it.
    pub visibility: Visibility,
    /// How often its events come.
    pub repeats: Repeats,
    /// Who made it; nobody when the operator did.
    pub created_by: Option<AccountId>,
    /// When it was made.
    pub created_at: UnixMillis,
}

pub(crate) const INSERT: &str =
    "INSERT INTO event_series (id, title, visibility, repeats, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)";

type Row = (i64, String, String, String, Option<i64>, i64);

impl Store {
    /// One series.
    ///
    /// # Errors
    /// The database fails.
    pub async fn series(&self, id: SeriesId) -> Result<Option<Series>, Error> {
        const TEXT: &str = "SELECT id, title, visibility, repeats, created_by, created_at FROM event_series WHERE id = $1";
        const DAMAGED: Error = Error::Damaged("event_series");
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.0).fetch_optional(pool).await)?;
        row.map(|(id, title, visibility, repeats, by, created_at)| {
            Ok(Series {
                id: SeriesId(id),
                title,
                visibility: Visibility::parse(&visibility).ok_or(DAMAGED)?,
                repeats: Repeats::parse(&repeats).ok_or(DAMAGED)?,
                created_by: by.map(AccountId),
                created_at: UnixMillis(created_at),
            })
        })
        .transpose()
    }
}

#[cfg(test)]
mod tests;
