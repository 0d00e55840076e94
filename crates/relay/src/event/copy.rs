//! What of an event another relay is told: its fragments as frames, its cuts, and what everybody may know of its journal.

use super::{Absent, Event, Found, Keep, Phase, Thing};
use crate::body::{Body, Runs, SEND_BYTES};
use base::{Cadence, FragmentNumber, Place, Rung};
use programme::announcement::Delay;
use programme::copy::{self, Frame};
use programme::index::Entry;
use programme::journal::Journal;
use programme::view::live::{self, From};
use std::io;
use std::rc::Rc;

/// Records that are sent at once without their bytes.
const NAMED_AT_ONCE: usize = 1_024;

/// Chunks of frames that several relays share, newest last.
const CHUNKS_KEPT: usize = 16;

/// Frames from a number on, for every relay at that place.
pub(super) struct CopyChunk {
    rung: Rung,
    from: FragmentNumber,
    before: FragmentNumber,
    named: bool,
    next: FragmentNumber,
    bytes: Rc<[u8]>,
}

/// Which documents a relay has been told, by their lengths: they only grow.
#[derive(Debug, Default)]
pub(crate) struct Told {
    cuts: u64,
    journal: usize,
}

/// What everybody may know of the journal, and what it was read for.
#[derive(Default)]
pub(super) struct Public {
    epoch: u32,
    over: bool,
    barred: usize,
    bytes: Vec<u8>,
}

impl Event {
    /// The announcement for another relay: this one holds back already what is to be late.
    pub(crate) fn announcement(&self) -> Found {
        let text = {
            let mut ahead = self.announcement.clone();
            ahead.plan.delay = Delay::None;
            ahead.text()
        };
        Found::Here(Thing {
            body: Rc::new(Body::of_bytes(text.into_bytes())),
            content_type: "application/json",
            etag: None,
            keep: Keep::Seconds(0),
        })
    }

    /// Where the bytes begin with which another relay's listeners sound at once.
    pub(crate) fn burst(&self, rung: Rung) -> FragmentNumber {
        live::start(&self.programme(), rung, From::Live, Cadence::least(rung))
    }

    /// The documents that are new to who was told `told`, as frames.
    ///
    /// # Errors
    /// A file is there and can't be read.
    pub(crate) fn documents(&mut self, told: &mut Told) -> io::Result<Vec<u8>> {
        let mut frames = Vec::new();
        if self.cuts_bytes != told.cuts {
            told.cuts = self.cuts_bytes;
            let cuts = std::fs::read(self.directory.join("cuts"))?;
            Frame::Cuts(programme::Cuts::whole(&cuts).to_vec()).put(&mut frames);
        }
        self.read_public();
        if self.public.bytes.len() != told.journal {
            told.journal = self.public.bytes.len();
            Frame::Journal(self.public.bytes.clone()).put(&mut frames);
        }
        Ok(frames)
    }

    fn read_public(&mut self) {
        let epoch = self.indexes[0].last().map_or(0, |last| last.epoch.0);
        let (over, barred) = (self.is_over(), self.barred.tickets.len());
        if (self.public.epoch, self.public.over, self.public.barred) != (epoch, over, barred) {
            // Without a journal a copy only lacks the time of day.
            let journal = std::fs::read(self.directory.join("journal")).unwrap_or_default();
            self.public = Public { epoch, over, barred, bytes: Journal::read(&journal).public(self.is_private()) };
        }
    }

    /// Whether nothing follows: it has ended, heard or unheard.
    pub(crate) fn is_over(&self) -> bool {
        self.phase() == Phase::Ended || (self.phase() == Phase::Waiting && self.unheard.over)
    }

    /// A rung's end, once all before it is published.
    pub(crate) fn end_of(&self, rung: Rung) -> Option<Place> {
        let index = &self.indexes[rung.place()];
        let number = index.end().filter(|_| self.phase() == Phase::Ended)?;
        Some(Place { epoch: index.last()?.epoch, number })
    }

    /// The published fragments of a rung from `from` on and before `before`, as frames: with bytes from `bytes_from` on; and the
    /// number after them. `None` when there is nothing (yet).
    ///
    /// # Errors
    /// The bytes can't be read, or are [`Absent`].
    pub(crate) fn frames(
        &mut self,
        rung: Rung,
        from: FragmentNumber,
        before: FragmentNumber,
        bytes_from: FragmentNumber,
    ) -> io::Result<Option<(Rc<[u8]>, FragmentNumber)>> {
        let named = from < bytes_from;
        let before = FragmentNumber(before.0.min(self.mark.0).min(if named { bytes_from.0 } else { u64::MAX }));
        let kept =
            self.copies.iter().rev().find(|chunk| (chunk.rung, chunk.from, chunk.before, chunk.named) == (rung, from, before, named));
        if let Some(chunk) = kept {
            return Ok(Some((Rc::clone(&chunk.bytes), chunk.next)));
        }
        let slots = rung.slots_per_fragment();
        let index = &self.indexes[rung.place()];
        let (mut chosen, mut next, mut length): (Vec<(_, Entry)>, _, _) = (Vec::new(), from, 0);
        while let Some((source, entry)) = index.at_or_after(next).filter(|(_, entry)| entry.number.0 + slots <= before.0) {
            length += entry.length as usize;
            if if named { chosen.len() == NAMED_AT_ONCE } else { !chosen.is_empty() && length > SEND_BYTES } {
                break;
            }
            next = FragmentNumber(entry.number.0 + slots);
            chosen.push((source, entry));
        }
        if chosen.is_empty() {
            // Behind a stretch that is only named, bytes follow.
            return if named && before == bytes_from && before <= self.mark { Ok(Some((Rc::from([]), bytes_from))) } else { Ok(None) };
        }
        let mut frames = Vec::new();
        if named {
            chosen.iter().for_each(|(_, entry)| Frame::Named(entry.place(), entry.length).put(&mut frames));
        } else {
            let mut runs = Runs::default();
            for (source, entry) in &chosen {
                runs.push(self.files[rung.place()].run(*source, entry.offset, entry.length.into())?);
            }
            let (mut span, mut bytes) = (Vec::new(), Vec::new());
            runs.read(0..runs.length(), &mut span, &mut bytes)?;
            let mut rest = bytes.as_slice();
            for (_, entry) in &chosen {
                let (fragment, behind) = rest.split_at_checked(entry.length as usize).ok_or(io::ErrorKind::UnexpectedEof)?;
                copy::put_fragment_head(entry.place(), fragment, &mut frames);
                frames.extend_from_slice(fragment);
                rest = behind;
            }
        }
        let bytes: Rc<[u8]> = frames.into();
        self.copies.drain(..(self.copies.len() + 1).saturating_sub(CHUNKS_KEPT));
        self.copies.push_back(CopyChunk { rung, from, before, named, next, bytes: Rc::clone(&bytes) });
        Ok(Some((bytes, next)))
    }

    /// Notes that somebody waits for bytes; any other error is given back.
    ///
    /// # Errors
    /// `error`, when it says something else.
    pub(crate) fn note_missing(&mut self, error: io::Error) -> io::Result<()> {
        let Absent { rung, block } = Absent::of(&error).ok_or(error)?;
        self.missing.insert((rung, block));
        Ok(())
    }

    /// Forgets the blocks that have come; whether there were any.
    pub(super) fn look_for_missing(&mut self) -> bool {
        let before = self.missing.len();
        let files = &self.files;
        self.missing.retain(|&(rung, block)| !files[rung.place()].has(block));
        self.missing.len() < before
    }
}
