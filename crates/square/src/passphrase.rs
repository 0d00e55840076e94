//! Passphrases of private events. The database sees their hash alone; to make or check one takes some 20 ms on purpose.

use crate::secret::Chance;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};

/// The hash to keep, as a PHC string: Argon2id with the library's parameters (OWASP's: 19 MiB, two passes).
#[must_use]
pub fn hash(typed: &str, chance: &Chance) -> Option<String> {
    Argon2::default().hash_password_with_salt(typed.trim().as_bytes(), &chance[..16]).ok().map(|hash| hash.to_string())
}

/// Whether `typed` is what was hashed.
#[must_use]
pub fn fits(typed: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(typed.trim().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests;
