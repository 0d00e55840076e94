//! Reads the moments of an ended event out of its recording, one fragment after the other.

use super::recording;
use anyhow::Context as _;
use base::{FragmentNumber, Rung};
use programme::index::Source;
use programme::journal::Journal;
use programme::moments::{Moments, Reader};
use programme::view::replay;
use programme::{Cuts, Index, fragment};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// A recording, open to be read from its begin to its end.
pub(super) struct Recording {
    pub(super) index: Index,
    pub(super) cuts: Cuts,
    /// What its journal says.
    journal: Journal,
    media: BufReader<File>,
    at: u64,
}

impl Recording {
    /// Opens the files in an event's directory.
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        let [media, index_path] = recording(dir);
        let mut index = Index::new(Rung::R64);
        index.feed(Source::Disk, &std::fs::read(&index_path).with_context(|| format!("can't read {}", index_path.display()))?);
        let media = File::open(&media).with_context(|| format!("can't open {}", media.display()))?;
        let cuts = Cuts::read(&read_or_nothing(&dir.join("cuts"))?);
        let journal = Journal::read(&read_or_nothing(&dir.join("journal"))?);
        Ok(Self { index, cuts, journal, media: BufReader::with_capacity(READ_BYTES, media), at: 0 })
    }

    /// What of it is heard.
    pub(super) fn heard(&self) -> Option<Range<FragmentNumber>> {
        replay::heard(&self.index, &self.cuts, self.journal.proper())
    }

    /// Gives every fragment from a number on to `take`, in order, until it has enough.
    pub(super) fn each(
        &mut self,
        from: FragmentNumber,
        mut take: impl FnMut(FragmentNumber, &[u8]) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let Self { index, media, at, .. } = self;
        let first = index.recording().partition_point(|entry| entry.number < from);
        let mut bytes = Vec::new();
        for entry in &index.recording()[first..] {
            media.seek_relative(entry.offset.cast_signed() - at.cast_signed())?;
            bytes.resize(entry.length as usize, 0);
            media.read_exact(&mut bytes).with_context(|| format!("fragment {} is not there", entry.number))?;
            *at = entry.end();
            if !take(entry.number, &bytes)? {
                break;
            }
        }
        Ok(())
    }
}

/// The moments of the event in this directory; of one of which nothing is heard there are none.
pub(super) fn moments(dir: &Path) -> anyhow::Result<Moments> {
    /// Slots before the begin of what is heard, in which everything is said that holds there.
    const BEFORE: u64 = 25;
    let mut recording = Recording::open(dir)?;
    let (cuts, people) = (recording.cuts.clone(), recording.journal.people());
    let Some(heard) = recording.heard() else { return Ok(Moments { version: 1, cuts: cuts.revision(), ..Moments::default() }) };
    let mut reader = Reader::new(heard.clone(), &cuts, &people);
    recording.each(FragmentNumber(heard.start.0.saturating_sub(BEFORE)), |number, bytes| {
        // What can't be read tells nothing; its sound is another matter.
        if let Ok(found) = fragment::find(bytes) {
            let facts: Vec<&[u8]> = found.facts.iter().map(|range| &bytes[range.clone()]).collect();
            reader.fragment(number, &facts);
        }
        Ok(number < heard.end)
    })?;
    Ok(reader.finish())
}

fn read_or_nothing(path: &Path) -> anyhow::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.with_context(|| format!("can't read {}", path.display())),
    }
}
