//! Keys for tests.

use crate::key::{KEY_BYTES, Keys};

/// Keys of these bytes, the newest first, as a key file has them.
pub(crate) fn keys(bytes: &[u8]) -> Keys {
    let lines: String = bytes.iter().map(|byte| format!("{byte:02x}").repeat(KEY_BYTES) + "\n").collect();
    Keys::parse(&lines).expect("a key file")
}
