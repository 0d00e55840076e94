//! What a browser keeps so that it is known when it comes again: 16 bytes of chance and their signature. Nobody makes one up, so as many
//! visitors take part as the square has let in. And the number of a network from which visitors come.

use crate::key::{KEY_BYTES, Keys};
use base::EventId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of chance in a mark.
const CHANCE_BYTES: usize = 16;

/// A new mark out of chance, signed by the newest key.
#[must_use]
pub fn sign(keys: &Keys, chance: &[u8; 32]) -> [u8; 32] {
    let mut mark = *chance;
    let signature = mac(keys.newest(), &mark[..CHANCE_BYTES]).finalize().into_bytes();
    mark[CHANCE_BYTES..].copy_from_slice(&signature[..CHANCE_BYTES]);
    mark
}

/// Whether a live key signed this mark.
#[must_use]
pub fn is_signed(keys: &Keys, mark: &[u8; 32]) -> bool {
    let (chance, signature) = mark.split_at(CHANCE_BYTES);
    keys.all().any(|key| mac(key, chance).verify_truncated_left(signature).is_ok())
}

/// The number of a network in one event: by it rows count who comes from one, and without the keys nobody reads the address out of it.
#[must_use]
pub fn network(keys: &Keys, event: EventId, address: u128) -> u64 {
    let mac = keyed(keys.newest(), b"townsquare network\0").chain_update(event.to_i64().to_be_bytes()).chain_update(address.to_be_bytes());
    mac.finalize().into_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn mac(key: &[u8; KEY_BYTES], chance: &[u8]) -> Hmac<Sha256> {
    keyed(key, b"townsquare visitor\0").chain_update(chance)
}

/// No ticket's payload begins as `what` does: the first byte of one is its version.
fn keyed(key: &[u8; KEY_BYTES], what: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length").chain_update(what)
}

#[cfg(test)]
mod tests;
