//! Accounts: who somebody is on this square.

use crate::engine::{Error, Store, on_either};
use base::UnixMillis;

/// An account's number: positive, and later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

impl AccountId {
    /// The account that the one-time link of a new server makes. A fixed number, so that two such links can't make two.
    pub const FIRST: Self = Self(1);
}

/// What an account may do on the square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything.
    Admin,
    /// Acts on what members do.
    Moderator,
    /// Takes part.
    Member,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Moderator, Self::Member];

    /// The role's name, in rows, flags and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderator => "moderator",
            Self::Member => "member",
        }
    }

    /// Reads what [`Role::name`] gave.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name, unique whatever the case.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: UnixMillis,
}

pub(crate) type Row = (i64, String, String, i64);

pub(crate) fn from_row((id, name, role, created_at): Row) -> Result<Account, Error> {
    let role = Role::parse(&role).ok_or(Error::Damaged("accounts"))?;
    Ok(Account { id: AccountId(id), name, role, created_at: UnixMillis(created_at) })
}

impl Store {
    /// Adds an account.
    ///
    /// # Errors
    /// [`Error::Taken`] when the name is, in any case.
    pub async fn insert_account(&self, account: &Account) -> Result<(), Error> {
        const TEXT: &str = "INSERT INTO accounts (id, name, role, created_at) VALUES ($1, $2, $3, $4)";
        on_either!(self, pool => sqlx::query(TEXT)
            .bind(account.id.0)
            .bind(&account.name)
            .bind(account.role.name())
            .bind(account.created_at.0)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The account with this name, whatever its case.
    ///
    /// # Errors
    /// The database fails.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, Error> {
        const TEXT: &str = "SELECT id, name, role, created_at FROM accounts WHERE lower(name) = lower($1)";
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(name).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// The account with this number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        const TEXT: &str = "SELECT id, name, role, created_at FROM accounts WHERE id = $1";
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.0).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// Whether there is an account at all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn any_account(&self) -> Result<bool, Error> {
        const TEXT: &str = "SELECT id FROM accounts LIMIT 1";
        let row: Option<(i64,)> = on_either!(self, pool => sqlx::query_as(TEXT).fetch_optional(pool).await)?;
        Ok(row.is_some())
    }
}

#[cfg(test)]
mod tests;
