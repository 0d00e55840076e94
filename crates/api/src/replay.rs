//! What pages know of an ended event's replay beyond its rows.

use base::ParticipantId;
use serde::Deserialize;

/// What is to become of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withhold {
    /// Only who runs the event hears it.
    Hide,
    /// Everybody hears it again.
    Show,
    /// It goes for good.
    Delete,
}

/// What a server does with an event's recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// How far the MP3 is that is being made just now.
    pub mp3_percent: Option<u8>,
    /// After how many days recordings are deleted.
    pub days: Option<u32>,
}

/// One speaker's own track: what they said live, on the event's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Who; somebody who came again as somebody new has a track for each time.
    pub participant: ParticipantId,
    /// What they were called last; may be empty.
    pub name: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// When they are heard first, in milliseconds from where the event began.
    pub first_ms: u64,
    /// When they are heard last; the file ends there.
    pub end_ms: u64,
}

/// What happened when (docs/formats.md, "Moments"), as far as pages say it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Moments {
    pub(crate) seconds: f64,
    pub(crate) people: Vec<Person>,
    pub(crate) turns: Vec<(u16, f64, f64)>,
    pub(crate) step: f64,
    pub(crate) listeners: Vec<u32>,
    pub(crate) reactions: Vec<u32>,
    pub(crate) reactions_by_kind: Vec<u64>,
    pub(crate) pins: Vec<Pin>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) spoke_ms: u64,
}

impl Person {
    /// What they are called, also when they said no name.
    pub(crate) fn called(&self) -> String {
        called(self.id, &self.name)
    }
}

/// What a participant is called, also when they said no name.
pub(crate) fn called(id: u16, name: &str) -> String {
    if name.is_empty() { format!("Speaker {id}") } else { name.to_owned() }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pin {
    pub(crate) at: f64,
    pub(crate) text: String,
    pub(crate) url: String,
}

impl Moments {
    /// What the square serves; bytes that can't be read tell nothing.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Those who spoke, the one who spoke longest first.
    pub(crate) fn speakers(&self) -> Vec<&Person> {
        let mut speakers: Vec<&Person> = self.people.iter().filter(|person| person.spoke_ms > 0).collect();
        speakers.sort_by_key(|person| (std::cmp::Reverse(person.spoke_ms), person.id));
        speakers
    }
}

/// 65 is "1:05", 3665 is "1:01:05".
pub(crate) fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative and endless times are held at the ends")]
    let whole = seconds.max(0.0).floor() as u64;
    let (hours, minutes, seconds) = (whole / 3_600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests;
