//! One rung's files as they grow: the indexes are followed, media are read where they say.

use super::media::Media;
use crate::body::Run;
use base::Rung;
use programme::Index;
use programme::index::Source;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

/// Bytes of an index read at once.
const INDEX_READ_BYTES: usize = 64 * 1024;

/// A rung's two files in one directory.
struct Pair {
    index: OwnedFd,
    media: Rc<Media>,
}

/// A rung's files, on disk and in memory.
#[derive(Default)]
pub(crate) struct Files {
    disk: Option<Pair>,
    memory: Option<Pair>,
}

impl Files {
    /// Descriptors held.
    pub(crate) fn descriptors(&self) -> usize {
        self.disk.iter().chain(&self.memory).map(|pair| 1 + pair.media.descriptors()).sum()
    }

    /// Reads what is new into the index; whether there was anything.
    ///
    /// # Errors
    /// A file is there and can't be read.
    pub(crate) fn poll(&mut self, index: &mut Index, disk: &Path, memory: &Path, scratch: &mut Vec<u8>) -> io::Result<bool> {
        if self.disk.is_none() {
            self.disk = open(disk, index.rung())?;
        }
        if self.memory.is_none() {
            self.memory = open(memory, index.rung())?;
        }
        let mut fresh = false;
        for source in [Source::Disk, Source::Memory] {
            let Some(pair) = self.pair(source) else { continue };
            let length = u64::try_from(rustix::fs::fstat(&pair.index)?.st_size).unwrap_or(0);
            if length < index.position(source) {
                // A writer cut the file behind a crash: what was read of it no longer holds. Both are read anew.
                *index = Index::new(index.rung());
                return Ok(self.poll(index, disk, memory, scratch)? || length == 0);
            }
            if length > index.position(source) {
                fresh |= feed(pair, index, source, scratch)?;
            }
        }
        Ok(fresh)
    }

    /// The recording's media file, once it is open.
    pub(crate) fn recording(&self) -> Option<Rc<Media>> {
        self.disk.as_ref().map(|pair| Rc::clone(&pair.media))
    }

    /// Whether a block of the recording's media is here.
    pub(crate) fn has(&self, block: u64) -> bool {
        self.disk.as_ref().is_none_or(|pair| pair.media.has(block))
    }

    /// A run of bytes of a source's media.
    ///
    /// # Errors
    /// The source is not open.
    pub(crate) fn run(&self, source: Source, offset: u64, length: u64) -> io::Result<Run> {
        let pair = self.pair(source).ok_or(io::ErrorKind::NotFound)?;
        Ok(Run::File { file: Rc::clone(&pair.media), offset, length })
    }

    const fn pair(&self, source: Source) -> Option<&Pair> {
        match source {
            Source::Disk => self.disk.as_ref(),
            Source::Memory => self.memory.as_ref(),
        }
    }
}

fn feed(pair: &Pair, index: &mut Index, source: Source, scratch: &mut Vec<u8>) -> io::Result<bool> {
    let mut fresh = false;
    scratch.resize(INDEX_READ_BYTES, 0);
    loop {
        let count = rustix::io::pread(&pair.index, &mut scratch[..], index.position(source))?;
        let taken = index.feed(source, &scratch[..count]);
        fresh |= taken > 0;
        if count < INDEX_READ_BYTES || taken == 0 {
            return Ok(fresh);
        }
    }
}

/// Opens a rung's files in a directory; `None` while one of them is not there.
fn open(directory: &Path, rung: Rung) -> io::Result<Option<Pair>> {
    let one = |kind: &str| match rustix::fs::open(directory.join(format!("{rung}.{kind}")), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    {
        Ok(file) => Ok(Some(file)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(io::Error::from(error)),
    };
    let Some(index) = one("idx")? else { return Ok(None) };
    let Some(media) = one("mp4")? else { return Ok(None) };
    // A copy's map is there before its index is.
    Ok(Some(Pair { index, media: Rc::new(Media::new(rung, media, one("have")?)) }))
}
