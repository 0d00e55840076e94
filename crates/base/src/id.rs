//! Identities that cross rooms.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32 in lower case: no i, l, o, u, so an id read aloud is typed right.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters in the text of an [`EventId`].
pub const EVENT_ID_CHARS: usize = 12;

/// One live event: 60 random bits, written as 12 characters.
///
/// Unguessable enough for an unlisted event's address; a private event asks for a ticket besides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(u64);

impl EventId {
    /// The least id there can be.
    pub const FIRST: Self = Self(0);

    /// The greatest id there can be.
    pub const LAST: Self = Self((1 << 60) - 1);

    /// Keeps the low 60 bits of `random`.
    #[must_use]
    pub const fn from_random(random: u64) -> Self {
        Self(random & ((1 << 60) - 1))
    }

    /// The id as a positive integer, as the database keeps it.
    #[must_use]
    pub const fn to_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// Reads what [`EventId::to_i64`] gave; `None` outside 60 bits.
    #[must_use]
    pub fn from_i64(value: i64) -> Option<Self> {
        u64::try_from(value).ok().filter(|bits| bits >> 60 == 0).map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; EVENT_ID_CHARS];
        for (place, slot) in text.iter_mut().enumerate() {
            let shift = 5 * (EVENT_ID_CHARS - 1 - place);
            *slot = ALPHABET[((self.0 >> shift) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// The text is no event id: wrong length or a character outside the alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is {EVENT_ID_CHARS} characters out of 0-9 and a-z without i, l, o, u")]
pub struct NoEventId;

impl FromStr for EventId {
    type Err = NoEventId;

    fn from_str(text: &str) -> Result<Self, NoEventId> {
        if text.len() != EVENT_ID_CHARS {
            return Err(NoEventId);
        }
        let mut bits = 0u64;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|&c| c == byte).ok_or(NoEventId)?;
            bits = bits << 5 | digit as u64;
        }
        Ok(Self(bits))
    }
}

/// One clip of a replay: 60 random bits, written as an [`EventId`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClipId(EventId);

impl ClipId {
    /// Keeps the low 60 bits of `random`.
    #[must_use]
    pub const fn from_random(random: u64) -> Self {
        Self(EventId::from_random(random))
    }

    /// The id as a positive integer, as the database keeps it.
    #[must_use]
    pub const fn to_i64(self) -> i64 {
        self.0.to_i64()
    }

    /// Reads what [`ClipId::to_i64`] gave; `None` outside 60 bits.
    #[must_use]
    pub fn from_i64(value: i64) -> Option<Self> {
        EventId::from_i64(value).map(Self)
    }
}

impl fmt::Display for ClipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ClipId {
    type Err = NoEventId;

    fn from_str(text: &str) -> Result<Self, NoEventId> {
        text.parse().map(Self)
    }
}

/// One person on the stage of one event, numbered in the order of arrival.
///
/// Small on purpose: it rides in every live fact. Stable for the whole event, so that a reconnection, a restarted
/// stage and the replay all name the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u16);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests;
