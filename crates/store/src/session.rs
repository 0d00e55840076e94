//! One-time sign-in links, and the sessions that they open. Both are kept by the SHA-256 of their token.

use crate::account::{self, Account, AccountId};
use crate::engine::{Error, Store, on_either};
use base::UnixMillis;
use std::fmt::Write as _;

/// SHA-256 of a token: what the database knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    fn text(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a `String` can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A one-time link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whom it signs in; `None` makes the first administrator.
    pub account: Option<AccountId>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// The first moment at which it is too old.
    pub expires_at: UnixMillis,
    /// When it was used.
    pub spent_at: Option<UnixMillis>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub account: Account,
    /// When it was last seen, as far as that was noted.
    pub last_used_at: UnixMillis,
}

const INSERT_SESSION: &str = "INSERT INTO sessions (hash, account_id, created_at, last_used_at) VALUES ($1, $2, $3, $3)";

impl Store {
    /// Adds a sign-in link.
    ///
    /// # Errors
    /// The database fails.
    pub async fn insert_link(&self, hash: &Hash, link: &Link) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO sign_in_links (hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(hash.text())
            .bind(link.account.map(|account| account.0))
            .bind(link.created_at.0)
            .bind(link.expires_at.0)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The link of this hash, spent or not.
    ///
    /// # Errors
    /// The database fails.
    pub async fn link(&self, hash: &Hash) -> Result<Option<Link>, Error> {
        const TEXT: &str = "SELECT account_id, created_at, expires_at, spent_at FROM sign_in_links WHERE hash = $1";
        let row: Option<(Option<i64>, i64, i64, Option<i64>)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(hash.text()).fetch_optional(pool).await)?;
        Ok(row.map(|(account, created_at, expires_at, spent_at)| Link {
            account: account.map(AccountId),
            created_at: UnixMillis(created_at),
            expires_at: UnixMillis(expires_at),
            spent_at: spent_at.map(UnixMillis),
        }))
    }

    /// Spends the link of an account and opens a session for it, both or neither. `false`: there is no such link to spend.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sign_in(&self, link: &Hash, session: &Hash, now: UnixMillis) -> Result<bool, Error> {
        const SPEND: &str = "UPDATE sign_in_links SET spent_at = $2 \
             WHERE hash = $1 AND spent_at IS NULL AND expires_at > $2 AND account_id IS NOT NULL RETURNING account_id";
        on_either!(self, pool => {
            let mut both = pool.begin().await?;
            let account: Option<(i64,)> = sqlx::query_as(SPEND).bind(link.text()).bind(now.0).fetch_optional(&mut *both).await?;
            let Some((account,)) = account else { return Ok(false) };
            sqlx::query(INSERT_SESSION).bind(session.text()).bind(account).bind(now.0).execute(&mut *both).await?;
            both.commit().await?;
        });
        Ok(true)
    }

    /// Spends a link without an account: `first` becomes the first account and is signed in, all or nothing.
    /// `false`: there is no such link to spend, or there is an account already.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sign_in_first(&self, link: &Hash, first: &Account, session: &Hash, now: UnixMillis) -> Result<bool, Error> {
        const SPEND: &str = "UPDATE sign_in_links SET spent_at = $2 \
             WHERE hash = $1 AND spent_at IS NULL AND expires_at > $2 AND account_id IS NULL";
        const FIRST: &str = "INSERT INTO accounts (id, name, role, created_at) \
             SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM accounts)";
        on_either!(self, pool => {
            let mut all = pool.begin().await?;
            if sqlx::query(SPEND).bind(link.text()).bind(now.0).execute(&mut *all).await?.rows_affected() == 0 {
                return Ok(false);
            }
            let made = sqlx::query(FIRST)
                .bind(first.id.0)
                .bind(&first.name)
                .bind(first.role.name())
                .bind(first.created_at.0)
                .execute(&mut *all)
                .await
                .map_err(Error::from);
            match made {
                Ok(made) if made.rows_affected() == 1 => {}
                // Another link was opened at the same moment and won.
                Ok(_) | Err(Error::Taken) => return Ok(false),
                Err(error) => return Err(error),
            }
            sqlx::query(INSERT_SESSION).bind(session.text()).bind(first.id.0).bind(now.0).execute(&mut *all).await?;
            all.commit().await?;
        });
        Ok(true)
    }

    /// The session of this hash, when it was used after `since`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn session(&self, hash: &Hash, since: UnixMillis) -> Result<Option<Session>, Error> {
        const TEXT: &str = "SELECT a.id, a.name, a.role, a.created_at, s.last_used_at \
             FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.hash = $1 AND s.last_used_at > $2";
        let row: Option<(i64, String, String, i64, i64)> =
            on_either!(self, pool => sqlx::query_as(TEXT).bind(hash.text()).bind(since.0).fetch_optional(pool).await)?;
        row.map(|(id, name, role, created_at, last_used_at)| {
            let account = account::from_row((id, name, role, created_at))?;
            Ok(Session { account, last_used_at: UnixMillis(last_used_at) })
        })
        .transpose()
    }

    /// Notes that the session was used.
    ///
    /// # Errors
    /// The database fails.
    pub async fn touch_session(&self, hash: &Hash, now: UnixMillis) -> Result<(), Error> {
        const TEXT: &str = "UPDATE sessions SET last_used_at = $2 WHERE hash = $1";
        on_either!(self, pool => sqlx::query(TEXT).bind(hash.text()).bind(now.0).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_session(&self, hash: &Hash) -> Result<(), Error> {
        const TEXT: &str = "DELETE FROM sessions WHERE hash = $1";
        on_either!(self, pool => sqlx::query(TEXT).bind(hash.text()).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Forgets links that expired, and sessions that were not used, up to these moments.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget(&self, links_until: UnixMillis, sessions_until: UnixMillis) -> Result<(), Error> {
        const LINKS: &str = "DELETE FROM sign_in_links WHERE expires_at <= $1";
        const SESSIONS: &str = "DELETE FROM sessions WHERE last_used_at <= $1";
        on_either!(self, pool => {
            sqlx::query(LINKS).bind(links_until.0).execute(pool).await?;
            sqlx::query(SESSIONS).bind(sessions_until.0).execute(pool).await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
