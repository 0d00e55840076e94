//! Makes the MP3 of a replay: in a thread of its own that everything else comes before.

use super::Stop;
use super::read::Recording;
use anyhow::Context as _;
use audio::mp3::Encoder;
use audio::opus::{Decoder, LOOKAHEAD_SAMPLES};
use audio::{Frame, SILENCE};
use base::time::TICK_SAMPLES;
use base::{FragmentNumber, Rung};
use programme::{fragment, silence};
use std::fs::OpenOptions;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far behind everything else on this machine it stands.
const NICE: i32 = 19;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 64 * 1024;

/// How far it is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    percent: AtomicU8,
    stop: Stop,
}

impl Progress {
    pub(super) fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stop.say();
    }
}

/// Makes `replay.mp3.part` of what is heard; its bytes, or nothing when it was told to stop.
pub(super) async fn make(dir: &Path, heard: Range<FragmentNumber>, progress: Arc<Progress>) -> anyhow::Result<Option<u64>> {
    let dir = dir.to_owned();
    let (done, wait) = tokio::sync::oneshot::channel();
    // A thread of the runtime's would stay as slow afterwards.
    std::thread::Builder::new().name("mp3".into()).spawn(move || {
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        let _ = done.send(encode(&dir, heard, &progress));
    })?;
    wait.await.context("the thread that encodes is gone")?
}

fn encode(dir: &Path, heard: Range<FragmentNumber>, progress: &Progress) -> anyhow::Result<Option<u64>> {
    let mut recording = Recording::open(dir)?;
    let cuts = recording.cuts.clone();
    let path = dir.join("replay.mp3.part");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    let mut line = Line::new(BufWriter::with_capacity(WRITE_BYTES, file))?;
    let silent = silence::frames(Rung::R64, Rung::R64.frames_per_fragment());
    let (mut next, all) = (heard.start, heard.end.0 - heard.start.0);
    recording.each(heard.start, |number, bytes| {
        if number >= heard.end || progress.stop.is_said() {
            return Ok(false);
        }
        for _ in next.0..number.0 {
            line.fragment(&silent)?;
        }
        let payload = fragment::find(bytes).ok().filter(|_| !cuts.touch(number, 1)).map_or(&silent[..], |found| &bytes[found.payload]);
        line.fragment(payload)?;
        next = FragmentNumber(number.0 + 1);
        progress.percent.store(u8::try_from((next.0 - heard.start.0) * 100 / all.max(1)).unwrap_or(100), Ordering::Relaxed);
        Ok(true)
    })?;
    if progress.stop.is_said() {
        return Ok(None);
    }
    line.finish().map(Some)
}

/// From packets to the file.
struct Line<W: std::io::Write> {
    decoder: Decoder,
    encoder: Encoder,
    /// Sound that is no whole frame yet: the decoder is behind by some samples, and the encoder takes it by 20 ms.
    sound: Vec<f32>,
    skip: usize,
    bytes: Vec<u8>,
    written: u64,
    file: W,
}

impl Line<BufWriter<std::fs::File>> {
    fn new(file: BufWriter<std::fs::File>) -> anyhow::Result<Self> {
        let (decoder, encoder) = (Decoder::new()?, Encoder::new()?);
        Ok(Self { decoder, encoder, sound: Vec::new(), skip: LOOKAHEAD_SAMPLES, bytes: Vec::new(), written: 0, file })
    }

    fn fragment(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        for packet in payload.chunks(Rung::R64.frame_bytes()) {
            let mut frame: Frame = SILENCE;
            // A damaged packet is silence, as players have it.
            let _ = self.decoder.decode(packet, &mut frame);
            let skip = self.skip.min(TICK_SAMPLES);
            self.skip -= skip;
            self.sound.extend_from_slice(&frame[skip..]);
        }
        self.flush()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let (frames, rest) = self.sound.as_chunks::<TICK_SAMPLES>();
        for frame in frames {
            self.encoder.encode(frame, &mut self.bytes)?;
        }
        self.sound = rest.to_vec();
        self.file.write_all(&self.bytes)?;
        self.written += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<u64> {
        let missing = TICK_SAMPLES - self.sound.len() % TICK_SAMPLES;
        self.sound.resize(self.sound.len() + missing, 0.0);
        self.flush()?;
        let info = self.encoder.finish(&mut self.bytes)?;
        self.file.write_all(&self.bytes)?;
        self.written += self.bytes.len() as u64;
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&info)?;
        file.sync_all()?;
        Ok(self.written)
    }
}
