//! Each speaker's own track of an event, where its announcement asks for them: `tracks/PARTICIPANT.mp4` beside the programme.

use base::limit::TRACKS_PER_EVENT_MAX;
use base::{MediaTime, ParticipantId};
use programme::init;
use programme::track::{self, Track};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Open {
    track: Track,
    file: Arc<File>,
    /// Where it ends.
    length: u64,
}

/// The tracks of one event. Its programme comes first: what they meet on the disk ends them and nothing else.
pub(super) struct Tracks {
    dir: PathBuf,
    open: BTreeMap<ParticipantId, Open>,
    has_failed: bool,
}

impl Tracks {
    /// Those in an event's directory; nothing is made before somebody speaks.
    pub(super) fn new(event: &Path) -> Self {
        Self { dir: event.join("tracks"), open: BTreeMap::new(), has_failed: false }
    }

    /// Writes 20 ms of somebody; gives the file when that was more than kept in memory.
    pub(super) fn push(&mut self, participant: ParticipantId, at: MediaTime, packet: &[u8]) -> Option<Arc<File>> {
        if self.has_failed || (self.open.len() >= TRACKS_PER_EVENT_MAX && !self.open.contains_key(&participant)) {
            return None;
        }
        let written = self.track(participant).and_then(|open| {
            let bytes = open.track.push(at, packet);
            open.append(&bytes)
        });
        written.unwrap_or_else(|error| self.fail(&error))
    }

    /// Seals what is under way.
    pub(super) fn stop(&mut self) -> Vec<Arc<File>> {
        let mut written = Vec::new();
        for mut open in std::mem::take(&mut self.open).into_values() {
            let bytes = open.track.stop();
            match open.append(&bytes) {
                Ok(file) => written.extend(file),
                Err(error) => drop(self.fail(&error)),
            }
        }
        written
    }

    fn track(&mut self, participant: ParticipantId) -> io::Result<&mut Open> {
        if !self.open.contains_key(&participant) {
            std::fs::create_dir_all(&self.dir)?;
            self.open.insert(participant, Open::at(&self.dir.join(format!("{participant}.mp4")))?);
        }
        self.open.get_mut(&participant).ok_or(io::ErrorKind::NotFound.into())
    }

    fn fail(&mut self, error: &io::Error) -> Option<Arc<File>> {
        tracing::error!(%error, dir = %self.dir.display(), "the speakers' own tracks end: the disk takes no more");
        self.has_failed = true;
        self.open.clear();
        None
    }
}

impl Open {
    /// A new file, or one of a stage before this one.
    fn at(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (next, length) = track::resume(file.metadata()?.len(), |at, bytes| file.read_exact_at(bytes, at))?;
        file.write_all_at(init::segment(), 0)?;
        file.set_len(length)?;
        Ok(Self { track: Track::new(next), file: file.into(), length })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<Option<Arc<File>>> {
        if bytes.is_empty() {
            return Ok(None);
        }
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(Some(Arc::clone(&self.file)))
    }
}
