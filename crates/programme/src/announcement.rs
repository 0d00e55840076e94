//! The announcement `event.json`: what stage and relay know about an event without a database.

pub use base::Visibility;
use base::{EventId, UnixMillis};
use serde::{Deserialize, Serialize};

/// How far behind the sealed end an event is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delay {
    /// At once.
    #[default]
    None,
    /// Five seconds.
    Seconds5,
    /// Ten seconds.
    Seconds10,
}

impl Delay {
    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Seconds5 => 5,
            Self::Seconds10 => 10,
        }
    }

    /// Reads what [`Delay::seconds`] gave.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        [Self::None, Self::Seconds5, Self::Seconds10].into_iter().find(|delay| delay.seconds() == seconds)
    }
}

/// One event as it was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The event.
    pub id: EventId,
    /// Its title.
    pub title: String,
    /// Who may hear it.
    pub visibility: Visibility,
    /// When it was created.
    pub created_at: UnixMillis,
    /// How far behind it is heard.
    pub delay: Delay,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    id: String,
    title: String,
    visibility: String,
    created_at: i64,
    #[serde(default)]
    delay_seconds: u64,
}

/// The bytes are no announcement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event.json can't be read: {0}")]
pub struct NoAnnouncement(String);

impl Announcement {
    /// Reads `event.json`.
    ///
    /// # Errors
    /// When it is no JSON of that shape or a value is none that can be.
    pub fn read(bytes: &[u8]) -> Result<Self, NoAnnouncement> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| NoAnnouncement(error.to_string()))?;
        Ok(Self {
            id: wire.id.parse().map_err(|error: base::id::NoEventId| NoAnnouncement(error.to_string()))?,
            title: wire.title,
            visibility: Visibility::parse(&wire.visibility)
                .ok_or_else(|| NoAnnouncement(format!("visibility is {:?}", wire.visibility)))?,
            created_at: UnixMillis(wire.created_at),
            delay: Delay::from_seconds(wire.delay_seconds)
                .ok_or_else(|| NoAnnouncement(format!("delay_seconds is {}, not 0, 5 or 10", wire.delay_seconds)))?,
        })
    }

    /// The text of `event.json`.
    #[must_use]
    pub fn text(&self) -> String {
        let wire = Wire {
            id: self.id.to_string(),
            title: self.title.clone(),
            visibility: self.visibility.name().into(),
            created_at: self.created_at.0,
            delay_seconds: self.delay.seconds(),
        };
        serde_json::to_string(&wire).expect("strings and numbers are JSON") + "\n"
    }
}

#[cfg(test)]
mod tests;
