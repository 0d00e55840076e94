//! The keys that sign tickets.

use std::fmt;

/// Bytes of one key: as long as the hash's output (RFC 2104, section 3).
pub const KEY_BYTES: usize = 32;

/// Keys that are live at once: the one that signs and the one before it.
pub const KEYS_MAX: usize = 2;

/// The live ticket keys, the newest first. The newest signs, all of them verify.
#[derive(Clone)]
pub struct Keys {
    newest: [u8; KEY_BYTES],
    older: Option<[u8; KEY_BYTES]>,
}

impl Keys {
    /// Keys with one member.
    #[must_use]
    pub const fn new(newest: [u8; KEY_BYTES]) -> Self {
        Self { newest, older: None }
    }

    /// Reads the text of a key file: hex, one key a line, the newest first.
    ///
    /// # Errors
    /// The text has no key, more than [`KEYS_MAX`], or a line that is not 64 hex digits.
    pub fn parse(text: &str) -> Result<Self, KeyFileFault> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines.as_slice() {
            [newest] => Ok(Self { newest: from_hex(newest)?, older: None }),
            [newest, older] => Ok(Self { newest: from_hex(newest)?, older: Some(from_hex(older)?) }),
            _ => Err(KeyFileFault),
        }
    }

    /// The text that [`Keys::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.all().map(|key| to_hex(key) + "\n").collect()
    }

    pub(crate) const fn newest(&self) -> &[u8; KEY_BYTES] {
        &self.newest
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8; KEY_BYTES]> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// The key file is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ticket key file has one or two lines of 64 hex digits")]
pub struct KeyFileFault;

fn to_hex(key: &[u8; KEY_BYTES]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(line: &str) -> Result<[u8; KEY_BYTES], KeyFileFault> {
    let mut key = [0u8; KEY_BYTES];
    if line.len() != KEY_BYTES * 2 || !line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(KeyFileFault);
    }
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&line[place * 2..place * 2 + 2], 16).map_err(|_| KeyFileFault)?;
    }
    Ok(key)
}
