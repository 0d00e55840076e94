//! Moments as people and programs read them.

use base::UnixMillis;
use jiff::Timestamp;

/// A moment for a `<time>` element.
pub(crate) struct When {
    /// RFC 3339, to the second.
    pub(crate) machine: String,
    /// In words, in UTC; the page's script puts it in the visitor's zone.
    pub(crate) people: String,
}

impl When {
    pub(crate) fn new(at: UnixMillis) -> Self {
        Self { machine: rfc3339(at), people: time(at).strftime("%-d %B %Y, %H:%M UTC").to_string() }
    }
}

/// RFC 3339, to the second.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    time(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn time(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
