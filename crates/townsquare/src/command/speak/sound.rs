//! A sound file as a stream of 20 ms frames: mono, 48 kHz, read as it is spoken, so that a long file costs no memory.

use anyhow::{Context as _, bail};
use audio::Frame;
use audio::opus::{Decoder, PACKET_SAMPLES_MAX};
use base::time::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use hound::{SampleFormat, WavIntoSamples, WavReader};
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

type Reader = BufReader<File>;

/// A sound that is being read.
pub(super) struct Sound {
    path: PathBuf,
    again: bool,
    source: Source,
    /// Read and not yet spoken.
    ready: VecDeque<f32>,
}

impl Sound {
    /// Opens a file and reads its head; says what is wrong with it.
    pub(super) fn open(path: &Path, again: bool) -> anyhow::Result<Self> {
        let mut sound = Self { path: path.to_owned(), again, source: Source::open(path)?, ready: VecDeque::new() };
        if !sound.fill()? {
            bail!("{} holds no sound", path.display());
        }
        Ok(sound)
    }

    /// Chimes without end, for a rehearsal.
    pub(super) fn chimes() -> Self {
        Self { path: "chimes".into(), again: true, source: Source::Chimes(0), ready: VecDeque::new() }
    }

    /// How long the file is, when its head says so.
    pub(super) fn seconds(&self) -> Option<f64> {
        match &self.source {
            Source::Wav(wav) if !self.again => Some(wav.seconds),
            Source::Wav(_) | Source::Ogg(_) | Source::Chimes(_) => None,
        }
    }

    /// The next frame, its end filled with silence; `None` when there is none.
    pub(super) fn frame(&mut self) -> anyhow::Result<Option<Frame>> {
        while self.ready.len() < TICK_SAMPLES && self.fill()? {}
        if self.ready.is_empty() {
            return Ok(None);
        }
        let mut frame = audio::SILENCE;
        let samples = self.ready.len().min(TICK_SAMPLES);
        for (slot, sample) in frame.iter_mut().zip(self.ready.drain(..samples)) {
            *slot = sample;
        }
        Ok(Some(frame))
    }

    /// Reads some more; false at the end.
    fn fill(&mut self) -> anyhow::Result<bool> {
        let damaged = || format!("{} is damaged", self.path.display());
        if self.source.read(&mut self.ready).with_context(damaged)? {
            return Ok(true);
        }
        if !self.again {
            return Ok(false);
        }
        self.source = Source::open(&self.path)?;
        self.source.read(&mut self.ready).with_context(damaged)
    }
}

enum Source {
    Wav(Box<Wav>),
    Ogg(Box<Ogg>),
    /// The samples of the chimes that were read.
    Chimes(usize),
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let cant_read = || format!("{} can't be read", path.display());
        let mut magic = Vec::new();
        File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic)).with_context(cant_read)?;
        let reader = BufReader::new(File::open(path).with_context(cant_read)?);
        match magic.as_slice() {
            b"RIFF" => Wav::open(reader).map(Box::new).map(Self::Wav),
            b"OggS" => Ogg::open(reader).map(Box::new).map(Self::Ogg),
            _ => Err(anyhow::anyhow!("it is neither WAV nor Ogg")),
        }
        .with_context(|| format!("{} is no sound that can be spoken", path.display()))
    }

    /// Appends some sound; false at the end, or when the file is empty.
    fn read(&mut self, ready: &mut VecDeque<f32>) -> anyhow::Result<bool> {
        match self {
            Self::Wav(wav) => wav.read(ready),
            Self::Ogg(ogg) => ogg.read(ready),
            Self::Chimes(read) => {
                ready.extend((*read..).take(TICK_SAMPLES).map(chime));
                *read += TICK_SAMPLES;
                Ok(true)
            }
        }
    }
}

/// A sample of the chimes: five notes, two a second, each struck and fading, none quite silent.
fn chime(sample: usize) -> f32 {
    const NOTES_HZ: [f32; 5] = [523.25, 659.25, 783.99, 880.0, 587.33];
    const NOTE_SAMPLES: usize = SAMPLE_RATE_HZ as usize / 2;
    const LEVEL: f32 = 0.2;
    let hz = NOTES_HZ[sample / NOTE_SAMPLES % NOTES_HZ.len()];
    let seconds = (sample % NOTE_SAMPLES) as f32 / SAMPLE_RATE_HZ as f32;
    let struck = (seconds / 0.005).min(1.0) * (-seconds / 0.25).exp();
    LEVEL * struck * (std::f32::consts::TAU * hz * seconds).sin()
}

enum Samples {
    Whole(WavIntoSamples<Reader, i32>, f32),
    Float(WavIntoSamples<Reader, f32>),
}

struct Wav {
    samples: Samples,
    channels: u16,
    seconds: f64,
    resampler: Option<Resampler>,
}

impl Wav {
    fn open(reader: Reader) -> anyhow::Result<Self> {
        let reader = WavReader::new(reader)?;
        let spec = reader.spec();
        if spec.channels == 0 || !(1_000..=768_000).contains(&spec.sample_rate) || !(1..=32).contains(&spec.bits_per_sample) {
            bail!("its head makes no sense");
        }
        let seconds = f64::from(reader.duration()) / f64::from(spec.sample_rate);
        let samples = match spec.sample_format {
            SampleFormat::Float => Samples::Float(reader.into_samples()),
            SampleFormat::Int => Samples::Whole(reader.into_samples(), 0.5_f32.powi(i32::from(spec.bits_per_sample) - 1)),
        };
        let resampler = if spec.sample_rate == SAMPLE_RATE_HZ { None } else { Some(Resampler::new(spec.sample_rate)?) };
        Ok(Self { samples, channels: spec.channels, seconds, resampler })
    }

    fn read(&mut self, ready: &mut VecDeque<f32>) -> anyhow::Result<bool> {
        let Some(resampler) = &self.resampler else {
            let mono = self.mono(TICK_SAMPLES)?;
            ready.extend(&mono);
            return Ok(!mono.is_empty());
        };
        let wanted = resampler.wants();
        let mono = self.mono(wanted)?;
        self.resampler.as_mut().map_or(Ok(false), |resampler| resampler.push(mono, ready))
    }

    /// Up to `count` samples, the channels' mean.
    fn mono(&mut self, count: usize) -> anyhow::Result<Vec<f32>> {
        let mut mono = Vec::with_capacity(count);
        while mono.len() < count {
            let mut sum = 0.0;
            for _ in 0..self.channels {
                let sample = match &mut self.samples {
                    Samples::Whole(samples, scale) => samples.next().transpose()?.map(|sample| sample as f32 * *scale),
                    Samples::Float(samples) => samples.next().transpose()?,
                };
                // A file that is cut off within a moment ends before it.
                let Some(sample) = sample else { return Ok(mono) };
                sum += if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            }
            mono.push(sum / f32::from(self.channels));
        }
        Ok(mono)
    }
}

/// To 48 kHz, without the resampler's own delay before or after.
struct Resampler {
    fft: Fft<f32>,
    /// Samples of delay still to be left out.
    early: usize,
    rate: u64,
    /// Samples that went in.
    taken: u64,
    /// Samples that came out.
    given: u64,
    ended: bool,
}

impl Resampler {
    fn new(rate: u32) -> anyhow::Result<Self> {
        let fft = Fft::new(rate as usize, SAMPLE_RATE_HZ as usize, TICK_SAMPLES, 1, FixedSync::Output)?;
        let early = fft.output_delay();
        Ok(Self { fft, early, rate: u64::from(rate), taken: 0, given: 0, ended: false })
    }

    fn wants(&self) -> usize {
        self.fft.input_frames_next()
    }

    /// Takes at most what it wants; less means the end, and what is still inside is pushed out with silence.
    fn push(&mut self, mut mono: Vec<f32>, ready: &mut VecDeque<f32>) -> anyhow::Result<bool> {
        let wanted = self.wants();
        self.ended |= mono.len() < wanted;
        self.taken += mono.len() as u64;
        let due = (self.taken * u64::from(SAMPLE_RATE_HZ) / self.rate).saturating_sub(self.given);
        if self.ended && due == 0 {
            return Ok(false);
        }
        mono.resize(wanted, 0.0);
        let output = self.fft.process(&SequentialSlice::new(&mono, 1, wanted)?, None)?.take_data();
        let skipped = self.early.min(output.len());
        self.early -= skipped;
        let whole = output.len() - skipped;
        let count = if self.ended { whole.min(usize::try_from(due).unwrap_or(whole)) } else { whole };
        self.given += count as u64;
        ready.extend(&output[skipped..skipped + count]);
        Ok(true)
    }
}

/// Opus in Ogg (RFC 7845).
struct Ogg {
    packets: ogg::PacketReader<Reader>,
    serial: u32,
    decoder: Decoder,
    gain: f32,
    /// Samples still to be left out at the start.
    early: usize,
    /// Samples decoded, those left out too.
    decoded: u64,
    sound: Box<[f32; PACKET_SAMPLES_MAX]>,
}

impl Ogg {
    fn open(reader: Reader) -> anyhow::Result<Self> {
        let mut packets = ogg::PacketReader::new(reader);
        let head = packets.read_packet()?.context("it is empty")?;
        let serial = head.stream_serial();
        let [
            b'O',
            b'p',
            b'u',
            b's',
            b'H',
            b'e',
            b'a',
            b'd',
            version,
            channels,
            early_low,
            early_high,
            _,
            _,
            _,
            _,
            gain_low,
            gain_high,
            family,
            ..,
        ] = head.data[..]
        else {
            bail!("its Ogg holds something else than Opus");
        };
        if version > 15 || !(1..=2).contains(&channels) || family != 0 {
            bail!("its Opus is neither mono nor stereo");
        }
        let gain = 10_f32.powf(f32::from(i16::from_le_bytes([gain_low, gain_high])) / (20.0 * 256.0));
        let early = usize::from(u16::from_le_bytes([early_low, early_high]));
        let tags = packets.read_packet()?.filter(|tags| tags.data.starts_with(b"OpusTags"));
        tags.context("its Opus has no tags")?;
        Ok(Self { packets, serial, decoder: Decoder::new()?, gain, early, decoded: 0, sound: Box::new([0.0; PACKET_SAMPLES_MAX]) })
    }

    fn read(&mut self, ready: &mut VecDeque<f32>) -> anyhow::Result<bool> {
        // Another logical stream, interleaved or chained, is none of this sound.
        while let Some(packet) = self.packets.read_packet()?.filter(|packet| packet.stream_serial() == self.serial) {
            let samples = match self.decoder.decode(&packet.data, &mut self.sound[..]) {
                Ok(samples) => samples,
                // A damaged packet is a short silence, not the end of the speech.
                Err(_) => {
                    self.sound[..TICK_SAMPLES].fill(0.0);
                    TICK_SAMPLES
                }
            };
            self.decoded += samples as u64;
            let late = if packet.last_in_stream() { self.decoded.saturating_sub(packet.absgp_page()) } else { 0 };
            let end = samples.saturating_sub(usize::try_from(late).unwrap_or(samples));
            let start = self.early.min(samples);
            self.early -= start;
            if start < end {
                ready.extend(self.sound[start..end].iter().map(|sample| sample * self.gain));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
