//! What is done with an event once it is over: its moments are read, an MP3 is made, and what is kept too long is deleted.
//!
//! One event at a time, in the background. The recording's own files are the only source, so that all of it can be made again. What
//! is public of a recording is narrowed in the files first and in the rows afterwards.

mod mp3;
mod read;

use crate::data::write_whole;
use crate::settings::Settings;
use anyhow::Context as _;
use api::{Kept, Withhold};
use base::limit::REPLAYS_PER_TURN_MAX;
use base::{EventId, FragmentNumber, UnixMillis};
use programme::Cuts;
use programme::cuts::Cut;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use store::replay::DeletedBy;
use tokio::sync::Mutex;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_secs(3);

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// What may be said again: it has no rows.
const MADE: [&str; 3] = ["moments.json", "replay.mp3", "replay.mp3.part"];

/// The one who does it.
#[derive(Debug)]
pub(super) struct After {
    settings: Settings,
    store: Store,
    /// Whoever changes a recording's cuts or files does so alone.
    alone: Mutex<()>,
    /// The MP3 that is being made.
    making: std::sync::Mutex<Option<Making>>,
}

/// An MP3 under way.
#[derive(Debug, Clone)]
struct Making {
    event: EventId,
    progress: Arc<mp3::Progress>,
}

impl After {
    pub(super) fn new(settings: Settings, store: Store) -> Self {
        Self { settings, store, alone: Mutex::new(()), making: std::sync::Mutex::new(None) }
    }

    /// Works until it is dropped. A long MP3 keeps no other event from being read.
    pub(super) async fn work(&self, now: fn() -> UnixMillis) {
        let say = |error: &anyhow::Error| {
            tracing::warn!(error = format!("{error:#}"), "what is to be done with ended events could not be looked up")
        };
        let read = async {
            let mut ailing = Vec::new();
            loop {
                let _ = self.read_all(now(), &mut ailing).await.inspect_err(say);
                tokio::time::sleep(LOOK).await;
            }
        };
        let encode = async {
            let mut ailing = Vec::new();
            loop {
                let _ = self.encode_one(&mut ailing).await.inspect_err(say);
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::join!(read, encode);
    }

    /// Everything that is short. An event that could not be worked on is `ailing` and left alone until the next start.
    pub(super) async fn read_all(&self, now: UnixMillis, ailing: &mut Vec<EventId>) -> anyhow::Result<()> {
        self.expire(now).await?;
        for event in self.store.unread_replays(REPLAYS_PER_TURN_MAX).await? {
            if !ailing.contains(&event)
                && let Err(error) = self.read(event, now).await
            {
                tracing::error!(%event, error = format!("{error:#}"), "the moments of an event could not be read");
                ailing.push(event);
            }
        }
        Ok(())
    }

    /// One MP3, of the event that ended last.
    pub(super) async fn encode_one(&self, ailing: &mut Vec<EventId>) -> anyhow::Result<()> {
        let waiting = self.store.replays_without_mp3(REPLAYS_PER_TURN_MAX).await?;
        let Some(event) = waiting.into_iter().find(|event| !ailing.contains(event)) else { return Ok(()) };
        if let Err(error) = self.encode(event).await {
            tracing::error!(%event, error = format!("{error:#}"), "the MP3 of an event could not be made");
            ailing.push(event);
        }
        Ok(())
    }

    /// Reads an event's recording and notes what is heard of it.
    async fn read(&self, event: EventId, now: UnixMillis) -> anyhow::Result<()> {
        let _alone = self.alone.lock().await;
        self.read_alone(event, now).await
    }

    async fn read_alone(&self, event: EventId, now: UnixMillis) -> anyhow::Result<()> {
        let dir = self.settings.event_dir(event);
        let moments = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            let moments = read::moments(&dir)?;
            write_whole(&dir.join("moments.json"), &serde_json::to_vec(&moments)?, 0o640)?;
            Ok(moments)
        })
        .await??;
        let heard = FragmentNumber(moments.first)..FragmentNumber(moments.end);
        self.store.note_replay(event, &heard, u32::try_from(moments.cuts)?, now).await?;
        Ok(())
    }

    /// Makes an event's MP3, unless somebody changes the recording meanwhile.
    async fn encode(&self, event: EventId) -> anyhow::Result<()> {
        let Some(replay) = self.store.replay(event).await? else { return Ok(()) };
        let dir = self.settings.event_dir(event);
        let progress = Arc::new(mp3::Progress::default());
        *self.making.lock().expect("nobody panics with it") = Some(Making { event, progress: Arc::clone(&progress) });
        let stop = StopWhenDropped(Arc::clone(&progress));
        let made = mp3::make(&dir, replay.heard.clone(), progress).await;
        drop(stop);
        *self.making.lock().expect("nobody panics with it") = None;
        let part = dir.join("replay.mp3.part");
        let Some(bytes) = made? else { return remove(&part) };
        let _alone = self.alone.lock().await;
        let now = self.store.replay(event).await?;
        if now.is_some_and(|now| now.cuts == replay.cuts && now.heard == replay.heard && now.deleted.is_none()) {
            std::fs::rename(&part, dir.join("replay.mp3"))?;
            sync_dir(&dir)?;
            self.store.note_mp3(event, replay.cuts, bytes).await?;
            return Ok(());
        }
        remove(&part)
    }

    /// Silences ranges of a recording for good, everywhere; the replay is shorter where they stand at its ends.
    pub(super) async fn cut(&self, event: EventId, ranges: Vec<Range<FragmentNumber>>, now: UnixMillis) -> anyhow::Result<()> {
        let _alone = self.alone.lock().await;
        self.leave(event);
        let dir = self.settings.event_dir(event);
        // Whatever breaks off from here on, it is read again.
        self.store.forget_replay(event).await?;
        tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            // What is heard in them goes before the cut is said.
            MADE.iter().try_for_each(|name| remove(&dir.join(name)))?;
            append_cuts(&dir, &ranges)
        })
        .await??;
        self.read_alone(event, now).await
    }

    /// Hides a recording, shows it again, or deletes it.
    pub(super) async fn withhold(&self, event: EventId, what: Withhold, now: UnixMillis) -> anyhow::Result<()> {
        let _alone = self.alone.lock().await;
        let dir = self.settings.event_dir(event);
        match what {
            Withhold::Hide => {
                write_whole(&dir.join("withheld"), b"hidden\n", 0o640)?;
                self.store.hide_replay(event, Some(now)).await?;
            }
            Withhold::Show => {
                self.store.hide_replay(event, None).await?;
                remove(&dir.join("withheld"))?;
            }
            Withhold::Delete => self.delete(event, now, DeletedBy::Owner).await?,
        }
        Ok(())
    }

    async fn delete(&self, event: EventId, now: UnixMillis, by: DeletedBy) -> anyhow::Result<()> {
        self.leave(event);
        let dir = self.settings.event_dir(event);
        tokio::task::spawn_blocking(move || delete_files(&dir)).await??;
        self.store.note_deleted(event, now, by).await?;
        tracing::info!(%event, ?by, "a recording was deleted");
        Ok(())
    }

    /// Deletes what is kept longer than is said.
    async fn expire(&self, now: UnixMillis) -> anyhow::Result<()> {
        let Some(days) = self.settings.keep_replays_days else { return Ok(()) };
        let before = UnixMillis(now.0 - i64::from(days) * DAY_MILLIS);
        for event in self.store.replays_from_before(before, REPLAYS_PER_TURN_MAX).await? {
            let _alone = self.alone.lock().await;
            self.delete(event, now, DeletedBy::Retention).await?;
        }
        Ok(())
    }

    /// Whoever makes this event's MP3 may stop.
    fn leave(&self, event: EventId) {
        if let Some(making) = self.making.lock().expect("nobody panics with it").as_ref().filter(|making| making.event == event) {
            making.progress.stop();
        }
    }

    /// How far this event's MP3 is, in percent.
    pub(super) fn kept(&self, event: EventId) -> Kept {
        let making = self.making.lock().expect("nobody panics with it").clone();
        let percent = making.filter(|making| making.event == event).map(|making| making.progress.percent());
        Kept { mp3_percent: percent, days: self.settings.keep_replays_days }
    }

    /// What was read of an event, as it is served.
    pub(super) async fn moments(&self, event: EventId) -> std::io::Result<Vec<u8>> {
        tokio::fs::read(self.settings.event_dir(event).join("moments.json")).await
    }
}

/// Ends the thread that encodes when nobody waits for it any more.
struct StopWhenDropped(Arc<mp3::Progress>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("can't remove {}", path.display())),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A torn end goes first: what stood behind it would never be read.
fn append_cuts(dir: &Path, ranges: &[Range<FragmentNumber>]) -> anyhow::Result<()> {
    let path = dir.join("cuts");
    let before = match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
    file.set_len(Cuts::whole(&before).len() as u64)?;
    let records: Vec<u8> = ranges.iter().flat_map(|range| Cuts::record(Cut { from: range.start, to: range.end })).collect();
    file.write_all(&records)?;
    file.sync_all()?;
    Ok(sync_dir(dir)?)
}

/// The announcement and the journal stay: that the event was, and when.
fn delete_files(dir: &Path) -> anyhow::Result<()> {
    write_whole(&dir.join("withheld"), b"deleted\n", 0o640)?;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_sound(&name) {
            remove(&path)?;
        } else if name == "tracks" {
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(sync_dir(dir)?)
}

/// Whether a file of an event's directory holds sound, or tells what was said.
fn is_sound(name: &str) -> bool {
    MADE.contains(&name) || [".mp4", ".idx", ".ogg", ".opus"].iter().any(|ending| name.ends_with(ending))
}

/// What a thread was told to stop for.
#[derive(Debug, Default)]
struct Stop(AtomicBool);

impl Stop {
    fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_said(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The recording's files.
fn recording(dir: &Path) -> [PathBuf; 2] {
    [dir.join("64.mp4"), dir.join("64.idx")]
}

#[cfg(test)]
mod tests;
