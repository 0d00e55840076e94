//! What the square reaches outside its rows: the announcement's file, the stage, the journals.

use super::after::After;
use super::rehearsal::{Rehearsals, doing};
use super::{now, picture, record, stage, tracks};
use crate::data::{self, write_whole};
use crate::link::Link;
use crate::settings::Settings;
use anyhow::Context as _;
use api::{Doing, Kept, Order, Rehearsal, Shell, Track, Withhold};
use axum::response::Response;
use base::fact::Fact;
use base::limit::{PASSPHRASES_AT_ONCE_MAX, PICTURES_AT_ONCE_MAX};
use base::{EventId, FaultKind, FragmentNumber, ParticipantId};
use gate::Keys;
use programme::Announcement;
use square::Assembly;
use square::rehearsal::Crowd;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use store::{Event, Phase, Store};
use tokio::sync::Semaphore;

/// The file of an event's picture.
const PICTURE: &str = "picture.jpg";

/// How the name of an event's card begins.
const CARD: &str = "card-";

/// The square's hands.
pub(crate) struct Outside {
    settings: Settings,
    store: Store,
    rehearsals: Arc<Rehearsals>,
    /// Pictures that may be drawn now.
    pictures: Semaphore,
    /// The way to the other roles, where there are any.
    link: OnceLock<Link>,
    /// Passphrases that may be hashed now.
    hashes: Semaphore,
    after: Arc<After>,
    assembly: Arc<Mutex<Assembly>>,
}

impl Outside {
    pub(crate) fn new(settings: Settings, store: Store, keys: Keys) -> Self {
        let rehearsals = Arc::new(Rehearsals::new(settings.clone(), keys));
        let hashes = Semaphore::new(PASSPHRASES_AT_ONCE_MAX);
        let after = Arc::new(After::new(settings.clone(), store.clone()));
        let pictures = Semaphore::new(PICTURES_AT_ONCE_MAX);
        Self { settings, store, rehearsals, after, pictures, link: OnceLock::new(), hashes, assembly: Arc::default() }
    }

    pub(super) fn after(&self) -> &After {
        &self.after
    }

    /// From now on the other roles are told what they must know.
    pub(super) fn connect(&self, link: &Link) {
        let _ = self.link.set(link.clone());
    }

    fn tell(&self, fact: Fact) {
        if let Some(link) = self.link.get() {
            link.tell(fact);
        }
    }

    /// Work on a picture, one at a time, on a thread where it holds nobody up; one that brings the decoder down is no picture.
    async fn drawing(&self, work: impl FnOnce() -> Result<Vec<u8>, FaultKind> + Send + 'static) -> Result<Vec<u8>, FaultKind> {
        let _turn = self.pictures.acquire().await.map_err(|_| FaultKind::Internal)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| FaultKind::PictureUnusable)?
    }

    /// Work that takes a while on purpose, on a thread where it holds nobody up.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, FaultKind> + Send + 'static) -> Result<T, FaultKind> {
        let _turn = self.hashes.acquire().await.map_err(|_| FaultKind::Internal)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| FaultKind::Internal)?
    }

    pub(super) fn rehearsals(&self) -> &Rehearsals {
        &self.rehearsals
    }

    /// The audiences, for who serves them.
    pub(super) fn shared_assembly(&self) -> Arc<Mutex<Assembly>> {
        Arc::clone(&self.assembly)
    }

    pub(super) fn assembly(&self) -> MutexGuard<'_, Assembly> {
        self.assembly.lock().unwrap_or_else(PoisonError::into_inner)
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
            let dir = self.settings.event_dir(event.id);
            if tokio::task::spawn_blocking(move || data::says_over(&dir)).await? {
                self.look(event.id).await?;
            }
        }
        Ok(())
    }

    /// The stage has barred these tickets. The stage is told who else came with them, so that it and the relays refuse them as well.
    pub(super) async fn ban(&self, event: EventId, tickets: &[u64]) -> Result<(), store::Error> {
        if tickets.is_empty() {
            return Ok(());
        }
        let all = self.store.ban(event, tickets).await?;
        let more: Vec<u64> = all.into_iter().filter(|ticket| !tickets.contains(ticket)).collect();
        if !more.is_empty() {
            self.tell(Fact::Bar { event, tickets: more });
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
        self.note(event, record).await
    }

    async fn note(&self, event: EventId, record: record::Record) -> anyhow::Result<()> {
        self.ban(event, &record.barred).await?;
        if let Some(since) = record.doors_at {
            self.store.mark_doors(event, since).await?;
        }
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
            })?;
            self.tell(Fact::Announced { event: event.id });
            Ok(())
        })
    }

    fn redraw(&self, bytes: Vec<u8>) -> Doing<'_, Vec<u8>> {
        doing(self.drawing(move || picture::redrawn(&bytes)))
    }

    fn keep_picture(&self, event: EventId, jpeg: Option<Vec<u8>>) -> Doing<'_> {
        let path = self.settings.event_dir(event).join(PICTURE);
        doing(aside(event, move || match jpeg {
            Some(jpeg) => write_whole(&path, &jpeg, 0o640),
            None if path.exists() => Ok(std::fs::remove_file(&path)?),
            None => Ok(()),
        }))
    }

    fn picture(&self, event: EventId) -> Doing<'_, Vec<u8>> {
        let path = self.settings.event_dir(event).join(PICTURE);
        doing(aside(event, move || Ok(std::fs::read(path)?)))
    }

    fn card<'a>(&'a self, event: &'a Event, key: String, line: String) -> Doing<'a, Vec<u8>> {
        let dir = self.settings.event_dir(event.id);
        let path = dir.join(format!("{CARD}{key}.png"));
        doing(async move {
            if let Ok(card) = tokio::fs::read(&path).await {
                return Ok(card);
            }
            let (title, has_picture, picture) = (event.title.clone(), event.picture.is_some(), dir.join(PICTURE));
            let draw = move || match std::fs::read(picture) {
                Ok(jpeg) if has_picture => picture::card_of_picture(&jpeg),
                Ok(_) | Err(_) => picture::card_of_words(&title, &line),
            };
            let card = self.drawing(draw).await?;
            let kept = card.clone();
            // One card is kept for each event; a disk that takes nothing takes no card away from who asks.
            let _ = aside(event.id, move || {
                for old in std::fs::read_dir(&dir)?.flatten().filter(|file| file.file_name().to_string_lossy().starts_with(CARD)) {
                    std::fs::remove_file(old.path())?;
                }
                write_whole(&path, &kept, 0o640)
            })
            .await;
            Ok(card)
        })
    }

    fn withdraw(&self, event: EventId) -> Doing<'_> {
        doing(async move {
            let dir = self.settings.event_dir(event);
            let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(dir)).await.map_err(std::io::Error::other);
            self.tell(Fact::Announced { event });
            match removed.and_then(|removed| removed) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::error!(%event, %error, "what lies of an event that was taken back could not be removed");
                    Err(FaultKind::Internal)
                }
                Ok(()) | Err(_) => Ok(()),
            }
        })
    }

    fn lock(&self, passphrase: String) -> Doing<'_, String> {
        doing(self.hashing(move || square::event::lock(&passphrase, &super::chance())))
    }

    fn unlock(&self, passphrase: String, hash: String) -> Doing<'_, bool> {
        doing(self.hashing(move || Ok(square::passphrase::fits(&passphrase, &hash))))
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

    fn moments(&self, event: EventId) -> Doing<'_, Vec<u8>> {
        doing(async move { self.after.moments(event).await.map_err(|_| FaultKind::NotFound) })
    }

    fn cut(&self, event: EventId, ranges: Vec<Range<FragmentNumber>>) -> Doing<'_> {
        doing(async move { self.after.cut(event, ranges, now()).await.map_err(|error| broken(event, &error)) })
    }

    fn withhold(&self, event: EventId, what: Withhold) -> Doing<'_> {
        doing(async move { self.after.withhold(event, what, now()).await.map_err(|error| broken(event, &error)) })
    }

    fn see_through(&self, work: Doing<'static, Response>) -> Doing<'static, Response> {
        let work = tokio::spawn(work);
        doing(async move {
            work.await.unwrap_or_else(|error| {
                tracing::error!(%error, "a request handler panicked");
                Err(FaultKind::Internal)
            })
        })
    }

    fn kept(&self, event: EventId) -> Kept {
        self.after.kept(event)
    }

    fn tracks(&self, event: EventId) -> Doing<'_, Vec<Track>> {
        let dir = self.settings.event_dir(event);
        doing(aside(event, move || tracks::list(&dir)))
    }

    fn track(&self, event: EventId, participant: ParticipantId) -> PathBuf {
        tracks::path(&self.settings.event_dir(event), participant)
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

fn broken(event: EventId, error: &anyhow::Error) -> FaultKind {
    tracing::error!(%event, error = format!("{error:#}"), "a recording could not be changed");
    data::fault(error)
}

/// Files of an event that are the square's own, done on a thread where they hold nobody up.
async fn aside<T: Send + 'static>(event: EventId, work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> Result<T, FaultKind> {
    let done = tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from).and_then(|done| done);
    done.map_err(|error| {
        tracing::error!(%event, error = format!("{error:#}"), "a file of the event could not be read or written");
        data::fault(&error)
    })
}

fn announcement(event: &Event) -> Announcement {
    Announcement {
        id: event.id,
        title: event.title.clone(),
        description: event.description.clone(),
        language: event.language.clone(),
        visibility: event.visibility,
        created_at: event.created_at,
        start_at: event.start_at,
        plan: event.plan,
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
