//! Events: what was announced, when it went live, when it ended.

use crate::account::AccountId;
use crate::engine::{Error, Store, on_either};
use crate::series::{Series, SeriesId};
use base::{Delay, EventId, FragmentNumber, Plan, Speak, UnixMillis, Visibility};
use sqlx::{ColumnIndex, Database, Decode, FromRow, Type};

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
    /// What it is about.
    pub description: String,
    /// The language it is held in (BCP 47); empty when nobody said.
    pub language: String,
    /// Who finds it.
    pub visibility: Visibility,
    /// How it is to go.
    pub plan: Plan,
    /// The hash of the passphrase that lets anybody in, when there is one.
    pub passphrase: Option<String>,
    /// The hash of its picture's bytes in hex, when it has one.
    pub picture: Option<String>,
    /// The series that it is one of.
    pub series: Option<SeriesId>,
    /// Who announced it; nobody when the operator did at the terminal.
    pub created_by: Option<AccountId>,
    /// When it was announced.
    pub created_at: UnixMillis,
    /// How often the announcement was changed since.
    pub revision: u32,
    /// When it was changed last.
    pub changed_at: Option<UnixMillis>,
    /// When it is to begin.
    pub start_at: Option<UnixMillis>,
    /// When the doors opened: the programme is on, and plays the hold sound until the event begins.
    pub doors_at: Option<UnixMillis>,
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

    /// Whether its announcement may still change: nobody has come for it yet.
    #[must_use]
    pub const fn is_open_to_change(&self) -> bool {
        matches!(self.phase(), Phase::Announced) && self.doors_at.is_none()
    }

    /// Whether there is sound to hear afterwards.
    #[must_use]
    pub fn has_replay(&self) -> bool {
        self.phase() == Phase::Ended && self.live_at.is_some() && self.end.is_some_and(|end| end.0 > 0)
    }
}

/// Which events are listed for somebody.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// Those of these visibilities.
    pub visibilities: &'a [Visibility],
    /// Those that this account made, and those whose list of guests names it.
    pub of: Option<AccountId>,
}

/// Where a list of events that are over goes on: behind the one that ended then.
pub type After = (UnixMillis, EventId);

struct Row(Event);

impl<'r, R> FromRow<'r, R> for Row
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let number = |name: &'static str| row.try_get::<i64, _>(name);
        let text = |name: &'static str| row.try_get::<String, _>(name);
        let maybe = |name: &'static str| row.try_get::<Option<i64>, _>(name);
        let time = |name: &'static str| Ok::<_, sqlx::Error>(maybe(name)?.map(UnixMillis));
        let small = |name: &'static str| u32::try_from(number(name)?).map_err(|_| damaged());
        Ok(Self(Event {
            id: EventId::from_i64(number("id")?).ok_or_else(damaged)?,
            title: text("title")?,
            description: text("description")?,
            language: text("language")?,
            visibility: Visibility::parse(&text("visibility")?).ok_or_else(damaged)?,
            plan: Plan {
                speak: Speak::parse(&text("speak")?).ok_or_else(damaged)?,
                delay: Delay::from_seconds(u64::from(small("delay_seconds")?)).ok_or_else(damaged)?,
                record_tracks: number("record_tracks")? != 0,
                empty_minutes: small("empty_minutes")?,
                doors_minutes: small("doors_minutes")?,
            },
            passphrase: row.try_get("passphrase")?,
            picture: row.try_get("picture")?,
            series: maybe("series_id")?.map(SeriesId),
            created_by: maybe("created_by")?.map(AccountId),
            created_at: UnixMillis(number("created_at")?),
            revision: small("revision")?,
            changed_at: time("changed_at")?,
            start_at: time("start_at")?,
            doors_at: time("doors_at")?,
            live_at: time("live_at")?,
            ended_at: time("ended_at")?,
            end: maybe("end_number")?.map(u64::try_from).transpose().map_err(|_| damaged())?.map(FragmentNumber),
        }))
    }
}

fn damaged() -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Error::Damaged("events")))
}

fn all(rows: Vec<Row>) -> Vec<Event> {
    rows.into_iter().map(|row| row.0).collect()
}

/// `SELECT` every column of an event, and what follows.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT * FROM events ", $rest)
    };
}

/// Which rows a [`Listed`] means; with columns of its own after `with`.
macro_rules! listed {
    ($before:literal, $after:literal $(, with $columns:literal)?) => {
        concat!(
            "SELECT *",
            $(", ", $columns,)?
            " FROM events WHERE ",
            $before,
            " AND (visibility IN ($1, $2, $3) OR created_by = $4 \
               OR id IN (SELECT event_id FROM event_guests WHERE account_id = $4)) ",
            $after
        )
    };
}

/// What the announcement of `event` says, in the order of [`INSERT`] and [`UPDATE`].
fn bind<'q, DB: Database>(
    query: sqlx::query::Query<'q, DB, DB::Arguments>,
    event: &'q Event,
) -> Result<sqlx::query::Query<'q, DB, DB::Arguments>, Error>
where
    i64: sqlx::Encode<'q, DB> + Type<DB>,
    &'q str: sqlx::Encode<'q, DB> + Type<DB>,
    Option<i64>: sqlx::Encode<'q, DB> + Type<DB>,
    Option<&'q str>: sqlx::Encode<'q, DB> + Type<DB>,
{
    let seconds = i64::try_from(event.plan.delay.seconds()).map_err(|_| Error::Damaged("events"))?;
    Ok(query
        .bind(event.id.to_i64())
        .bind(event.title.as_str())
        .bind(event.description.as_str())
        .bind(event.language.as_str())
        .bind(event.visibility.name())
        .bind(event.plan.speak.name())
        .bind(seconds)
        .bind(i64::from(event.plan.record_tracks))
        .bind(i64::from(event.plan.empty_minutes))
        .bind(i64::from(event.plan.doors_minutes))
        .bind(event.passphrase.as_deref())
        .bind(event.start_at.map(|at| at.0)))
}

/// What [`listed!`] asks for, and how many.
fn bind_listed<'q, DB: Database>(
    query: sqlx::query::QueryAs<'q, DB, Row, DB::Arguments>,
    listed: Listed<'q>,
    limit: u32,
) -> sqlx::query::QueryAs<'q, DB, Row, DB::Arguments>
where
    i64: sqlx::Encode<'q, DB> + Type<DB>,
    &'q str: sqlx::Encode<'q, DB> + Type<DB>,
    Option<i64>: sqlx::Encode<'q, DB> + Type<DB>,
{
    let name = |place: usize| listed.visibilities.get(place).map_or("", |visibility| visibility.name());
    query.bind(name(0)).bind(name(1)).bind(name(2)).bind(listed.of.map(|account| account.0)).bind(i64::from(limit))
}

const INSERT: &str = "INSERT INTO events (id, title, description, language, visibility, speak, delay_seconds, record_tracks, \
     empty_minutes, doors_minutes, passphrase, start_at, series_id, created_by, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

const UPDATE: &str = "UPDATE events SET title = $2, description = $3, language = $4, visibility = $5, speak = $6, delay_seconds = $7, \
     record_tracks = $8, empty_minutes = $9, doors_minutes = $10, passphrase = $11, start_at = $12, changed_at = $13, \
     revision = revision + 1 WHERE id = $1 AND doors_at IS NULL AND live_at IS NULL AND ended_at IS NULL";

const INSERT_GUEST: &str = "INSERT INTO event_guests (event_id, account_id) VALUES ($1, $2)";

impl Store {
    /// Adds events that have not begun, their series and whom their lists of guests name: all or nothing.
    ///
    /// # Errors
    /// [`Error::Taken`] when an id is.
    pub async fn insert_events(&self, series: Option<&Series>, events: &[Event], guests: &[AccountId]) -> Result<(), Error> {
        on_either!(self, pool => {
            let mut all = pool.begin().await?;
            if let Some(series) = series {
                sqlx::query(crate::series::INSERT)
                    .bind(series.id.0)
                    .bind(&series.title)
                    .bind(series.visibility.name())
                    .bind(series.repeats.name())
                    .bind(series.created_by.map(|account| account.0))
                    .bind(series.created_at.0)
                    .execute(&mut *all)
                    .await?;
            }
            for event in events {
                bind(sqlx::query(INSERT), event)?
                    .bind(event.series.map(|series| series.0))
                    .bind(event.created_by.map(|account| account.0))
                    .bind(event.created_at.0)
                    .execute(&mut *all)
                    .await?;
                for guest in guests {
                    sqlx::query(INSERT_GUEST).bind(event.id.to_i64()).bind(guest.0).execute(&mut *all).await?;
                }
            }
            all.commit().await?;
        });
        Ok(())
    }

    /// Adds an event that has not begun.
    ///
    /// # Errors
    /// [`Error::Taken`] when the id is.
    pub async fn insert_event(&self, event: &Event) -> Result<(), Error> {
        self.insert_events(None, std::slice::from_ref(event), &[]).await
    }

    /// Changes what the announcement says and whom the list of guests names, both or neither. `false`: it is not there, or has begun.
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_event(&self, event: &Event, guests: &[AccountId], now: UnixMillis) -> Result<bool, Error> {
        const CLEAR: &str = "DELETE FROM event_guests WHERE event_id = $1";
        on_either!(self, pool => {
            let mut all = pool.begin().await?;
            if bind(sqlx::query(UPDATE), event)?.bind(now.0).execute(&mut *all).await?.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query(CLEAR).bind(event.id.to_i64()).execute(&mut *all).await?;
            for guest in guests {
                sqlx::query(INSERT_GUEST).bind(event.id.to_i64()).bind(guest.0).execute(&mut *all).await?;
            }
            all.commit().await?;
        });
        Ok(true)
    }

    /// Notes the hash of the event's picture, or that it has none any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn set_picture(&self, id: EventId, picture: Option<&str>) -> Result<(), Error> {
        const TEXT: &str = "UPDATE events SET picture = $2 WHERE id = $1";
        on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).bind(picture).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Takes back an event that has not begun. `false`: it is not there, or has begun.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_announced(&self, id: EventId) -> Result<bool, Error> {
        const TEXT: &str = "DELETE FROM events WHERE id = $1 AND doors_at IS NULL AND live_at IS NULL AND ended_at IS NULL";
        let done = on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).execute(pool).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// One event.
    ///
    /// # Errors
    /// The database fails.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, Error> {
        const TEXT: &str = select!("WHERE id = $1");
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.to_i64()).fetch_optional(pool).await)?;
        Ok(row.map(|row| row.0))
    }

    /// At most `limit` events of one phase that are listed: those live newest first, those to come in the order in which they begin, those
    /// over newest first, behind `after` when that is said.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events(&self, phase: Phase, listed: Listed<'_>, after: Option<After>, limit: u32) -> Result<Vec<Event>, Error> {
        const LIVE: &str = listed!("ended_at IS NULL AND live_at IS NOT NULL", "ORDER BY live_at DESC, id LIMIT $5");
        const ANNOUNCED: &str = listed!("ended_at IS NULL AND live_at IS NULL", "ORDER BY COALESCE(start_at, created_at), id LIMIT $5");
        const ENDED: &str =
            listed!("ended_at IS NOT NULL", "AND (ended_at < $6 OR (ended_at = $6 AND id > $7)) ORDER BY ended_at DESC, id LIMIT $5");
        let text = match phase {
            Phase::Live => LIVE,
            Phase::Announced => ANNOUNCED,
            Phase::Ended => ENDED,
        };
        let (ended, id) = after.unwrap_or((UnixMillis(i64::MAX), EventId::FIRST));
        let rows: Vec<Row> = on_either!(self, pool => {
            let query = bind_listed(sqlx::query_as(text), listed, limit);
            let query = if phase == Phase::Ended { query.bind(ended.0).bind(id.to_i64()) } else { query };
            query.fetch_all(pool).await
        })?;
        Ok(all(rows))
    }

    /// At most `limit` events to come that are listed, of a series only the next one, in the order in which they begin.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events_to_come(&self, listed: Listed<'_>, limit: u32) -> Result<Vec<Event>, Error> {
        const TEXT: &str = concat!(
            "SELECT * FROM (",
            listed!("ended_at IS NULL AND live_at IS NULL", "", with "ROW_NUMBER() OVER (PARTITION BY series_id, \
               CASE WHEN series_id IS NULL THEN id END ORDER BY COALESCE(start_at, created_at), id) AS place"),
            ") AS listed WHERE place = 1 ORDER BY COALESCE(start_at, created_at), id LIMIT $5"
        );
        let rows: Vec<Row> = on_either!(self, pool => bind_listed(sqlx::query_as(TEXT), listed, limit).fetch_all(pool).await)?;
        Ok(all(rows))
    }

    /// The events of a series in the order in which they begin.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events_of_series(&self, series: SeriesId) -> Result<Vec<Event>, Error> {
        const TEXT: &str = select!("WHERE series_id = $1 ORDER BY start_at, id");
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(series.0).fetch_all(pool).await)?;
        Ok(all(rows))
    }

    /// How many events this account has announced that are not over.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_events_of(&self, account: AccountId) -> Result<u64, Error> {
        const TEXT: &str = "SELECT COUNT(*) FROM events WHERE created_by = $1 AND ended_at IS NULL";
        let (count,): (i64,) = on_either!(self, pool => sqlx::query_as(TEXT).bind(account.0).fetch_one(pool).await)?;
        u64::try_from(count).map_err(|_| Error::Damaged("events"))
    }

    /// At most `limit` public events of one phase that an account made, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn public_events_of(&self, account: AccountId, phase: Phase, limit: u32) -> Result<Vec<Event>, Error> {
        const LIVE: &str = select!(
            "WHERE created_by = $1 AND visibility = 'public' AND ended_at IS NULL AND live_at IS NOT NULL ORDER BY live_at DESC, id LIMIT $2"
        );
        const ANNOUNCED: &str = select!(
            "WHERE created_by = $1 AND visibility = 'public' AND ended_at IS NULL AND live_at IS NULL ORDER BY created_at DESC, id LIMIT $2"
        );
        const ENDED: &str =
            select!("WHERE created_by = $1 AND visibility = 'public' AND ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT $2");
        let text = match phase {
            Phase::Live => LIVE,
            Phase::Announced => ANNOUNCED,
            Phase::Ended => ENDED,
        };
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(text).bind(account.0).bind(i64::from(limit)).fetch_all(pool).await)?;
        Ok(all(rows))
    }

    /// Every event that is not over, for whoever looks after them at the start.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_events(&self) -> Result<Vec<Event>, Error> {
        const TEXT: &str = select!("WHERE ended_at IS NULL ORDER BY id");
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(TEXT).fetch_all(pool).await)?;
        Ok(all(rows))
    }

    /// Notes when the doors opened; a later word changes nothing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn mark_doors(&self, id: EventId, since: UnixMillis) -> Result<(), Error> {
        const TEXT: &str = "UPDATE events SET doors_at = $2 WHERE id = $1 AND doors_at IS NULL AND live_at IS NULL";
        on_either!(self, pool => sqlx::query(TEXT).bind(id.to_i64()).bind(since.0).execute(pool).await.map(drop))?;
        Ok(())
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
