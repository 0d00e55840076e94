//! The sync thread: what the recorder has written is on disk for certain within a second.

use super::metrics::Metrics;
use super::mixing::DeskId;
use super::recorder::ToRecorder;
use super::words::Report;
use base::limit::SYNC_BEHIND_MILLIS_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two rounds; the rest of the promised second is for the disk.
const ROUND: Duration = Duration::from_millis(SYNC_BEHIND_MILLIS_MAX / 4);

#[derive(Default)]
struct Pending {
    /// Files written since the last round, by descriptor, and whose they are.
    files: BTreeMap<i32, (DeskId, Arc<File>)>,
    oldest: Option<Instant>,
    /// Reports that may be given once those files are synced.
    then: Vec<Report>,
    stop: bool,
}

/// What is shared between the recorder, which writes, and the sync thread.
#[derive(Default)]
pub(super) struct Sync {
    pending: Mutex<Pending>,
    changed: Condvar,
}

impl Sync {
    /// These files of a programme were written.
    pub(super) fn dirty(&self, desk: DeskId, files: impl IntoIterator<Item = Arc<File>>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.files.extend(files.into_iter().map(|file| (file.as_raw_fd(), (desk, file))));
        if pending.oldest.is_none() && !pending.files.is_empty() {
            pending.oldest = Some(Instant::now());
            self.changed.notify_one();
        }
    }

    /// Gives this report once everything written so far is synced.
    pub(super) fn then(&self, report: Report) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).then.push(report);
        self.changed.notify_one();
    }

    /// One last round, then the thread ends.
    pub(super) fn stop(&self) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.changed.notify_one();
    }

    /// The thread. The recorder waits for nothing here, so it may be waited for.
    pub(super) fn run(&self, recorder: &SyncSender<ToRecorder>, reports: &SyncSender<Report>, metrics: &Metrics) {
        loop {
            let round = self.next_round();
            let mut failed = BTreeSet::new();
            for (desk, file) in round.files.values() {
                if let Err(error) = file.sync_data()
                    && failed.insert(*desk)
                {
                    tracing::error!(%error, "the disk does not sync; what was recorded last may be lost");
                }
            }
            for desk in failed {
                // What failed once is not tried again: the system may have dropped the bytes and say next time that all is well.
                let _ = recorder.send(ToRecorder::DiskFailed(desk));
            }
            if let Some(oldest) = round.oldest {
                metrics.synced(oldest.elapsed());
            }
            for report in round.then {
                // Nobody receives any more once the role has ended.
                let _ = reports.send(report);
            }
            if round.stop {
                return;
            }
        }
    }

    fn next_round(&self) -> Pending {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |pending: &mut Pending| pending.oldest.is_none() && pending.then.is_empty() && !pending.stop;
        let pending = self.changed.wait_while(pending, idle).unwrap_or_else(PoisonError::into_inner);
        let hurry = |pending: &mut Pending| pending.then.is_empty() && !pending.stop;
        let (mut pending, _) = self.changed.wait_timeout_while(pending, ROUND, hurry).unwrap_or_else(PoisonError::into_inner);
        let stop = pending.stop;
        Pending { stop, ..std::mem::take(&mut *pending) }
    }
}

#[cfg(test)]
mod tests;
