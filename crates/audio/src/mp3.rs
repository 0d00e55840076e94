//! MP3 (MPEG-1 Layer III) for players that don't know Opus: mono, constant bitrate, by LAME.

use crate::Frame;
use base::time::SAMPLE_RATE_HZ;
use mp3lame_encoder as lame;
use std::num::NonZeroU32;

/// Bits a second of what [`Encoder`] writes.
pub const BITS_PER_SECOND: u32 = 64_000;

/// Bytes at the front of the file that [`Encoder::finish`] gives anew: the frame that says how long it is (LAME's Info tag).
pub const INFO_BYTES_MAX: usize = 2_880;

/// Bytes that LAME may write at the end (lame.h, `lame_encode_flush`).
const FLUSH_BYTES: usize = 7_200;

/// LAME could not be set up, or gave up: out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the MP3 encoder failed")]
pub struct Failed;

/// 20 ms frames in, a file's bytes out.
pub struct Encoder(lame::Encoder);

impl Encoder {
    /// An encoder at the begin of a file.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn new() -> Result<Self, Failed> {
        let build = || -> Result<lame::Encoder, lame::BuildError> {
            let mut builder = lame::Builder::new().ok_or(lame::BuildError::NoMem)?;
            builder.set_num_channels(1)?;
            builder.set_mode(lame::Mode::Mono)?;
            builder.set_sample_rate(SAMPLE_RATE_HZ)?;
            // What comes is 48 kHz and stays so: no resampling, and places in the file are those of the replay.
            builder.set_output_sample_rate(NonZeroU32::new(SAMPLE_RATE_HZ))?;
            builder.set_brate(lame::Bitrate::Kbps64)?;
            builder.set_vbr_mode(lame::VbrMode::Off)?;
            builder.set_quality(lame::Quality::Good)?;
            builder.set_to_write_vbr_tag(true)?;
            builder.build()
        };
        build().map(Self).map_err(|_| Failed)
    }

    /// Appends what is ready once these samples are in.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn encode(&mut self, frame: &Frame, file: &mut Vec<u8>) -> Result<(), Failed> {
        file.reserve(lame::max_required_buffer_size(frame.len()));
        self.0.encode_to_vec(lame::MonoPcm(&frame[..]), file).map(drop).map_err(|_| Failed)
    }

    /// Appends the rest, and gives what belongs over the file's first bytes.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn finish(mut self, file: &mut Vec<u8>) -> Result<Vec<u8>, Failed> {
        file.reserve(FLUSH_BYTES);
        self.0.flush_to_vec::<lame::FlushGap>(file).map_err(|_| Failed)?;
        let mut info = Vec::with_capacity(INFO_BYTES_MAX);
        // Nothing is written over nothing.
        let _ = self.0.lame_tag_encode_to_vec(&mut info);
        Ok(info)
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("mp3::Encoder")
    }
}

#[cfg(test)]
mod tests;
