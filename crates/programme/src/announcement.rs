//! The announcement `event.json`: what stage and relay know about an event without a database.

pub use base::{Delay, Speak, Visibility};
use base::{EventId, Plan, UnixMillis};
use serde::{Deserialize, Serialize};

/// One event as it was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The event.
    pub id: EventId,
    /// Its title.
    pub title: String,
    /// What it is about, as it was typed.
    pub description: String,
    /// The language it is held in (BCP 47); empty when nobody said.
    pub language: String,
    /// Who may hear it.
    pub visibility: Visibility,
    /// When it was created.
    pub created_at: UnixMillis,
    /// When it is to begin.
    pub start_at: Option<UnixMillis>,
    /// How it is to go.
    pub plan: Plan,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    id: String,
    title: String,
    visibility: String,
    created_at: i64,
    #[serde(default)]
    delay_seconds: u64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    start_at: Option<i64>,
    #[serde(default = "usual_speak")]
    speak: String,
    #[serde(default)]
    record_tracks: bool,
    #[serde(default = "usual_empty")]
    empty_minutes: u32,
    #[serde(default = "usual_doors")]
    doors_minutes: u32,
}

fn usual_speak() -> String {
    Speak::default().name().to_owned()
}

fn usual_empty() -> u32 {
    Plan::default().empty_minutes
}

fn usual_doors() -> u32 {
    Plan::default().doors_minutes
}

/// The bytes are no announcement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event.json can't be read: {0}")]
pub struct NoAnnouncement(String);

impl Announcement {
    /// The least that can be said about an event: no time, and the usual plan.
    #[must_use]
    pub fn new(id: EventId, title: impl Into<String>, visibility: Visibility, created_at: UnixMillis) -> Self {
        let (title, description, language) = (title.into(), String::new(), String::new());
        Self { id, title, description, language, visibility, created_at, start_at: None, plan: Plan::default() }
    }

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
            description: wire.description,
            language: wire.language,
            created_at: UnixMillis(wire.created_at),
            start_at: wire.start_at.map(UnixMillis),
            plan: Plan {
                speak: Speak::parse(&wire.speak).ok_or_else(|| NoAnnouncement(format!("speak is {:?}", wire.speak)))?,
                delay: Delay::from_seconds(wire.delay_seconds)
                    .ok_or_else(|| NoAnnouncement(format!("delay_seconds is {}, not 0, 5 or 10", wire.delay_seconds)))?,
                record_tracks: wire.record_tracks,
                empty_minutes: wire.empty_minutes,
                doors_minutes: wire.doors_minutes,
            },
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
            delay_seconds: self.plan.delay.seconds(),
            description: self.description.clone(),
            language: self.language.clone(),
            start_at: self.start_at.map(|at| at.0),
            speak: self.plan.speak.name().into(),
            record_tracks: self.plan.record_tracks,
            empty_minutes: self.plan.empty_minutes,
            doors_minutes: self.plan.doors_minutes,
        };
        serde_json::to_string(&wire).expect("strings and numbers are JSON") + "\n"
    }
}

#[cfg(test)]
mod tests;
