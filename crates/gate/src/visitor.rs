//! What a browser keeps so that it is known when it comes again: 16 bytes of chance and their signature. Nobody makes one up, so as many
//! visitors take part as the square has let in.

use crate::key::{KEY_BYTES, Keys};
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

fn mac(key: &[u8; KEY_BYTES], chance: &[u8]) -> Hmac<Sha256> {
    // No ticket's payload begins so: the first byte of one is its version.
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length").chain_update(b"townsquare visitor\0").chain_update(chance)
}

#[cfg(test)]
mod tests;
