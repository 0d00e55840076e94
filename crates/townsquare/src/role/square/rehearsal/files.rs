//! What is kept of rehearsals (docs/formats.md, "The data directory").

use crate::data::write_whole;
use api::{End, Last};
use base::{EventId, UnixMillis};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use square::rehearsal::Crowd;
use std::path::PathBuf;

/// The directory of rehearsals.
#[derive(Debug)]
pub(super) struct Files(PathBuf);

/// The rehearsal that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Underway {
    /// For which event.
    pub(super) event: EventId,
    /// On which stage.
    pub(super) hidden: EventId,
    pub(super) crowd: Crowd,
    pub(super) began: UnixMillis,
}

#[derive(Serialize, Deserialize)]
struct UnderwayWire {
    event: String,
    hidden: String,
    listeners: u32,
    seconds: u32,
    began: i64,
}

#[derive(Serialize, Deserialize)]
struct LastWire {
    at: i64,
    listeners: u32,
    seconds: u32,
    end: EndWire,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EndWire {
    Verdict(String),
    Failed(String),
    Stopped,
}

impl Files {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Where an event's last report is.
    pub(super) fn report_path(&self, event: EventId) -> PathBuf {
        self.0.join(format!("{event}.html"))
    }

    fn last_path(&self, event: EventId) -> PathBuf {
        self.0.join(format!("{event}.json"))
    }

    fn underway_path(&self) -> PathBuf {
        self.0.join("underway.json")
    }

    /// Notes that a rehearsal begins.
    pub(super) async fn begin(&self, Underway { event, hidden, crowd, began }: &Underway) -> anyhow::Result<()> {
        let Crowd { listeners, seconds } = *crowd;
        let wire = UnderwayWire { event: event.to_string(), hidden: hidden.to_string(), listeners, seconds, began: began.0 };
        tokio::fs::create_dir_all(&self.0).await?;
        write(self.underway_path(), &wire).await
    }

    /// The rehearsal that began and is not put away.
    pub(super) async fn underway(&self) -> Option<Underway> {
        let UnderwayWire { event, hidden, listeners, seconds, began } = read(self.underway_path()).await?;
        Some(Underway {
            event: event.parse().ok()?,
            hidden: hidden.parse().ok()?,
            crowd: Crowd { listeners, seconds },
            began: UnixMillis(began),
        })
    }

    /// Notes that everything of it is put away.
    pub(super) async fn finish(&self) -> anyhow::Result<()> {
        Ok(tokio::fs::remove_file(self.underway_path()).await?)
    }

    /// Notes how the last rehearsal for an event ended.
    pub(super) async fn note(&self, event: EventId, Last { crowd, at, end }: &Last) -> anyhow::Result<()> {
        let end = match end {
            End::Verdict(words) => EndWire::Verdict(words.clone()),
            End::Failed(words) => EndWire::Failed(words.clone()),
            End::Stopped => EndWire::Stopped,
        };
        tokio::fs::create_dir_all(&self.0).await?;
        write(self.last_path(event), &LastWire { at: at.0, listeners: crowd.listeners, seconds: crowd.seconds, end }).await
    }

    /// How the last rehearsal for an event ended; what can't be read is none.
    pub(super) async fn last(&self, event: EventId) -> Option<Last> {
        let LastWire { at, listeners, seconds, end } = read(self.last_path(event)).await?;
        let end = match end {
            EndWire::Verdict(words) => End::Verdict(words),
            EndWire::Failed(words) => End::Failed(words),
            EndWire::Stopped => End::Stopped,
        };
        Some(Last { crowd: Crowd { listeners, seconds }, at: UnixMillis(at), end })
    }

    pub(super) async fn report(&self, event: EventId) -> Option<Vec<u8>> {
        tokio::fs::read(self.report_path(event)).await.ok()
    }
}

async fn write(path: PathBuf, wire: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_vec(wire)?;
    tokio::task::spawn_blocking(move || write_whole(&path, &text, 0o640)).await?
}

async fn read<T: DeserializeOwned>(path: PathBuf) -> Option<T> {
    serde_json::from_slice(&tokio::fs::read(path).await.ok()?).ok()
}
