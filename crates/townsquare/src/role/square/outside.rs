//! What the square reaches outside its rows: the announcement's file, the stage, the journals.

use super::rehearsal::{Rehearsals, doing};
use super::{record, stage};
use crate::data::{self, write_whole};
use crate::settings::Settings;
use anyhow::Context as _;
use api::{Doing, Order, Rehearsal, Shell};
use base::EventId;
use gate::Keys;
use programme::Announcement;
use programme::announcement::Delay;
use square::rehearsal::Crowd;
use std::path::Path;
use std::sync::Arc;
use store::{Event, Phase, Store};

/// The square's hands.
#[derive(Debug)]
pub(crate) struct Outside {
    settings: Settings,
    store: Store,
    rehearsals: Arc<Rehearsals>,
}

impl Outside {
    pub(crate) fn new(settings: Settings, store: Store, keys: Keys) -> Self {
        let rehearsals = Arc::new(Rehearsals::new(settings.clone(), keys));
        Self { settings, store, rehearsals }
    }

    pub(super) fn rehearsals(&self) -> &Rehearsals {
        &self.rehearsals
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Makes good what was missed: announcements that were never written, and what the stage did while nobody listened.
    pub(crate) async fn catch_up(&self) -> anyhow::Result<()> {
        for event in self.store.open_events().await? {
            if event.phase() == Phase::Announced {
                self.write_announcement(&event, false).await?;
            }
            self.look(event.id).await?;
        }
        Ok(())
    }

    /// Finds live events that are over: the word of it is lost when the supervisor is replaced just then.
    pub(crate) async fn find_ends(&self) -> anyhow::Result<()> {
        for event in self.store.open_events().await?.iter().filter(|event| event.phase() == Phase::Live) {
            if let Some((at, end)) = self.record(event.id).await?.ended {
                self.store.mark_ended(event.id, at, end).await?;
            }
        }
        Ok(())
    }

    async fn record(&self, event: EventId) -> anyhow::Result<record::Record> {
        let dir = self.settings.event_dir(event);
        let found = tokio::task::spawn_blocking(move || record::read(&dir)).await?;
        found.with_context(|| format!("can't read the journal of {event}"))
    }

    /// Brings an event's row up to what its journal says.
    async fn look(&self, event: EventId) -> anyhow::Result<()> {
        let record = self.record(event).await?;
        if let Some(since) = record.live_at {
            self.store.mark_live(event, since).await?;
        }
        if let Some((at, end)) = record.ended {
            self.store.mark_ended(event, at, end).await?;
        }
        Ok(())
    }

    async fn write_announcement(&self, event: &Event, again: bool) -> anyhow::Result<()> {
        let text = announcement(event).text();
        let dir = self.settings.event_dir(event.id);
        tokio::task::spawn_blocking(move || write_announcement(&dir, &text, again)).await?
    }
}

impl Shell for Outside {
    fn announce<'a>(&'a self, event: &'a Event) -> Doing<'a> {
        Box::pin(async move {
            self.write_announcement(event, true).await.map_err(|error| {
                tracing::error!(event = %event.id, error = format!("{error:#}"), "an event could not be announced");
                data::fault(&error)
            })
        })
    }

    fn order<'a>(&'a self, event: EventId, ticket: &'a str, order: Order) -> Doing<'a> {
        Box::pin(async move {
            let socket = self.settings.run_dir().join("stage.sock");
            stage::order(&socket, event, ticket, order).await?;
            self.look(event).await.map_err(|error| {
                tracing::error!(%event, error = format!("{error:#}"), "what the stage did could not be noted");
                data::fault(&error)
            })
        })
    }

    fn rehearse(&self, event: EventId, crowd: Crowd) -> Doing<'_> {
        doing(async move { self.rehearsals.start(event, crowd) })
    }

    fn end_rehearsal(&self, event: EventId) -> Doing<'_> {
        doing(async move {
            self.rehearsals.call_back(event);
            Ok(())
        })
    }

    fn rehearsal(&self, event: EventId) -> Doing<'_, Rehearsal> {
        doing(async move { Ok(self.rehearsals.standing(event).await) })
    }

    fn rehearsal_report(&self, event: EventId) -> Doing<'_, Vec<u8>> {
        doing(self.rehearsals.report(event))
    }
}

fn announcement(event: &Event) -> Announcement {
    Announcement {
        id: event.id,
        title: event.title.clone(),
        visibility: event.visibility,
        created_at: event.created_at,
        delay: Delay::None,
    }
}

pub(super) fn write_announcement(dir: &Path, text: &str, again: bool) -> anyhow::Result<()> {
    let path = dir.join("event.json");
    if !again && path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(dir).with_context(|| format!("can't make the directory {}", dir.display()))?;
    write_whole(&path, text.as_bytes(), 0o640)
}
