//! The body of an answer that ends: bytes that many share, or places in files, sent as the reader takes them.

use crate::event::Media;
use programme::index::Source;
use programme::view::Extent;
use programme::view::replay::Replay;
use programme::{Cuts, Index};
use std::io;
use std::ops::Range;
use std::rc::Rc;

/// Bytes read and sent at once, so that one fast reader does not keep the loop from the others.
pub(crate) const SEND_BYTES: usize = 64 * 1024;

/// A body with a length.
pub(crate) enum Body {
    /// Laid out already.
    Runs(Runs),
    /// An ended event as one file, laid out where it is read: its runs would outweigh its index.
    Replay { replay: Replay, recording: Rc<Recording> },
}

/// What a replay and its clips are read from.
pub(crate) struct Recording {
    pub(crate) index: Index,
    pub(crate) cuts: Cuts,
    pub(crate) media: Rc<Media>,
}

impl Body {
    /// A body of these bytes.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        let mut runs = Runs::default();
        if !bytes.is_empty() {
            runs.push(Run::Bytes(bytes.into()));
        }
        Self::Runs(runs)
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Runs(runs) => runs.length(),
            Self::Replay { replay, .. } => replay.total_bytes(),
        }
    }

    /// Puts bytes from the start of `wanted` on behind `into`, up to [`SEND_BYTES`]; `span` is room to work in.
    ///
    /// # Errors
    /// A file can't be read, or ends before its run does.
    pub(crate) fn read(&self, wanted: Range<u64>, span: &mut Vec<u8>, into: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Runs(runs) => runs.read(wanted, span, into),
            Self::Replay { replay, recording } => {
                let Recording { index, cuts, media } = &**recording;
                let mut runs = Runs::default();
                for extent in replay.read(index, cuts, wanted.start..wanted.end.min(wanted.start + SEND_BYTES as u64)) {
                    runs.push(match extent {
                        Extent::File { source: Source::Disk, offset, length, .. } => Run::File { file: Rc::clone(media), offset, length },
                        Extent::File { source: Source::Memory, .. } => return Err(io::ErrorKind::NotFound.into()),
                        Extent::Inline(bytes) => Run::Bytes(bytes.as_ref().into()),
                    });
                }
                runs.read(0..runs.length(), span, into)
            }
        }
    }
}

/// One run of bytes.
#[derive(Debug, Clone)]
pub(crate) enum Run {
    /// In memory.
    Bytes(Rc<[u8]>),
    /// In a file that does not change there.
    File { file: Rc<Media>, offset: u64, length: u64 },
}

impl Run {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// Runs of bytes one after the other, which make one thing with a length.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Each with where it begins.
    runs: Vec<(u64, Run)>,
    length: u64,
}

impl Runs {
    /// Adds a run at the end; one that continues the last in its file becomes part of it.
    pub(crate) fn push(&mut self, run: Run) {
        let begin = self.length;
        self.length += run.length();
        if let (Some((_, Run::File { file, offset, length })), Run::File { file: next, offset: at, length: more }) =
            (self.runs.last_mut(), &run)
            && Rc::ptr_eq(file, next)
            && *offset + *length == *at
        {
            *length += more;
            return;
        }
        self.runs.push((begin, run));
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Puts bytes from `from` on into `into`, as many as are wanted or [`SEND_BYTES`]; small gaps between runs of one file are
    /// read over, so that a thousand small runs are a few reads.
    ///
    /// # Errors
    /// A file can't be read, or ends before its run does.
    pub(crate) fn read(&self, wanted: Range<u64>, span: &mut Vec<u8>, into: &mut Vec<u8>) -> io::Result<()> {
        let end = wanted.end.min(wanted.start + SEND_BYTES as u64);
        let mut at = wanted.start;
        let mut index = self.runs.partition_point(|(begin, _)| *begin <= at).saturating_sub(1);
        let mut window: Option<Window<'_>> = None;
        while at < end {
            let (begin, run) = &self.runs[index];
            let skip = at - begin;
            let take = (run.length() - skip).min(end - at);
            match run {
                Run::Bytes(bytes) => into.extend_from_slice(&bytes[index_of(skip)..index_of(skip + take)]),
                Run::File { file, offset, .. } => {
                    let first = offset + skip;
                    if window.is_none_or(|window| !window.holds(file, first, take, span.len())) {
                        // What follows the last run is not wanted.
                        let most = if index + 1 == self.runs.len() { index_of(take) } else { SEND_BYTES };
                        file.read(first, most, span)?;
                        window = Some(Window { file, start: first });
                    }
                    let window = window.filter(|window| window.holds(file, first, take, span.len()));
                    let start = window.ok_or_else(|| file.unreached(first + span.len() as u64))?.start;
                    into.extend_from_slice(&span[index_of(first - start)..index_of(first - start + take)]);
                }
            }
            at += take;
            index += 1;
        }
        Ok(())
    }
}

/// What of a file is in memory.
#[derive(Clone, Copy)]
struct Window<'a> {
    file: &'a Rc<Media>,
    start: u64,
}

impl Window<'_> {
    fn holds(&self, file: &Rc<Media>, first: u64, count: u64, length: usize) -> bool {
        Rc::ptr_eq(self.file, file) && self.start <= first && first + count <= self.start + length as u64
    }
}

/// A length within memory as an index.
#[expect(clippy::cast_possible_truncation, reason = "at most SEND_BYTES or the length of a slice")]
const fn index_of(length: u64) -> usize {
    length as usize
}

#[cfg(test)]
mod tests;
