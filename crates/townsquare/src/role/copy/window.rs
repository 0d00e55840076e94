//! The window: which blocks of media are on this disk, and which of them go when there are too many.

use super::files;
use base::{EventId, Rung};
use programme::copy::BLOCK_BYTES;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A block of an event's rung.
pub(super) type Block = (EventId, Rung, u64);

/// The blocks that are here, those that came first in front.
pub(super) struct Window {
    blocks_max: AtomicUsize,
    here: Mutex<VecDeque<Block>>,
}

impl Window {
    /// A window of so many bytes, with what an earlier copier left in it.
    pub(super) fn new(bytes: u64, events: &Path) -> Self {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(events).into_iter().flatten().flatten() {
            let Some(event) = entry.file_name().to_str().and_then(|name| name.parse::<EventId>().ok()) else { continue };
            let written = entry.path().join("64.have").metadata().and_then(|file| file.modified()).ok();
            for rung in Rung::ALL {
                found.extend(files::blocks(&entry.path(), rung).into_iter().map(|block| (written, (event, rung, block))));
            }
        }
        // Within an event rungs go side by side, by time: a block of rung 16 lasts four times as long.
        let when = |rung: Rung, block: u64| block * u64::from(Rung::R64.bits_per_second() / rung.bits_per_second());
        found.sort_by_key(|&(written, (event, rung, block))| (written, event, when(rung, block), rung));
        let here = found.into_iter().map(|(_, block)| block).collect();
        let blocks_max = usize::try_from(bytes / BLOCK_BYTES).unwrap_or(usize::MAX);
        Self { blocks_max: AtomicUsize::new(blocks_max), here: Mutex::new(here) }
    }

    /// Blocks have come; gives those that have to go.
    pub(super) fn admit(&self, blocks: impl IntoIterator<Item = Block>) -> Vec<Block> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.extend(blocks);
        let over = here.len().saturating_sub(self.blocks_max.load(Ordering::Relaxed));
        here.drain(..over).collect()
    }

    /// Blocks that were to go could not.
    pub(super) fn keep(&self, blocks: Vec<Block>) {
        self.here.lock().unwrap_or_else(PoisonError::into_inner).extend(blocks);
    }

    /// An event's copy is gone.
    pub(super) fn forget(&self, event: EventId) {
        self.here.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, ..)| *id != event);
    }

    /// The disk holds less than was said: an eighth of what is here is to go, and does not come back. False when there is nothing to give.
    pub(super) fn shrink(&self) -> bool {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner).len();
        if here > 0 {
            self.blocks_max.store(here - here.div_ceil(8), Ordering::Relaxed);
        }
        here > 0
    }

    /// Bytes that are here, and bytes that may be.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner).len();
        let most = self.blocks_max.load(Ordering::Relaxed);
        (here as u64 * BLOCK_BYTES, (most as u64).saturating_mul(BLOCK_BYTES))
    }
}

#[cfg(test)]
mod tests;
