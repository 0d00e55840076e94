//! Invites: a link to an event's stage for each guest, so that one can be taken back.

use crate::account::AccountId;
use crate::engine::{Error, Store, on_either};
use base::{EventId, UnixMillis};

/// What an invite makes its bearer on stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guest {
    /// Speaks.
    Speaker,
    /// Speaks, and does most of what a host does.
    CoHost,
}

impl Guest {
    /// Its name, in rows, forms and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Speaker => "speaker",
            Self::CoHost => "co-host",
        }
    }

    /// Reads what [`Guest::name`] gave.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Speaker, Self::CoHost].into_iter().find(|guest| guest.name() == name)
    }
}

/// One invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The id of the ticket in its link.
    pub id: u64,
    /// The event whose stage it leads to.
    pub event: EventId,
    /// What its bearer is there.
    pub guest: Guest,
    /// Whom it is for.
    pub name: String,
    /// What the host wants to remember about it; empty when nothing.
    pub note: String,
    /// Who made it; nobody when the operator did.
    pub created_by: Option<AccountId>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was taken back.
    pub revoked_at: Option<UnixMillis>,
}

type Row = (i64, i64, String, String, String, Option<i64>, i64, Option<i64>);

fn from_row((id, event, role, name, note, by, created_at, revoked_at): Row) -> Result<Invite, Error> {
    const DAMAGED: Error = Error::Damaged("invites");
    Ok(Invite {
        id: id.cast_unsigned(),
        event: EventId::from_i64(event).ok_or(DAMAGED)?,
        guest: Guest::parse(&role).ok_or(DAMAGED)?,
        name,
        note,
        created_by: by.map(AccountId),
        created_at: UnixMillis(created_at),
        revoked_at: revoked_at.map(UnixMillis),
    })
}

impl Store {
    /// Adds an invite, unless its event has `max` already; says whether there was room. Invites that were taken back count: their
    /// tickets are remembered on the stage.
    ///
    /// # Errors
    /// [`Error::Taken`] when the id is.
    pub async fn insert_invite(&self, invite: &Invite, max: u32) -> Result<bool, Error> {
        const TEXT: &str = "INSERT INTO invites (id, event_id, role, name, note, created_by, created_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT COUNT(*) FROM invites WHERE event_id = $2) < $8";
        let done = on_either!(self, pool => sqlx::query(TEXT)
            .bind(invite.id.cast_signed())
            .bind(invite.event.to_i64())
            .bind(invite.guest.name())
            .bind(&invite.name)
            .bind(&invite.note)
            .bind(invite.created_by.map(|account| account.0))
            .bind(invite.created_at.0)
            .bind(i64::from(max))
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// The invite with this ticket.
    ///
    /// # Errors
    /// The database fails.
    pub async fn invite(&self, id: u64) -> Result<Option<Invite>, Error> {
        const TEXT: &str = "SELECT id, event_id, role, name, note, created_by, created_at, revoked_at FROM invites WHERE id = $1";
        let row: Option<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(id.cast_signed()).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }

    /// An event's invites, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn invites(&self, event: EventId) -> Result<Vec<Invite>, Error> {
        const TEXT: &str = "SELECT id, event_id, role, name, note, created_by, created_at, revoked_at FROM invites \
             WHERE event_id = $1 ORDER BY created_at DESC, id";
        let rows: Vec<Row> = on_either!(self, pool => sqlx::query_as(TEXT).bind(event.to_i64()).fetch_all(pool).await)?;
        rows.into_iter().map(from_row).collect()
    }

    /// Notes when an invite was taken back; a later word changes nothing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn revoke_invite(&self, id: u64, at: UnixMillis) -> Result<(), Error> {
        const TEXT: &str = "UPDATE invites SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        on_either!(self, pool => sqlx::query(TEXT).bind(id.cast_signed()).bind(at.0).execute(pool).await.map(drop))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
