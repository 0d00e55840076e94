//! Who takes part in an event without being on stage: somebody with a number in that event, the same each time they come.

use crate::Secret;
use base::EventId;
use sha2::{Digest as _, Sha256};
use store::AccountId;

/// By what a visitor is known.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// They are signed in.
    Account(AccountId),
    /// Their browser keeps a secret.
    Cookie(&'a Secret),
    /// It is the encoder of who runs the event: an account's, else the operator's. A ban of it is one of nobody else.
    Encoder(Option<AccountId>),
}

/// The number of a visitor's ticket for one event: the first 8 bytes of SHA-256. An account has one ticket in each event, so that what is
/// refused to the ticket is refused to the account; tickets of one visitor for two events tell nothing of each other.
#[must_use]
pub fn ticket(event: EventId, known: Known<'_>) -> u64 {
    let hash = Sha256::new().chain_update(b"townsquare-visitor").chain_update(event.to_i64().to_be_bytes());
    let hash = match known {
        Known::Account(account) => hash.chain_update(b"account").chain_update(account.0.to_be_bytes()),
        Known::Cookie(secret) => hash.chain_update(b"cookie").chain_update(secret.text()),
        Known::Encoder(account) => hash.chain_update(b"encoder").chain_update(account.map_or(0, |account| account.0).to_be_bytes()),
    };
    hash.finalize().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests;
