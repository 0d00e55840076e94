//! The two engines, and the one text that runs on either.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlSafeStr as _, SqlitePool};
use std::str::FromStr as _;
use std::time::Duration;

/// Connections to the database. SQLite writes one at a time whatever this is; readers do not wait for the writer.
const CONNECTIONS_MAX: u32 = 8;

/// How long a query waits for a free connection, and a SQLite writer for the writer before it.
const WAIT: Duration = Duration::from_secs(5);

/// Every migration, oldest first. Forward only: one that was released is never edited.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "foundation", include_str!("../migrations/0001_foundation.sql")),
    (2, "announcements", include_str!("../migrations/0002_announcements.sql")),
    (3, "crowd", include_str!("../migrations/0003_crowd.sql")),
    (4, "after", include_str!("../migrations/0004_after.sql")),
    (5, "invites", include_str!("../migrations/0005_invites.sql")),
    (6, "bans", include_str!("../migrations/0006_bans.sql")),
    (7, "bearers", include_str!("../migrations/0007_bearers.sql")),
];

/// The database. Cheap to clone: a handle to a pool.
#[derive(Clone, Debug)]
pub struct Store(pub(crate) Engine);

#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one body on whichever engine is behind the store, with `$pool` naming its pool.
macro_rules! on_either {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.0 {
            $crate::engine::Engine::Sqlite($pool) => $body,
            $crate::engine::Engine::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on_either;

/// What a database can answer besides rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is neither `sqlite:PATH` nor `postgres://…`.
    #[error("the database address must begin with sqlite: or postgres://")]
    UnknownEngine,
    /// The database was last used by a newer version of the program.
    #[error("the database has schema {found}, this program knows {known}: start the newer version that was used before")]
    Newer {
        /// The newest migration that the database has seen.
        found: i64,
        /// The newest migration of this program.
        known: i64,
    },
    /// A row with the same unique value is there already.
    #[error("that is taken already")]
    Taken,
    /// The disk of the database takes nothing.
    #[error("the disk of the database is full or can't be written: {0}")]
    Full(#[source] sqlx::Error),
    /// A row holds what this program never writes.
    #[error("a row of {0} is damaged")]
    Damaged(&'static str),
    /// A migration could not be applied.
    #[error("the database could not be brought up to date: {0}")]
    Migrate(#[source] MigrateError),
    /// The engine refused or could not be reached.
    #[error("the database: {0}")]
    Engine(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(refusal) if refusal.is_unique_violation() => Self::Taken,
            Some(refusal) if refusal.code().is_some_and(|code| is_full(&code)) => Self::Full(error),
            Some(_) | None => Self::Engine(error),
        }
    }
}

/// Whether an engine's code says that the disk takes nothing: `disk_full` of `PostgreSQL`, and of SQLite that the file, the file system
/// or the memory of its log is full or read only.
fn is_full(code: &str) -> bool {
    const DISK_FULL: &str = "53100";
    const READONLY: i64 = 8;
    const FULL: i64 = 13;
    const IOERR_SHMSIZE: i64 = 10 | (19 << 8);
    // SQLite's lowest byte is the kind, what is above it the special case; no code of it has five digits, each of PostgreSQL's has.
    let sqlite = |code: i64| matches!(code & 0xff, READONLY | FULL) || code == IOERR_SHMSIZE;
    code == DISK_FULL || (code.len() < DISK_FULL.len() && code.parse().is_ok_and(sqlite))
}

impl Store {
    /// Opens `sqlite:PATH` or `postgres://…` and applies the migrations that are missing.
    ///
    /// # Errors
    /// The address is unknown, the engine can't be reached, or the database is of a newer version.
    pub async fn open(address: &str) -> Result<Self, Error> {
        let store = if let Some(path) = address.strip_prefix("sqlite:") {
            Self(Engine::Sqlite(open_sqlite(path).await?))
        } else if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(address)?;
            Self(Engine::Postgres(PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(WAIT).connect_with(options).await?))
        } else {
            return Err(Error::UnknownEngine);
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        on_either!(self, pool => sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Closes every connection; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        on_either!(self, pool => pool.close().await);
    }

    async fn migrate(&self) -> Result<(), Error> {
        let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
        let migrations = MIGRATIONS
            .iter()
            .map(|(version, name, text)| Migration::new(*version, (*name).into(), MigrationType::Simple, text.into_sql_str(), false))
            .collect();
        let migrator = Migrator::with_migrations(migrations);
        on_either!(self, pool => migrator.run(pool).await).map_err(|error| {
            if let MigrateError::VersionMissing(found) = error {
                Error::Newer { found, known }
            } else if let MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) = error {
                cause.into()
            } else {
                Error::Migrate(error)
            }
        })
    }
}

async fn open_sqlite(path: &str) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With FULL an acknowledged write survives power loss; WAL's usual NORMAL may lose the last ones.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(WAIT);
    Ok(SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(WAIT).connect_with(options).await?)
}

#[cfg(test)]
mod tests;
