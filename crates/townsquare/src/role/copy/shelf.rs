//! The copies that lie in the data directory: what a power loss may have damaged is thrown away, and so is what is too much.

use base::EventId;
use base::limit::COPIES_KEPT_MAX;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Makes sure that what lies there was written since this machine was started: nothing of it was synced, for all of it can be had again.
pub(super) fn prepare(mark: &Path, events: &Path, boot: &str) -> io::Result<()> {
    if std::fs::read_to_string(mark).is_ok_and(|text| text.trim() == boot) {
        return Ok(());
    }
    for id in copies(events).into_keys() {
        std::fs::remove_dir_all(events.join(id.to_string()))?;
    }
    std::fs::write(mark, format!("{boot}\n"))
}

/// Removes the copies that were written to longest ago while there are too many; gives those that are gone. `used` are left.
pub(super) fn tidy(events: &Path, used: impl Fn(EventId) -> bool) -> Vec<EventId> {
    let copies = copies(events);
    let over = copies.len().saturating_sub(COPIES_KEPT_MAX);
    let mut unused: Vec<(SystemTime, EventId)> = copies.into_iter().filter(|(id, _)| !used(*id)).map(|(id, at)| (at, id)).collect();
    unused.sort_unstable();
    let gone = unused.into_iter().take(over).map(|(_, id)| id);
    gone.filter(|id| std::fs::remove_dir_all(events.join(id.to_string())).is_ok()).collect()
}

/// Every copy, and when its recording was last written to.
fn copies(events: &Path) -> BTreeMap<EventId, SystemTime> {
    let entries = std::fs::read_dir(events).into_iter().flatten().flatten();
    let copy = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let written = std::fs::metadata(entry.path().join("64.idx")).or_else(|_| entry.metadata()).and_then(|file| file.modified());
        Some((id, written.unwrap_or(SystemTime::UNIX_EPOCH)))
    };
    entries.filter_map(copy).collect()
}

#[cfg(test)]
mod tests;
