//! Bytes of a stream or a replay in, pieces of sound out.

use base::Rung;
use base::time::TICK_SAMPLES;
use programme::fragment::{self, NoFragment};

/// Bytes that are no fragment although so many have come.
const FOREIGN_BYTES_MAX: usize = 4 << 20;

/// Frames of a replay that are taken together: as many as in a fragment.
const FRAMES: usize = Rung::R64.frames_per_fragment();

/// Some Opus frames of one size, and when they begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The first sample's place on the programme's timeline.
    pub(super) start: u64,
    /// Bytes of each frame.
    pub(super) frame_bytes: usize,
    /// The frames.
    pub(super) frames: Vec<u8>,
    /// The cadence that was announced in front of it, in milliseconds.
    pub(super) cadence_ms: Option<u16>,
}

impl Piece {
    /// The place behind the last sample.
    pub(super) fn end(&self) -> u64 {
        self.start + (self.frames.len() / self.frame_bytes * TICK_SAMPLES) as u64
    }
}

/// What is being read.
enum Stage {
    /// The init segment or the replay's header.
    Head,
    /// Fragments.
    Fragments,
    /// The replay's frames; the sample at which the next begins.
    Frames(u64),
}

/// Takes a stream apart as it comes.
pub(super) struct Demux {
    stage: Stage,
    bytes: Vec<u8>,
}

impl Demux {
    pub(super) const fn new() -> Self {
        Self { stage: Stage::Head, bytes: Vec::new() }
    }

    /// Takes more bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next piece of sound, if it is whole.
    ///
    /// # Errors
    /// The bytes are no stream and no replay.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, NoFragment> {
        if matches!(self.stage, Stage::Head) && !self.read_head()? {
            return Ok(None);
        }
        match self.stage {
            Stage::Head => Ok(None),
            Stage::Fragments => match fragment::find(&self.bytes) {
                Ok(found) => {
                    let frames = self.bytes[found.payload.clone()].to_vec();
                    let cadence_ms = found.facts.iter().find_map(|facts| cadence(&self.bytes[facts.clone()]));
                    self.bytes.drain(..found.length());
                    Ok(Some(Piece { start: found.number.start().0, frame_bytes: found.frame_bytes, frames, cadence_ms }))
                }
                Err(NoFragment::Short) if self.bytes.len() < FOREIGN_BYTES_MAX => Ok(None),
                Err(_) => Err(NoFragment::Foreign),
            },
            Stage::Frames(start) => {
                let frame_bytes = Rung::R64.frame_bytes();
                if self.bytes.len() < FRAMES * frame_bytes {
                    return Ok(None);
                }
                let piece = Piece { start, frame_bytes, frames: self.bytes.drain(..FRAMES * frame_bytes).collect(), cadence_ms: None };
                self.stage = Stage::Frames(piece.end());
                Ok(Some(piece))
            }
        }
    }

    /// Reads up to the first sound; false when more bytes are needed.
    fn read_head(&mut self) -> Result<bool, NoFragment> {
        let length = match fragment::init_length(&self.bytes) {
            Ok(length) => length,
            Err(NoFragment::Short) if self.bytes.len() < FOREIGN_BYTES_MAX => return Ok(false),
            Err(_) => return Err(NoFragment::Foreign),
        };
        // A stream goes on with a fragment's first box; a replay with one mdat whose length is 64 bits long.
        let Some(kind) = self.bytes.get(length + 4..length + 8) else { return Ok(false) };
        if kind != b"mdat" {
            self.bytes.drain(..length);
            self.stage = Stage::Fragments;
            return Ok(true);
        }
        if self.bytes.len() < length + 16 {
            return Ok(false);
        }
        self.bytes.drain(..length + 16);
        self.stage = Stage::Frames(0);
        Ok(true)
    }
}

/// The cadence that live facts announce, in milliseconds (docs/formats.md, key `c`).
fn cadence(facts: &[u8]) -> Option<u16> {
    let facts: serde_json::Value = serde_json::from_slice(facts).ok()?;
    facts.get("c")?.as_u64()?.try_into().ok()
}
