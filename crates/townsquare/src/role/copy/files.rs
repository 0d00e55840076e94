//! One rung's files of a copy: what comes is appended, blocks come and go.

use base::{Place, Rung};
use programme::copy::{Append, BLOCK_BYTES, Sound, Track};
use programme::index::{self, Entry, Record};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A rung's three files.
pub(super) struct Files {
    index: File,
    media: File,
    have: File,
    track: Track,
}

impl Files {
    /// Opens the files, makes them if need be, and cuts off what is torn.
    pub(super) fn open(directory: &Path, rung: Rung) -> io::Result<Self> {
        let open = |kind: &str| open(&path(directory, rung, kind));
        // The index comes last: who finds it finds the others.
        let (have, media, index) = (open("have")?, open("mp4")?, open("idx")?);
        let mut records = Vec::new();
        io::Read::read_to_end(&mut &index, &mut records)?;
        let track = Track::resume(&records, |block| mark_of(&have, block).is_ok_and(|mark| mark & 1 == 1));
        index.set_len(track.index_bytes())?;
        // A block that was marked for a fragment whose record was not written is not here.
        have.set_len(have.metadata()?.len().min(track.media_bytes().div_ceil(BLOCK_BYTES)))?;
        Ok(Self { index, media, have, track })
    }

    /// How far the copy is.
    pub(super) const fn track(&self) -> &Track {
        &self.track
    }

    /// Appends a fragment, with its bytes or without; gives the blocks that are here now and were not before.
    pub(super) fn append(&mut self, place: Place, sound: Sound<'_>) -> io::Result<Vec<u64>> {
        // What can't be written has not come: the next try is at the same place.
        let mut track = self.track.clone();
        let append = track.fragment(place, sound);
        let fresh = self.perform(&append)?;
        self.track = track;
        Ok(fresh)
    }

    /// Appends the end.
    pub(super) fn end(&mut self, place: Place) -> io::Result<()> {
        let mut track = self.track.clone();
        let append = track.end(place);
        self.perform(&append)?;
        self.track = track;
        Ok(())
    }

    fn perform(&self, append: &Append) -> io::Result<Vec<u64>> {
        self.media.write_all_at(&append.media, append.media_at)?;
        let mut fresh = Vec::new();
        for block in append.blocks.clone() {
            let mark = mark_of(&self.have, block)?;
            if (mark & 1 == 1) != append.present {
                self.mark(block, if append.present { here(mark) } else { gone(mark) })?;
                fresh.extend(append.present.then_some(block));
            }
        }
        if let Err(error) = self.index.write_all_at(&append.record, append.record_at) {
            // The next try finds them as this one did, and says that they are fresh.
            for &block in &fresh {
                self.mark(block, gone(mark_of(&self.have, block)?))?;
            }
            return Err(error);
        }
        Ok(fresh)
    }

    /// Writes the bytes of the fragments that lie in a block, as far as they do, and marks it; false when it was here already.
    pub(super) fn fill(&self, block: u64, fragments: &[(Entry, Vec<u8>)]) -> io::Result<bool> {
        let mark = mark_of(&self.have, block)?;
        if mark & 1 == 1 {
            return Ok(false);
        }
        let (start, end) = (block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
        for (entry, bytes) in fragments {
            let (from, to) = (start.max(entry.offset), end.min(entry.end()));
            let place = |at: u64| usize::try_from(at - entry.offset).unwrap_or(usize::MAX);
            let within = bytes.get(place(from)..place(to)).ok_or(io::ErrorKind::InvalidInput)?;
            self.media.write_all_at(within, from)?;
        }
        self.mark(block, here(mark))?;
        Ok(true)
    }

    /// The fragments of the copy.
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut bytes = vec![0; usize::try_from(self.track.index_bytes()).unwrap_or(usize::MAX)];
        self.index.read_exact_at(&mut bytes, 0)?;
        let entry = |record| if let Record::Fragment(entry) = record { Some(entry) } else { None };
        Ok(index::records(&bytes).filter_map(entry).collect())
    }

    /// Takes a block away, unless the copy goes on in it.
    pub(super) fn evict(&self, block: u64) -> io::Result<bool> {
        if block >= self.track.media_bytes() / BLOCK_BYTES && !self.track.has_ended() {
            return Ok(false);
        }
        evict(&self.have, &self.media, block).map(|()| true)
    }

    fn mark(&self, block: u64, mark: u8) -> io::Result<()> {
        self.have.write_all_at(&[mark], block)
    }
}

/// Takes a block of files away that nobody has open for writing.
pub(super) fn evict_closed(directory: &Path, rung: Rung, block: u64) -> io::Result<()> {
    evict(&open(&path(directory, rung, "have"))?, &open(&path(directory, rung, "mp4"))?, block)
}

/// The blocks of a rung that are here.
pub(super) fn blocks(directory: &Path, rung: Rung) -> Vec<u64> {
    let marks = std::fs::read(path(directory, rung, "have")).unwrap_or_default();
    (0..).zip(marks).filter(|(_, mark)| mark & 1 == 1).map(|(block, _)| block).collect()
}

/// Marked first: a reader looks at the mark again behind its read.
fn evict(have: &File, media: &File, block: u64) -> io::Result<()> {
    have.write_all_at(&[gone(mark_of(have, block)?)], block)?;
    Ok(fallocate(media, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, block * BLOCK_BYTES, BLOCK_BYTES)?)
}

fn mark_of(have: &File, block: u64) -> io::Result<u8> {
    let mut mark = [0];
    have.read_at(&mut mark, block)?;
    Ok(mark[0])
}

/// Another mark than any reader may still have seen.
const fn here(mark: u8) -> u8 {
    (mark & !1).wrapping_add(2) | 1
}

const fn gone(mark: u8) -> u8 {
    mark & !1
}

fn path(directory: &Path, rung: Rung, kind: &str) -> PathBuf {
    directory.join(format!("{rung}.{kind}"))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests;
