//! Signed tickets: who has one may do what its class says, for that event, in that time.
//!
//! The form stands in docs/formats.md. A ticket is checked without a database, so that the stage and the relays can.

use crate::key::Keys;
use base::{EventId, FaultKind, UnixMillis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const VERSION: u8 = 1;
const PAYLOAD_BYTES: usize = 26;
/// HMAC-SHA-256 truncated to 128 bits (RFC 2104, section 5: no less than half of the hash's output).
const MAC_BYTES: usize = 16;

/// What a ticket lets its bearer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Copy an event to another relay, and say how many listen there.
    Relay,
    /// Listen to a private event.
    Listener,
    /// Come on stage and speak.
    Speaker,
    /// What a host does, but not to a host.
    CoHost,
    /// All of it: open, end, mute, remove.
    Host,
}

/// What a ticket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The event it is good for.
    pub event: EventId,
    /// What its bearer may do.
    pub class: Class,
    /// Its own number, for revoking it.
    pub id: u64,
    /// Good from this second on (since 1970).
    pub not_before: u32,
    /// Good up to and including this second.
    pub not_after: u32,
}

/// Why a ticket is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a ticket, not signed by a live key, or for another event.
    #[error("the ticket is not valid here")]
    Forged,
    /// Its time has not come or is over.
    #[error("the ticket is outside its time")]
    OutsideTime,
    /// It is good, but not for this.
    #[error("the ticket does not allow this")]
    Class,
}

impl From<Refusal> for FaultKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forged => Self::BadTicket,
            Refusal::OutsideTime => Self::TicketExpired,
            Refusal::Class => Self::Forbidden,
        }
    }
}

/// The text of a ticket with these claims, signed by the newest key.
#[must_use]
pub fn sign(keys: &Keys, claims: &Claims) -> String {
    let payload = encode(claims);
    let mut bytes = payload.to_vec();
    bytes.extend_from_slice(&mac(keys.newest(), &payload).finalize().into_bytes()[..MAC_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the ticket says, once its signature and its time are found good.
///
/// # Errors
/// [`Refusal::Forged`] or [`Refusal::OutsideTime`].
pub fn verify(keys: &Keys, text: &str, now: UnixMillis) -> Result<Claims, Refusal> {
    let claims = read(keys, text)?;
    let second = now.0.div_euclid(1000);
    if second < i64::from(claims.not_before) || second > i64::from(claims.not_after) {
        return Err(Refusal::OutsideTime);
    }
    Ok(claims)
}

/// [`verify`], and the ticket is for `event` and of class `least` or a higher one.
///
/// # Errors
/// Any [`Refusal`].
pub fn admit(keys: &Keys, text: &str, now: UnixMillis, event: EventId, least: Class) -> Result<Claims, Refusal> {
    let claims = verify(keys, text, now)?;
    if claims.event != event {
        return Err(Refusal::Forged);
    }
    if claims.class < least {
        return Err(Refusal::Class);
    }
    Ok(claims)
}

/// Bytes of chance in [`session_secret`].
pub const NONCE_BYTES: usize = 16;

/// What the ICE credentials of one session are made of: a MAC of the ticket that it was opened with and of a number used once, so that
/// nobody without the keys can make one up, and no two sessions have the same (RFC 8445, section 5.3).
#[must_use]
pub fn session_secret(keys: &Keys, claims: &Claims, nonce: [u8; NONCE_BYTES]) -> [u8; 32] {
    // Longer than a ticket's payload, so it is never the MAC of a ticket.
    mac(keys.newest(), &encode(claims)).chain_update(nonce).finalize().into_bytes().into()
}

fn read(keys: &Keys, text: &str) -> Result<Claims, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Forged)?;
    let (payload, signature) = bytes.split_first_chunk::<PAYLOAD_BYTES>().ok_or(Refusal::Forged)?;
    // `verify_truncated_left` alone would take a signature of one byte.
    if signature.len() != MAC_BYTES {
        return Err(Refusal::Forged);
    }
    let signed = keys.all().any(|key| mac(key, payload).verify_truncated_left(signature).is_ok());
    if signed { decode(payload).ok_or(Refusal::Forged) } else { Err(Refusal::Forged) }
}

fn mac(key: &[u8; crate::key::KEY_BYTES], payload: &[u8; PAYLOAD_BYTES]) -> Hmac<Sha256> {
    // HMAC pads a key with zeros to the hash's block of 64 bytes (RFC 2104, section 2); done here, the length can't be wrong.
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(payload);
    mac
}

fn encode(claims: &Claims) -> [u8; PAYLOAD_BYTES] {
    let mut payload = [0u8; PAYLOAD_BYTES];
    payload[0] = VERSION;
    payload[1] = match claims.class {
        Class::Listener => 1,
        Class::Speaker => 2,
        Class::Host => 3,
        Class::Relay => 4,
        Class::CoHost => 5,
    };
    payload[2..10].copy_from_slice(&claims.event.to_i64().to_be_bytes());
    payload[10..18].copy_from_slice(&claims.id.to_be_bytes());
    payload[18..22].copy_from_slice(&claims.not_before.to_be_bytes());
    payload[22..26].copy_from_slice(&claims.not_after.to_be_bytes());
    payload
}

fn decode(payload: &[u8; PAYLOAD_BYTES]) -> Option<Claims> {
    let class = match (payload[0], payload[1]) {
        (VERSION, 1) => Class::Listener,
        (VERSION, 2) => Class::Speaker,
        (VERSION, 3) => Class::Host,
        (VERSION, 4) => Class::Relay,
        (VERSION, 5) => Class::CoHost,
        _ => return None,
    };
    Some(Claims {
        event: EventId::from_i64(i64::from_be_bytes(payload[2..10].try_into().ok()?))?,
        class,
        id: u64::from_be_bytes(payload[10..18].try_into().ok()?),
        not_before: u32::from_be_bytes(payload[18..22].try_into().ok()?),
        not_after: u32::from_be_bytes(payload[22..26].try_into().ok()?),
    })
}

#[cfg(test)]
mod tests;
