//! Traffic keys of one direction, and how they are renewed (RFC 8446, sections 5.3, 7.2 and 7.3).

use aws_lc_rs::aead::{self, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

/// Bytes of every nonce.
pub(crate) const NONCE_BYTES: usize = 12;

/// Bytes of the longest key.
const KEY_BYTES_MAX: usize = 32;

/// Bytes of the longest secret.
const SECRET_BYTES_MAX: usize = 48;

/// The protocol's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// What seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    Chacha20Poly1305,
}

impl Cipher {
    fn aead(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::Chacha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }

    /// The hash of the key schedule, and its bytes.
    fn hash(self) -> (hkdf::Algorithm, usize) {
        match self {
            Self::Aes128Gcm | Self::Chacha20Poly1305 => (hkdf::HKDF_SHA256, 32),
            Self::Aes256Gcm => (hkdf::HKDF_SHA384, 48),
        }
    }
}

/// The keys of one direction: plain data, which another process could go on with.
///
/// The cipher's own tables are made for each use: they would take three times the room of all the rest, and fetching them from
/// memory for one listener in a hundred thousand costs as much as making them.
pub(crate) struct Keys {
    cipher: Cipher,
    /// What the next keys come from; TLS 1.2 knows no next ones.
    secret: Option<Zeroizing<[u8; SECRET_BYTES_MAX]>>,
    key: Zeroizing<[u8; KEY_BYTES_MAX]>,
    iv: [u8; NONCE_BYTES],
    /// The number of the next record.
    pub(crate) sequence: u64,
}

impl Keys {
    /// The keys that follow from a traffic secret of TLS 1.3.
    pub(crate) fn of_secret(cipher: Cipher, secret: &[u8], sequence: u64) -> Self {
        let mut kept = Zeroizing::new([0; SECRET_BYTES_MAX]);
        kept[..secret.len()].copy_from_slice(secret);
        let mut keys = Self { cipher, secret: Some(kept), key: Zeroizing::default(), iv: [0; NONCE_BYTES], sequence };
        keys.derive();
        keys
    }

    /// These very keys, of TLS 1.2.
    pub(crate) fn given(cipher: Cipher, key: &[u8], iv: [u8; NONCE_BYTES], sequence: u64) -> Self {
        let mut kept = Zeroizing::new([0; KEY_BYTES_MAX]);
        kept[..key.len()].copy_from_slice(key);
        Self { cipher, secret: None, key: kept, iv, sequence }
    }

    /// Whether they are these.
    pub(crate) fn are(&self, cipher: Cipher, key: &[u8], iv: &[u8]) -> bool {
        self.cipher == cipher && self.key() == key && self.iv == iv
    }

    /// Goes over to the next keys, as a `KeyUpdate` says; those of TLS 1.2 stay.
    pub(crate) fn renew(&mut self) {
        let Some(secret) = &mut self.secret else { return };
        let (_, length) = self.cipher.hash();
        let mut next = Zeroizing::new([0; SECRET_BYTES_MAX]);
        expand(self.cipher, &secret[..length], b"traffic upd", &mut next[..length]);
        *secret = next;
        self.sequence = 0;
        self.derive();
    }

    /// Cipher, key and nonce: what seals outside of this process needs to know besides the sequence.
    pub(crate) fn parts(&self) -> (Cipher, &[u8], &[u8; NONCE_BYTES]) {
        (self.cipher, self.key(), &self.iv)
    }

    /// What seals and opens with them.
    pub(crate) fn aead(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(self.cipher.aead(), self.key()).expect("a key as long as its cipher's"))
    }

    /// The nonce of the next record.
    pub(crate) fn nonce(&self) -> [u8; NONCE_BYTES] {
        let mut nonce = self.iv;
        for (byte, number) in nonce[NONCE_BYTES - 8..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }

    /// Whether records of TLS 1.2 carry a part of their nonce (RFC 5288), and the part that they do not carry.
    pub(crate) fn salt(&self) -> Option<[u8; 4]> {
        let [a, b, c, d, ..] = self.iv;
        (self.cipher != Cipher::Chacha20Poly1305).then_some([a, b, c, d])
    }

    fn key(&self) -> &[u8] {
        &self.key[..self.cipher.aead().key_len()]
    }

    fn derive(&mut self) {
        let Some(secret) = &self.secret else { return };
        let (_, length) = self.cipher.hash();
        expand(self.cipher, &secret[..length], b"key", &mut self.key[..self.cipher.aead().key_len()]);
        expand(self.cipher, &secret[..length], b"iv", &mut self.iv);
    }
}

/// `HKDF-Expand-Label` with an empty context (RFC 8446, section 7.1).
fn expand(cipher: Cipher, secret: &[u8], label: &[u8], into: &mut [u8]) {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    const PREFIX: &[u8] = b"tls13 ";
    let byte = |length: usize| u8::try_from(length).expect("labels and keys are short");
    let info: [&[u8]; 4] = [&[0, byte(into.len()), byte(PREFIX.len() + label.len())], PREFIX, label, &[0]];
    hkdf::Prk::new_less_safe(cipher.hash().0, secret)
        .expand(&info, Length(into.len()))
        .and_then(|key| key.fill(into))
        .expect("a key shorter than what one secret gives");
}
