//! A disk that crashes: what was not synced may be lost, from the end of each file, and what is left may have holes of zeros.

use crate::chance::Chance;
use std::collections::BTreeMap;

/// The disk is full; the bytes before were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// How many bytes of the write made it.
    pub written: usize,
}

/// One file.
#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    /// Bytes that survive everything.
    synced: usize,
}

/// A disk of named files.
#[derive(Debug, Clone)]
pub struct Disk {
    files: BTreeMap<String, File>,
    capacity_bytes: u64,
    chance: Chance,
}

/// A power loss loses whole sectors.
const SECTOR_BYTES: usize = 512;

impl Disk {
    /// An empty disk of unlimited size.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { files: BTreeMap::new(), capacity_bytes: u64::MAX, chance: Chance::new(seed) }
    }

    /// Limits what all files together may have.
    pub const fn set_capacity(&mut self, capacity_bytes: u64) {
        self.capacity_bytes = capacity_bytes;
    }

    /// Bytes of all files.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes.len() as u64).sum()
    }

    /// The file's bytes as a reader sees them now; empty when there is no such file.
    #[must_use]
    pub fn read(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], |file| &file.bytes)
    }

    /// Bytes of the file that survive everything.
    #[must_use]
    pub fn synced_bytes(&self, name: &str) -> u64 {
        self.files.get(name).map_or(0, |file| file.synced as u64)
    }

    /// Writes at a place in the file; a gap before it reads as zeros.
    ///
    /// # Errors
    /// When the disk has no room for all of it.
    pub fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), Full> {
        let used = self.used_bytes();
        let file = self.files.entry(name.into()).or_default();
        let at = usize::try_from(at).expect("a test's file is small");
        let growth = (at + bytes.len()).saturating_sub(file.bytes.len()) as u64;
        let lacking = usize::try_from(growth.saturating_sub(self.capacity_bytes.saturating_sub(used))).expect("a test's write is small");
        let written = bytes.len().saturating_sub(lacking);
        if file.bytes.len() < at {
            file.bytes.resize(at, 0);
        }
        let (over, behind) = bytes[..written].split_at(written.min(file.bytes.len() - at));
        file.bytes[at..at + over.len()].copy_from_slice(over);
        file.bytes.extend_from_slice(behind);
        file.synced = file.synced.min(at);
        if written == bytes.len() { Ok(()) } else { Err(Full { written }) }
    }

    /// Cuts the file off, for certain.
    pub fn truncate(&mut self, name: &str, length: u64) {
        if let Some(file) = self.files.get_mut(name) {
            file.bytes.truncate(usize::try_from(length).expect("a test's file is small"));
            file.synced = file.synced.min(file.bytes.len());
        }
    }

    /// Makes all of the file survive everything.
    pub fn sync(&mut self, name: &str) {
        if let Some(file) = self.files.get_mut(name) {
            file.synced = file.bytes.len();
        }
    }

    /// The power fails: of each file any suffix of what was not synced is gone, and now and then a sector of what is left
    /// of that never reached the disk and reads as zeros.
    pub fn lose_power(&mut self) {
        for file in self.files.values_mut() {
            let unsynced = file.bytes.len() - file.synced;
            file.bytes.truncate(file.synced + self.chance.index(unsynced + 1));
            if self.chance.percent(30) && file.bytes.len() > file.synced {
                let start = file.synced + self.chance.index(file.bytes.len() - file.synced);
                let end = (start / SECTOR_BYTES + 1) * SECTOR_BYTES;
                let end = end.min(file.bytes.len());
                file.bytes[start..end].fill(0);
            }
            file.synced = file.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests;
