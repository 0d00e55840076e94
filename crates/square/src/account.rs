//! Accounts: making one, and signing in with one-time links.

use crate::secret::{Chance, Secret};
use crate::{Actor, Fault, words};
use base::limit::{SESSION_DAYS_MAX, SIGN_IN_LINK_MINUTES_MAX};
use base::{FaultKind, UnixMillis};
use store::{Account, AccountId, Link, Role, Session, Store};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// How often a session's use is noted: often enough for its age in days, seldom enough to cost nothing.
const NOTED_EVERY: i64 = 60 * MINUTE;

/// Who may make accounts and links for them.
///
/// # Errors
/// [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`].
pub fn may_make(actor: &Actor) -> Result<(), FaultKind> {
    match actor {
        Actor::Visitor => Err(FaultKind::NotSignedIn),
        Actor::Operator | Actor::Account(_) if actor.administers() => Ok(()),
        Actor::Operator | Actor::Account(_) => Err(FaultKind::Forbidden),
    }
}

/// Makes an account and a one-time link that signs it in. Its number grows with time, so that later accounts sort later.
///
/// # Errors
/// Who asks may not, the name can't be or is taken, or the database fails.
pub async fn create(
    store: &Store,
    actor: &Actor,
    name: &str,
    role: Role,
    now: UnixMillis,
    chance: &Chance,
) -> Result<(Account, Secret), Fault> {
    may_make(actor)?;
    let account = Account { id: number(now, chance), name: words::name(name)?, role, created_at: now };
    store.insert_account(&account).await.map_err(name_taken)?;
    let secret = link(store, Some(account.id), now, chance).await?;
    Ok((account, secret))
}

/// A one-time link for an account that exists, for somebody who lost the browser they were signed in with.
///
/// # Errors
/// Who asks may not, there is no such account, or the database fails.
pub async fn link_for(store: &Store, actor: &Actor, name: &str, now: UnixMillis, chance: &Chance) -> Result<(Account, Secret), Fault> {
    may_make(actor)?;
    let account = store.account_by_name(name.trim()).await?.ok_or(FaultKind::NotFound)?;
    let secret = link(store, Some(account.id), now, chance).await?;
    Ok((account, secret))
}

/// A one-time link that makes its opener the first administrator; `None` once there is an account.
///
/// # Errors
/// Who asks is not the operator, or the database fails.
pub async fn first_link(store: &Store, actor: &Actor, now: UnixMillis, chance: &Chance) -> Result<Option<Secret>, Fault> {
    if *actor != Actor::Operator {
        return Err(FaultKind::Forbidden.into());
    }
    if store.any_account().await? {
        return Ok(None);
    }
    Ok(Some(link(store, None, now, chance).await?))
}

/// What a link would do, for the page that asks before it is spent. Looking spends nothing.
///
/// # Errors
/// [`FaultKind::LinkSpent`] when it was used, is too old, or never was; or the database fails.
pub async fn look(store: &Store, secret: &Secret, now: UnixMillis) -> Result<Link, Fault> {
    let link = store.link(&secret.hash()).await?.ok_or(FaultKind::LinkSpent)?;
    let good = link.spent_at.is_none() && now < link.expires_at && (link.account.is_some() || !store.any_account().await?);
    if good { Ok(link) } else { Err(FaultKind::LinkSpent.into()) }
}

/// Spends a link and opens a session. `name` is what the first administrator wants to be called; other links need none.
///
/// # Errors
/// The link is spent, the name can't be, or the database fails.
pub async fn sign_in(store: &Store, secret: &Secret, name: &str, now: UnixMillis, chance: &Chance) -> Result<Secret, Fault> {
    let link = look(store, secret, now).await?;
    let session = Secret::new(chance);
    let opened = if link.account.is_some() {
        store.sign_in(&secret.hash(), &session.hash(), now).await?
    } else {
        let first = Account { id: AccountId::FIRST, name: words::name(name)?, role: Role::Admin, created_at: now };
        store.sign_in_first(&secret.hash(), &first, &session.hash(), now).await?
    };
    if opened { Ok(session) } else { Err(FaultKind::LinkSpent.into()) }
}

/// Whose session this is; an old one is nobody's.
///
/// # Errors
/// The database fails.
pub async fn whose(store: &Store, session: &Secret, now: UnixMillis) -> Result<Option<Account>, Fault> {
    let hash = session.hash();
    let Some(Session { account, last_used_at }) = store.session(&hash, UnixMillis(now.0 - SESSION_DAYS_MAX * DAY)).await? else {
        return Ok(None);
    };
    if now.0 - last_used_at.0 >= NOTED_EVERY {
        store.touch_session(&hash, now).await?;
    }
    Ok(Some(account))
}

/// Ends a session.
///
/// # Errors
/// The database fails.
pub async fn sign_out(store: &Store, session: &Secret) -> Result<(), Fault> {
    Ok(store.delete_session(&session.hash()).await?)
}

/// Forgets sessions and links that are too old to be of use. A link is remembered a day longer than it is good.
///
/// # Errors
/// The database fails.
pub async fn forget(store: &Store, now: UnixMillis) -> Result<(), Fault> {
    Ok(store.forget(UnixMillis(now.0 - DAY), UnixMillis(now.0 - SESSION_DAYS_MAX * DAY)).await?)
}

async fn link(store: &Store, account: Option<AccountId>, now: UnixMillis, chance: &Chance) -> Result<Secret, Fault> {
    let secret = Secret::new(chance);
    let expires_at = UnixMillis(now.0 + SIGN_IN_LINK_MINUTES_MAX * MINUTE);
    store.insert_link(&secret.hash(), &Link { account, created_at: now, expires_at, spent_at: None }).await?;
    Ok(secret)
}

/// 47 bits of milliseconds before 16 bits of chance: positive, and never [`AccountId::FIRST`] after the first minute of 1970.
fn number(now: UnixMillis, chance: &Chance) -> AccountId {
    let millis = now.0.clamp(1 << 16, (1 << 47) - 1);
    AccountId(millis << 16 | i64::from(u16::from_be_bytes([chance[0], chance[1]])))
}

fn name_taken(error: store::Error) -> Fault {
    // The number can collide too, once in 65536 accounts made in the same millisecond: asking again helps either way.
    if matches!(error, store::Error::Taken) { FaultKind::NameTaken.into() } else { error.into() }
}

#[cfg(test)]
mod tests;
