//! Events that nobody has come to yet and whose doors will open by themselves.

use super::event::schedule;
use base::{EventId, UnixMillis};
use programme::Announcement;
use programme::journal::Journal;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// The wall clock may be set meanwhile, so what is far ahead is looked at again this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// When the doors of which event open.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeMap<EventId, UnixMillis>);

impl Agenda {
    /// Notes what the announcement in this directory says by now; nothing of an event that is open, over, long past or gone.
    pub(super) fn note(&mut self, dir: &Path, id: EventId, now: UnixMillis) {
        match doors_at(dir, now) {
            Some(at) => drop(self.0.insert(id, at)),
            None => drop(self.0.remove(&id)),
        }
    }

    /// Whose doors open by now; they are on the agenda no more.
    pub(super) fn due(&mut self, now: UnixMillis) -> Vec<EventId> {
        let due: Vec<EventId> = self.0.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        self.0.retain(|_, at| *at > now);
        due
    }

    /// Puts an event off that found no room.
    pub(super) fn put_off(&mut self, id: EventId, until: UnixMillis) {
        self.0.insert(id, until);
    }

    /// When to look again.
    pub(super) fn deadline(&self, instant: Instant, now: UnixMillis) -> Option<Instant> {
        let next = self.0.values().min()?;
        let ahead = Duration::from_millis(u64::try_from(next.0.saturating_sub(now.0)).unwrap_or(0));
        Some(instant + ahead.min(LOOK_EVERY))
    }
}

fn doors_at(dir: &Path, now: UnixMillis) -> Option<UnixMillis> {
    let announcement = Announcement::read(&std::fs::read(dir.join("event.json")).ok()?).ok()?;
    let schedule = schedule(&announcement);
    // Of most events this is all that is read.
    schedule.gives_up_at().filter(|until| now < *until)?;
    let journal = Journal::read(&std::fs::read(dir.join("journal")).unwrap_or_default());
    let is_open = journal.epochs().next().is_some() || journal.end().is_some();
    schedule.doors_at().filter(|_| !is_open)
}
