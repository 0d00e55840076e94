//! Secrets that people carry: tokens of links and sessions. The database sees their hash alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::fmt;
use store::Hash;
use subtle::ConstantTimeEq as _;

/// Chance for one secret.
pub type Chance = [u8; 32];

/// A token: 256 bits of chance in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new secret out of chance.
    #[must_use]
    pub fn new(chance: &Chance) -> Self {
        Self(URL_SAFE_NO_PAD.encode(chance))
    }

    /// Reads a token that somebody brought; `None` when it can't be one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == size_of::<Chance>()).then(|| Self(text.to_owned()))
    }

    /// The token, to be handed to its bearer.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The bytes that the token stands for.
    #[must_use]
    pub fn bytes(&self) -> Option<Chance> {
        URL_SAFE_NO_PAD.decode(&self.0).ok()?.try_into().ok()
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The session's word against forged forms: it stands in every form and tells nothing of the session.
    #[must_use]
    pub fn form_word(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::new().chain_update(b"townsquare form\0").chain_update(&self.0).finalize()[..18])
    }

    /// Whether a form carried this session's word.
    #[must_use]
    pub fn is_form_word(&self, word: &str) -> bool {
        self.form_word().as_bytes().ct_eq(word.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests;
