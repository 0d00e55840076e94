//! Waking up when a file grows: inotify on the directories of the open events.
//!
//! It only wakes: what has changed is found by looking, so that a lost notice costs a quarter of a second at most.

use crate::event::Event;
use base::EventId;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// The directories watched.
pub(crate) struct Watch {
    /// None when the system has no more of them: then the coarse timer alone finds what is new.
    notices: Option<OwnedFd>,
    events: BTreeMap<i32, EventId>,
    touched: BTreeSet<EventId>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let notices = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        if let Err(error) = notices {
            tracing::warn!(%error, "no notices about files: fragments are sent up to a quarter of a second late");
        }
        Self { notices: notices.ok(), events: BTreeMap::new(), touched: BTreeSet::new() }
    }

    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.notices.as_ref().map(|notices| notices.as_fd())
    }

    /// Watches the directories of an event that are there; again is no harm.
    pub(crate) fn add(&mut self, event: &Event) {
        let Some(notices) = &self.notices else { return };
        for directory in event.directories() {
            let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
            // The directory of what is in memory is seldom there, and is tried again.
            if let Ok(watch) = inotify::add_watch(notices, directory, flags) {
                self.events.insert(watch, event.id);
            }
        }
    }

    /// Watches an event no more.
    pub(crate) fn remove(&mut self, event: EventId) {
        let Some(notices) = &self.notices else { return };
        self.events.retain(|&watch, id| {
            if *id == event {
                // It is gone already when the directory is.
                let _ = inotify::remove_watch(notices, watch);
            }
            *id != event
        });
        self.touched.remove(&event);
    }

    /// Takes what the kernel has noticed.
    pub(crate) fn read(&mut self) {
        let Some(notices) = &self.notices else { return };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(notices, &mut buffer);
        while let Ok(notice) = reader.next() {
            if notice.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                self.touched.extend(self.events.values());
                continue;
            }
            // Media are written too, but a listener sees nothing of them before the index says so.
            let name = notice.file_name().map_or(&b""[..], |name| name.to_bytes());
            let tells = name.ends_with(b".idx") || name.ends_with(b".have") || matches!(name, b"cuts" | b"journal" | b"withheld");
            if let Some(&event) = self.events.get(&notice.wd()).filter(|_| tells) {
                self.touched.insert(event);
            }
        }
    }

    /// The events whose files have changed since the last call.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<EventId> {
        std::mem::take(&mut self.touched)
    }
}
