//! The replay: the ended event, or a part of it, as one seekable file, `ftyp moov mdat`, the recording's frames re-indexed and not
//! re-encoded.
//!
//! All frames have one size and holes are filled with silent ones, so the tables are short and every offset is arithmetic.

use super::Extent;
use crate::index::{Entry, Source};
use crate::init::{FRAME_SAMPLES, PRE_SKIP_SAMPLES, description, four, movie, put};
use crate::{Cuts, Index, fragment, silence};
use base::limit::REPLAY_HEADER_BYTES_MAX;
use base::{FragmentNumber, Rung};
use mp4_atom::{
    AnySampleGroupEntry, Co64, Edts, Elst, ElstEntry, Ftyp, Moov, Sbgp, SbgpEntry, Sgpd, SgpdEntry, Stbl, Stco, Stsc, StscEntry, Stsz,
    StszSamples, Stts, SttsEntry,
};
use std::ops::Range;

/// Frames of one chunk: 10 s. Twice as many as often as needed until the header keeps its limit.
const CHUNK_FRAMES: u64 = 500;

/// Bytes of the header without the table of chunks: about 700.
const HEADER_REST_BYTES: u64 = 1_000;

/// Bytes of a 64-bit `mdat` header.
const MDAT_HEADER_BYTES: u64 = 16;

const RUNG: Rung = Rung::R64;
const FRAGMENT_BYTES: u64 = fragment::payload_bytes(RUNG) as u64;

/// What of an ended event is heard: what was recorded of the event itself ([`crate::journal::Journal::proper`]), without what was cut off in front and
/// behind; cuts in the middle are silent. `None`: nothing.
#[must_use]
pub fn heard(index: &Index, cuts: &Cuts, proper: Range<FragmentNumber>) -> Option<Range<FragmentNumber>> {
    let (first, last) = (index.recording().first()?.number, index.recording().last()?.number);
    cuts.without_ends(first.max(proper.start)..FragmentNumber(last.0 + 1).min(proper.end))
}

/// One ended event, or a part of it, as a file.
#[derive(Debug, Clone)]
pub struct Replay {
    header: Vec<u8>,
    first: FragmentNumber,
    fragments: u64,
}

impl Replay {
    /// Lays out the file of all that was recorded. `None`: nothing was.
    #[must_use]
    pub fn new(index: &Index) -> Option<Self> {
        heard(index, &Cuts::default(), FragmentNumber(0)..FragmentNumber(u64::MAX)).and_then(Self::of)
    }

    /// Lays out the file of the fragments in a range. `None`: there are none.
    #[must_use]
    pub fn of(range: Range<FragmentNumber>) -> Option<Self> {
        let fragments = range.end.0.checked_sub(range.start.0).filter(|&fragments| fragments > 0)?;
        Some(Self { header: header(fragments * RUNG.frames_per_fragment() as u64), first: range.start, fragments })
    }

    /// `ftyp`, `moov` and the head of the `mdat`.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.header.len() as u64 + self.fragments * FRAGMENT_BYTES
    }

    /// The bytes of a range of the file; what lies outside is left out. `index` is the one the replay was made of.
    #[must_use]
    pub fn read(&self, index: &Index, cuts: &Cuts, range: Range<u64>) -> Vec<Extent> {
        let range = range.start..range.end.min(self.total_bytes());
        let mut extents = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let extent = self.extent(index, cuts, at..range.end);
            at += extent.length();
            extent.append(&mut extents);
        }
        extents
    }

    /// The bytes at the start of a range that is not empty and within the file, up to where something else begins.
    fn extent(&self, index: &Index, cuts: &Cuts, range: Range<u64>) -> Extent {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let header = self.header.len() as u64;
        if range.start < header {
            return Extent::Inline(self.header[place(range.start)..place(range.end.min(header))].to_vec().into());
        }
        let (nth, skip) = ((range.start - header) / FRAGMENT_BYTES, (range.start - header) % FRAGMENT_BYTES);
        let length = (FRAGMENT_BYTES - skip).min(range.end - range.start);
        let number = FragmentNumber(self.first.0 + nth);
        match find(index.recording(), number).filter(|_| !cuts.touch(number, 1)) {
            Some(entry) => Extent::File { rung: RUNG, source: Source::Disk, offset: entry.end() - FRAGMENT_BYTES + skip, length },
            None => {
                let silent = silence::frames(RUNG, RUNG.frames_per_fragment());
                Extent::Inline(silent[place(skip)..place(skip + length)].to_vec().into())
            }
        }
    }
}

/// The fragment of that number: where arithmetic says, or before that by as many as were left out.
fn find(recording: &[Entry], number: FragmentNumber) -> Option<&Entry> {
    let most = usize::try_from(number.0.checked_sub(recording.first()?.number.0)?).ok()?;
    if let Some(entry) = recording.get(most).filter(|entry| entry.number == number) {
        return Some(entry);
    }
    recording.binary_search_by_key(&number, |entry| entry.number).ok().map(|place| &recording[place])
}

/// Everything before the first frame. Its length does not depend on the offsets in it, so it is laid out twice.
fn header(frames: u64) -> Vec<u8> {
    let draft = lay_out(frames, 0);
    lay_out(frames, draft.len() as u64)
}

fn lay_out(frames: u64, data_at: u64) -> Vec<u8> {
    let data_bytes = frames * RUNG.frame_bytes() as u64;
    let mut bytes = Vec::new();
    put(
        &Ftyp { major_brand: four(b"isom"), minor_version: 512, compatible_brands: [b"isom", b"iso2", b"mp41"].map(four).to_vec() },
        &mut bytes,
    );
    put(&whole_movie(frames, data_at), &mut bytes);
    bytes.extend_from_slice(&1u32.to_be_bytes());
    bytes.extend_from_slice(b"mdat");
    bytes.extend_from_slice(&(data_bytes + MDAT_HEADER_BYTES).to_be_bytes());
    bytes
}

fn whole_movie(frames: u64, data_at: u64) -> Moov {
    let samples = frames * u64::from(FRAME_SAMPLES);
    let mut moov = movie(tables(frames, data_at), samples);
    let heard = samples - u64::from(PRE_SKIP_SAMPLES);
    let edit = ElstEntry { segment_duration: heard, media_time: Some(PRE_SKIP_SAMPLES.into()), media_rate: 1.into() };
    moov.mvhd.duration = heard;
    for trak in &mut moov.trak {
        trak.tkhd.duration = heard;
        trak.edts = Some(Edts { elst: Some(Elst { entries: vec![edit.clone()] }) });
    }
    moov
}

fn tables(frames: u64, data_at: u64) -> Stbl {
    let count = u32_of(frames);
    let frame_bytes = RUNG.frame_bytes() as u64;
    let is_long = frames * frame_bytes > u64::from(u32::MAX) - REPLAY_HEADER_BYTES_MAX as u64;
    let entry_bytes = if is_long { 8 } else { 4 };
    let mut chunk_frames = CHUNK_FRAMES;
    while frames.div_ceil(chunk_frames) * entry_bytes + HEADER_REST_BYTES > REPLAY_HEADER_BYTES_MAX as u64 {
        chunk_frames *= 2;
    }
    let offsets = (0..frames.div_ceil(chunk_frames)).map(|chunk| data_at + chunk * chunk_frames * frame_bytes);
    let run = |first_chunk: u64, samples: u64| StscEntry {
        first_chunk: u32_of(first_chunk),
        samples_per_chunk: u32_of(samples),
        sample_description_index: 1,
    };
    let (whole, rest) = (frames / chunk_frames, frames % chunk_frames);
    let chunks = [(whole > 0).then(|| run(1, chunk_frames)), (rest > 0).then(|| run(whole + 1, rest))];
    // Opus needs 80 ms before a place to sound right there (Opus in ISOBMFF, 4.3.6): four frames.
    let roll = AnySampleGroupEntry::UnknownGroupingType(four(b"roll"), (-4i16).to_be_bytes().to_vec());
    Stbl {
        stsd: description(),
        stts: Stts { entries: vec![SttsEntry { sample_count: count, sample_delta: FRAME_SAMPLES }] },
        stsc: Stsc { entries: chunks.into_iter().flatten().collect() },
        stsz: Stsz { samples: StszSamples::Identical { count, size: u32_of(frame_bytes) } },
        stco: (!is_long).then(|| Stco { entries: offsets.clone().map(u32_of).collect() }),
        co64: is_long.then(|| Co64 { entries: offsets.collect() }),
        sgpd: vec![Sgpd {
            grouping_type: four(b"roll"),
            default_length: Some(2),
            default_group_description_index: None,
            static_group_description: false,
            static_mapping: false,
            essential: false,
            entries: vec![SgpdEntry { description_length: None, entry: roll }],
        }],
        sbgp: vec![Sbgp {
            grouping_type: four(b"roll"),
            grouping_type_parameter: None,
            entries: vec![SbgpEntry { sample_count: count, group_description_index: 1 }],
        }],
        ..Stbl::default()
    }
}

/// Counts of frames fit 32 bits for 2.7 years.
fn u32_of(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
