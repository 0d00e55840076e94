//! A rung's media file. Of a copy not all bytes need be here: which blocks are, a file beside it says.
//!
//! One byte a block (docs/formats.md, "The copy"): bit 0 whether it is here, the others change whenever it comes anew. The copier
//! marks a block absent before it takes the bytes away, so that a reader who finds the same byte before and behind has read sound.

use base::Rung;
use programme::copy::BLOCK_BYTES;
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;

/// A media file and what of it is here.
#[derive(Debug)]
pub(crate) struct Media {
    rung: Rung,
    file: OwnedFd,
    /// Without one all of it is.
    have: Option<OwnedFd>,
}

/// Bytes of a copy that are not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("block {block} of rung {rung} is not here")]
pub(crate) struct Absent {
    pub(crate) rung: Rung,
    pub(crate) block: u64,
}

impl Absent {
    /// What an error says that came from a media file.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl Media {
    pub(crate) const fn new(rung: Rung, file: OwnedFd, have: Option<OwnedFd>) -> Self {
        Self { rung, file, have }
    }

    /// Descriptors held.
    pub(crate) fn descriptors(&self) -> usize {
        1 + usize::from(self.have.is_some())
    }

    /// Whether a block is here.
    pub(crate) fn has(&self, block: u64) -> bool {
        self.marks(block..block + 1).is_ok_and(|marks| marks.iter().all(|&mark| is_here(mark)))
    }

    /// Reads up to `most` bytes from `offset` on; fewer at the end of the file, or where bytes are not here.
    ///
    /// # Errors
    /// The file can't be read, or the first byte is [`Absent`].
    pub(crate) fn read(&self, offset: u64, most: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let blocks = offset / BLOCK_BYTES..(offset + most as u64).div_ceil(BLOCK_BYTES);
        let before = self.marks(blocks.clone())?;
        into.resize(most, 0);
        let mut count = 0;
        while count < most {
            match rustix::io::pread(&self.file, &mut into[count..], offset + count as u64) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let behind = self.marks(blocks.clone())?;
        let whole = before.iter().zip(&behind).take_while(|(before, behind)| before == behind && is_here(**before)).count();
        if whole == 0 {
            return Err(io::Error::other(Absent { rung: self.rung, block: blocks.start }));
        }
        let here = (blocks.start + whole as u64) * BLOCK_BYTES - offset;
        into.truncate(count.min(usize::try_from(here).unwrap_or(usize::MAX)));
        Ok(())
    }

    /// The error for a byte that a read did not reach: that it is absent, or that the file ends before it.
    pub(crate) fn unreached(&self, offset: u64) -> io::Error {
        let block = offset / BLOCK_BYTES;
        if self.has(block) { io::ErrorKind::UnexpectedEof.into() } else { io::Error::other(Absent { rung: self.rung, block }) }
    }

    fn marks(&self, blocks: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
        // What lies behind the end of the map is not here.
        let mut marks = vec![0; usize::try_from(blocks.end - blocks.start).unwrap_or(0)];
        match &self.have {
            Some(have) => drop(rustix::io::pread(have, &mut marks[..], blocks.start)?),
            None => marks.fill(1),
        }
        Ok(marks)
    }
}

const fn is_here(mark: u8) -> bool {
    mark & 1 == 1
}

#[cfg(test)]
mod tests;
