//! One event's copy: what its threads share.

use super::files::Files;
use super::upstream::Trouble;
use base::{EventId, Rung};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A copy that goes on, or is read from.
pub(super) struct Event {
    pub(super) id: EventId,
    pub(super) directory: PathBuf,
    rungs: [Mutex<Option<Files>>; 3],
    /// The upstream that is asked, counted on at every change: all rungs follow it.
    upstream: AtomicUsize,
    /// Whether it is as far as its upstream was when it was asked, so that listeners may be let in.
    current: AtomicBool,
    stops: AtomicBool,
    /// Which rungs are to be copied besides the recording.
    wanted: [AtomicBool; 3],
}

impl Event {
    pub(super) fn new(id: EventId, directory: PathBuf) -> Self {
        Self {
            id,
            directory,
            rungs: Default::default(),
            upstream: AtomicUsize::new(0),
            current: AtomicBool::new(false),
            stops: AtomicBool::new(false),
            wanted: Default::default(),
        }
    }

    /// Works on a rung's files.
    pub(super) fn with<T>(&self, rung: Rung, work: impl FnOnce(&mut Files) -> io::Result<T>) -> Result<T, Trouble> {
        let mut held = self.held(rung);
        if held.is_none() {
            *held = Some(Files::open(&self.directory, rung).map_err(Trouble::Disk)?);
        }
        let Some(files) = held.as_mut() else { return Err(Trouble::Disk(io::ErrorKind::NotFound.into())) };
        work(files).map_err(Trouble::Disk)
    }

    /// Takes a block away where the copy does not go on; whether it is gone.
    pub(super) fn evict(&self, rung: Rung, block: u64) -> io::Result<bool> {
        match self.held(rung).as_ref() {
            Some(files) => files.evict(block),
            None => super::files::evict_closed(&self.directory, rung, block).map(|()| true),
        }
    }

    fn held(&self, rung: Rung) -> MutexGuard<'_, Option<Files>> {
        self.rungs[rung.place()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The upstream that is asked now.
    pub(super) fn upstream(&self) -> usize {
        self.upstream.load(Ordering::Relaxed)
    }

    /// The next one is asked from now on.
    pub(super) fn change_over(&self) {
        self.upstream.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    /// Listeners may be let in; whether they could not before.
    pub(super) fn set_current(&self) -> bool {
        !self.current.swap(true, Ordering::Release)
    }

    pub(super) fn stops(&self) -> bool {
        self.stops.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    pub(super) fn wants(&self, rung: Rung) -> bool {
        !self.stops() && (rung == Rung::R64 || self.wanted[rung.place()].load(Ordering::Relaxed))
    }

    pub(super) fn set_wanted(&self, rung: Rung, wanted: bool) {
        self.wanted[rung.place()].store(wanted, Ordering::Relaxed);
    }
}
