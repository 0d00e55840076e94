//! Pieces of sound decoded, and written as WAV where that is wanted.

use super::demux::Piece;
use anyhow::Context as _;
use audio::opus::Decoder;
use base::time::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Samples that one packet can have: 120 ms (RFC 6716).
const PACKET_SAMPLES_MAX: usize = 5_760;

/// Samples of silence that are written for one gap; a longer one is no gap but another event.
const MISSING_SAMPLES_MAX: u64 = 3_600 * SAMPLE_RATE_HZ as u64;

pub(super) struct Sound {
    decoder: Decoder,
    file: Option<hound::WavWriter<BufWriter<File>>>,
    samples: u64,
    samples_max: Option<u64>,
    level_db: f32,
}

impl Sound {
    /// Sound that goes to `output`, and is enough after `seconds`.
    pub(super) fn new(output: Option<&Path>, seconds: Option<f64>) -> anyhow::Result<Self> {
        let look =
            hound::WavSpec { channels: 1, sample_rate: SAMPLE_RATE_HZ, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let create = |path: &Path| hound::WavWriter::create(path, look).with_context(|| format!("{} can't be written", path.display()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of seconds; casts saturate")]
        let samples_max = seconds.map(|seconds| (seconds * f64::from(SAMPLE_RATE_HZ)).ceil() as u64);
        Ok(Self { decoder: Decoder::new()?, file: output.map(create).transpose()?, samples: 0, samples_max, level_db: f32::NEG_INFINITY })
    }

    /// Seconds heard so far.
    pub(super) fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    /// How loud the newest piece was, below full scale.
    pub(super) const fn level_db(&self) -> f32 {
        self.level_db
    }

    /// Plays a piece: silence for what is `missing` before it, then its sound without what is `known` already.
    /// True when enough is heard.
    pub(super) fn play(&mut self, piece: &Piece, missing: u64, known: u64) -> anyhow::Result<bool> {
        for _ in 0..missing.min(MISSING_SAMPLES_MAX) {
            if self.write(0.0)? {
                return Ok(true);
            }
        }
        let mut sound = [0.0; PACKET_SAMPLES_MAX];
        let (mut known, mut energy, mut count) = (known, 0.0, 0u32);
        for packet in piece.frames.chunks(piece.frame_bytes) {
            // A damaged packet sounds as silence of its length: time goes on.
            let samples = self.decoder.decode(packet, &mut sound).unwrap_or_else(|_| {
                sound[..TICK_SAMPLES].fill(0.0);
                TICK_SAMPLES
            });
            for &sample in &sound[..samples] {
                if known > 0 {
                    known -= 1;
                    continue;
                }
                (energy, count) = (energy + sample * sample, count + 1);
                if self.write(sample)? {
                    return Ok(true);
                }
            }
        }
        self.level_db = 10.0 * (energy / count.max(1) as f32).max(1e-13).log10();
        Ok(false)
    }

    /// Completes the file.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.file.take().map_or(Ok(()), hound::WavWriter::finalize).context("the WAV file could not be completed")
    }

    fn write(&mut self, sample: f32) -> anyhow::Result<bool> {
        if let Some(file) = &mut self.file {
            #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
            let sample = (sample.clamp(-1.0, 1.0) * 32_767.0) as i16;
            file.write_sample(sample).context("the WAV file can't be written")?;
        }
        self.samples += 1;
        Ok(self.samples_max.is_some_and(|most| self.samples >= most))
    }
}
