//! The recorder thread: encoded packets into sealed fragments, fragments into files.

use super::metrics::{Metrics, count};
use super::mixing::DeskId;
use super::recording::{Recording, forget_memory};
use super::sync::Sync;
use super::tracks::Tracks;
use super::words::Report;
use base::fact::LiveFact;
use base::limit::RECORDER_QUEUE_PACKETS_MAX;
use base::{MediaTime, ParticipantId, Rung};
use programme::Writer;
use programme::index::{Record, Source};
use programme::write::Append;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Relays read the last of what was in memory this long after the end.
const MEMORY_KEPT_AFTER_END: Duration = Duration::from_secs(10);

/// How often what is to be removed is looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// One encoded frame of a rung, by value: the queue is its buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    bytes: [u8; Rung::R64.frame_bytes()],
    rung: Rung,
}

impl Packet {
    /// Filled by `encode`, which gives the number of bytes; `None` when that is not the rung's.
    pub(super) fn fill(rung: Rung, encode: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<Self> {
        let mut packet = Self { bytes: [0; Rung::R64.frame_bytes()], rung };
        let bytes = encode(&mut packet.bytes[..rung.frame_bytes()])?;
        (bytes == rung.frame_bytes()).then_some(packet)
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.rung.frame_bytes()]
    }
}

/// What the recorder is told.
pub(super) enum ToRecorder {
    /// A programme opens.
    Open(DeskId, Box<Recording>),
    /// 20 ms of one rung.
    Packet(DeskId, MediaTime, Packet),
    /// 20 ms of one speaker, for a track of their own.
    Track(DeskId, ParticipantId, MediaTime, Packet),
    /// Nobody asks for the rung any more.
    StopRung(DeskId, Rung),
    /// For the listeners.
    Tell(DeskId, LiveFact),
    /// Which fragment is being filled? [`Report::Marked`] says it.
    Mark(DeskId),
    /// The disk has lost what was written.
    DiskFailed(DeskId),
    /// The event is over.
    End(DeskId),
    /// The role ends and the programme does not: what is under way is sealed.
    Exit,
}

/// The recorder's queue.
pub(super) fn queue() -> (SyncSender<ToRecorder>, Receiver<ToRecorder>) {
    sync_channel(RECORDER_QUEUE_PACKETS_MAX)
}

struct Programme {
    writer: Writer,
    recording: Box<Recording>,
    tracks: Tracks,
}

/// The recorder thread's state.
pub(super) struct Recorder {
    programmes: BTreeMap<DeskId, Programme>,
    sync: Arc<Sync>,
    metrics: Arc<Metrics>,
    removals: Vec<(Instant, PathBuf)>,
}

impl Recorder {
    pub(super) fn new(sync: Arc<Sync>, metrics: Arc<Metrics>) -> Self {
        Self { programmes: BTreeMap::new(), sync, metrics, removals: Vec::new() }
    }

    /// Records until told to exit.
    pub(super) fn run(mut self, queue: &Receiver<ToRecorder>) {
        loop {
            match queue.recv_timeout(HOUSEKEEPING) {
                Ok(ToRecorder::Exit) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(told) => self.take(told),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.remove_memory(Instant::now());
        }
        for desk in self.programmes.keys().copied().collect::<Vec<_>>() {
            for rung in Rung::ALL {
                self.take(ToRecorder::StopRung(desk, rung));
            }
            let tracks = self.programmes.get_mut(&desk).map(|programme| programme.tracks.stop());
            self.sync.dirty(desk, tracks.into_iter().flatten());
        }
        self.sync.stop();
        // Nobody is there any more who could read it.
        self.removals.iter().for_each(|(_, dir)| forget_memory(dir));
    }

    fn take(&mut self, told: ToRecorder) {
        match told {
            ToRecorder::Open(desk, recording) => self.open(desk, recording),
            ToRecorder::Packet(desk, at, packet) => {
                let Some(programme) = self.programmes.get_mut(&desk) else { return };
                match programme.writer.push(at, packet.rung, packet.bytes()) {
                    Ok(sealed) => self.append(desk, sealed),
                    Err(error) => tracing::error!(%error, "a packet is not recorded"),
                }
            }
            ToRecorder::Track(desk, participant, at, packet) => {
                // A disk that takes nothing of the programme takes no tracks.
                let on_disk = |programme: &&mut Programme| !programme.writer.is_diverted();
                let Some(programme) = self.programmes.get_mut(&desk).filter(on_disk) else { return };
                let written = programme.tracks.push(participant, at, packet.bytes());
                self.sync.dirty(desk, written);
            }
            ToRecorder::StopRung(desk, rung) => {
                let sealed = self.programmes.get_mut(&desk).and_then(|programme| programme.writer.stop(rung));
                self.append(desk, sealed);
            }
            ToRecorder::Tell(desk, fact) => {
                if let Some(programme) = self.programmes.get_mut(&desk) {
                    programme.writer.tell(fact);
                }
            }
            ToRecorder::Mark(desk) => {
                let filling = self.programmes.get(&desk).map(|programme| programme.writer.sealed_end()).unwrap_or_default();
                // By way of the sync thread, for the same reason as below.
                self.sync.then(Report::Marked(desk, filling));
            }
            ToRecorder::DiskFailed(desk) => self.leave_disk(desk),
            ToRecorder::End(desk) => self.end(desk),
            ToRecorder::Exit => {}
        }
    }

    fn open(&mut self, desk: DeskId, recording: Box<Recording>) {
        let (writer, disk_full) = (Writer::open(recording.opening()), recording.disk_full());
        let tracks = Tracks::new(recording.disk_dir());
        self.programmes.insert(desk, Programme { writer, recording, tracks });
        if disk_full {
            self.leave_disk(desk);
        }
    }

    /// The sound goes on in memory from here on.
    fn leave_disk(&mut self, desk: DeskId) {
        let on_disk = |programme: &&mut Programme| !programme.writer.is_diverted();
        let Some(Programme { writer, .. }) = self.programmes.get_mut(&desk).filter(on_disk) else { return };
        writer.divert(Vec::new());
        let first_lost = writer.sealed_end();
        self.stopped(desk, first_lost);
    }

    /// Writes what was sealed; what the disk refuses goes to memory, with everything after it.
    fn append(&mut self, desk: DeskId, sealed: impl IntoIterator<Item = Append>) {
        let Some(Programme { writer, recording, .. }) = self.programmes.get_mut(&desk) else { return };
        let mut waiting: std::collections::VecDeque<_> = sealed.into_iter().collect();
        let mut first_lost = None;
        while let Some(append) = waiting.pop_front() {
            match recording.append(&append) {
                Ok(written) => {
                    count(&self.metrics.sealed);
                    self.sync.dirty(desk, written.into_iter().flatten());
                }
                Err(error) if append.source == Source::Disk => {
                    tracing::error!(%error, rung = %append.rung, "the recording stops: the disk takes no more; the sound goes on in memory");
                    first_lost = first_lost.or(Some(number(&append)));
                    let rest = std::iter::once(append).chain(waiting.drain(..)).collect();
                    waiting.extend(writer.divert(rest));
                }
                Err(error) => tracing::error!(%error, "a fragment found no room in memory either"),
            }
        }
        if writer.is_diverted() {
            let bytes = recording.memory_bytes();
            self.metrics.spill_bytes.store(bytes, Relaxed);
        }
        if let Some(first_lost) = first_lost {
            self.stopped(desk, first_lost);
        }
    }

    fn stopped(&self, desk: DeskId, first_lost: base::FragmentNumber) {
        count(&self.metrics.recordings_stopped);
        // The sync thread may wait for the control thread; this one may not, for the control thread waits for it.
        self.sync.then(Report::RecordingStopped(desk, first_lost));
    }

    fn end(&mut self, desk: DeskId) {
        let Some(Programme { writer, recording, mut tracks }) = self.programmes.remove(&desk) else { return };
        self.sync.dirty(desk, tracks.stop());
        let (epoch, diverted) = (writer.epoch(), writer.is_diverted());
        // The rest is sealed by a writer that is no more, so a disk that fills up just now costs it.
        let (appends, end) = writer.end();
        let mut recording = recording;
        for append in appends {
            match recording.append(&append) {
                Ok(written) => self.sync.dirty(desk, written.into_iter().flatten()),
                Err(error) => tracing::error!(%error, "the last fragment could not be written"),
            }
        }
        if diverted {
            self.sync.dirty(desk, recording.end_on_disk(end, epoch));
            self.metrics.spill_bytes.store(0, Relaxed);
        }
        self.removals.push((Instant::now() + MEMORY_KEPT_AFTER_END, recording.memory_dir().to_owned()));
        self.sync.then(Report::ProgrammeClosed(desk, end));
    }

    fn remove_memory(&mut self, now: Instant) {
        self.removals.retain(|(at, dir)| {
            let due = *at <= now;
            if due {
                forget_memory(dir);
            }
            !due
        });
    }
}

const fn number(append: &Append) -> base::FragmentNumber {
    match append.says {
        Record::Fragment(entry) => entry.number,
        Record::End { number, .. } => number,
    }
}

#[cfg(test)]
mod tests;
