//! What of an event has a length: playlists, their pieces, the init segment, the replay.

use super::{Event, Media, Phase};
use crate::address::{Until, What};
use crate::body::{Body, Recording, Run, Runs};
use base::{FaultKind, FragmentNumber, Rung, UnixMillis};
use programme::init;
use programme::journal::Journal;
use programme::view::hls::{self, Ready};
use programme::view::replay::{self, Replay};
use rustix::fs::{Mode, OFlags};
use std::ops::Range;
use std::rc::Rc;

/// Seconds that a cache may give out a live playlist: what two clients ask at once is fetched once.
const LIVE_PLAYLIST_SECONDS: u32 = 1;
/// Seconds that a cache may give out a playlist whose address says what it must hold (RFC 8216bis, section 6.2.5.2): it holds it for
/// ever, so that only a client which is far behind would notice.
const BLOCKED_PLAYLIST_SECONDS: u32 = 6;
/// Seconds that a cache may give out what changes only when something is cut.
const ENDED_PLAYLIST_SECONDS: u32 = 60;

/// Seconds that a cache may give out a replay whose address does not say of which cuts it knows.
const REPLAY_SECONDS: u32 = 60;

const MP4: &str = "audio/mp4";
const MP3: &str = "audio/mpeg";
const M3U8: &str = "application/vnd.apple.mpegurl";

/// Whether something is there.
pub(crate) enum Found {
    /// Here it is.
    Here(Thing),
    /// About to be.
    Soon,
    /// No, and why.
    Not(FaultKind),
}

/// How long a cache may keep a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// For ever.
    Immutable,
    /// So many seconds.
    Seconds(u32),
}

/// Something with a length that is sent whole or in part.
pub(crate) struct Thing {
    pub(crate) body: Rc<Body>,
    pub(crate) content_type: &'static str,
    /// What never changes has one.
    pub(crate) etag: Option<String>,
    pub(crate) keep: Keep,
}

/// A body and the event's version that it was made of.
type Made = (u64, Rc<Body>);

/// What was made for one listener and serves the next: one playlist a rung, whole and shortened, and the recording.
#[derive(Default)]
pub(crate) struct Shelf {
    playlists: [[Option<Made>; 2]; 3],
    /// What replay and clips are read from, what of it is heard, and of which version that was.
    recording: Option<(u64, Rc<Recording>, Range<FragmentNumber>)>,
    /// When epochs began, and how many there were when it was read.
    clock: (u32, Vec<(FragmentNumber, UnixMillis)>),
}

impl Event {
    /// The init segment.
    pub(crate) fn init_segment() -> Found {
        let body = Rc::new(Body::of_bytes(init::segment().to_vec()));
        Found::Here(Thing { body, content_type: MP4, etag: Some("\"init\"".into()), keep: Keep::Immutable })
    }

    /// The multivariant playlist.
    pub(crate) fn main_playlist(&self) -> Found {
        if self.phase() == Phase::Waiting {
            return Found::Not(self.nothing_yet());
        }
        let body = Rc::new(Body::of_bytes(hls::multivariant().into_bytes()));
        Found::Here(Thing { body, content_type: M3U8, etag: None, keep: Keep::Seconds(ENDED_PLAYLIST_SECONDS) })
    }

    /// A rung's playlist, once it holds what it must.
    pub(crate) fn playlist(&mut self, rung: Rung, until: Option<Until>, skip: bool) -> Found {
        if let Some(Until { msn, part }) = until {
            match hls::ready(&self.programme(), rung, msn, part) {
                Ready::Yes => {}
                Ready::NotYet => return Found::Soon,
                Ready::No => return Found::Not(FaultKind::BadRequest),
            }
        }
        let kept = self.shelf.playlists[rung.place()][usize::from(skip)].clone().filter(|(version, _)| *version == self.version);
        let body = match kept {
            Some((_, body)) => body,
            None => {
                self.read_clock();
                let Some(text) = hls::media(&self.programme(), rung, &self.shelf.clock.1, skip) else {
                    return Found::Not(self.nothing_yet());
                };
                self.renders += 1;
                let body = Rc::new(Body::of_bytes(text.into_bytes()));
                self.shelf.playlists[rung.place()][usize::from(skip)] = Some((self.version, Rc::clone(&body)));
                body
            }
        };
        let seconds = match (self.phase(), until) {
            (Phase::Ended, _) => ENDED_PLAYLIST_SECONDS,
            (_, Some(_)) => BLOCKED_PLAYLIST_SECONDS,
            (_, None) => LIVE_PLAYLIST_SECONDS,
        };
        Found::Here(Thing { body, content_type: M3U8, etag: None, keep: Keep::Seconds(seconds) })
    }

    /// Whether a request that was held for this can be answered now.
    pub(crate) fn has(&self, what: &What) -> bool {
        match what {
            _ if self.is_opening() => false,
            What::Playlist { rung, until: Some(Until { msn, part }), .. } => {
                hls::ready(&self.programme(), *rung, *msn, *part) != Ready::NotYet
            }
            What::Piece { rung, address } => !matches!(hls::extents(&self.programme(), *rung, address), Err(Ready::NotYet)),
            What::Stream(_) => self.phase() != Phase::Waiting || self.nothing_yet() != FaultKind::EventNotLive,
            What::Playlist { until: None, .. } | What::Main | What::Init | What::Replay { .. } => true,
            What::Copy(_) | What::Listening(_) | What::Announcement => true,
        }
    }

    /// A segment or a part.
    pub(crate) fn piece(&self, rung: Rung, address: &hls::Address) -> Found {
        let extents = match hls::extents(&self.programme(), rung, address) {
            Ok(extents) => extents,
            Err(Ready::NotYet) => return Found::Soon,
            Err(Ready::Yes | Ready::No) => return Found::Not(FaultKind::MediaGone),
        };
        match self.runs(extents) {
            Ok(runs) => Found::Here(Thing {
                body: Rc::new(Body::Runs(runs)),
                content_type: MP4,
                etag: Some(format!("\"{rung}/{address}\"")),
                keep: Keep::Immutable,
            }),
            Err(_) => Found::Not(FaultKind::MediaGone),
        }
    }

    /// The ended event as one file, or a clip of it.
    pub(crate) fn replay(&mut self, clip: Option<Range<FragmentNumber>>, cuts: Option<u64>) -> Found {
        let (recording, heard) = match self.recorded() {
            Ok(recorded) => recorded,
            Err(kind) => return Found::Not(kind),
        };
        let range = clip.map_or(heard.clone(), |clip| clip.start.max(heard.start)..clip.end.min(heard.end));
        let Some(replay) = Replay::of(range.clone()) else { return Found::Not(FaultKind::MediaGone) };
        let epoch = recording.index.last().map_or(0, |last| last.epoch.0);
        let etag = format!("\"{epoch}.{}-{}.{}\"", range.start, range.end, recording.cuts.revision());
        let body = Rc::new(Body::Replay { replay, recording });
        Found::Here(Thing { body, content_type: MP4, etag: Some(etag), keep: self.keep(cuts) })
    }

    /// The ended event as an MP3, once the square has made it.
    pub(crate) fn mp3(&self) -> Found {
        if self.phase() != Phase::Ended {
            return Found::Not(FaultKind::MediaGone);
        }
        let open = || -> std::io::Result<_> {
            let file = rustix::fs::open(self.directory.join("replay.mp3"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            let stat = rustix::fs::fstat(&file)?;
            Ok((file, u64::try_from(stat.st_size).unwrap_or(0), stat.st_mtime, stat.st_ino))
        };
        let Ok((file, length, at, inode)) = open() else { return Found::Not(FaultKind::MediaGone) };
        let mut runs = Runs::default();
        runs.push(Run::File { file: Rc::new(Media::new(Rung::R64, file, None)), offset: 0, length });
        let (body, etag) = (Rc::new(Body::Runs(runs)), format!("\"mp3.{inode:x}.{at:x}.{length:x}\""));
        Found::Here(Thing { body, content_type: MP3, etag: Some(etag), keep: Keep::Seconds(REPLAY_SECONDS) })
    }

    /// An address that knows of all cuts means the same for ever; another one means what there is now.
    fn keep(&self, cuts: Option<u64>) -> Keep {
        if cuts == Some(self.cuts.revision() as u64) { Keep::Immutable } else { Keep::Seconds(REPLAY_SECONDS) }
    }

    /// What replay and clips are read from, and what of it is heard.
    fn recorded(&mut self) -> Result<(Rc<Recording>, Range<FragmentNumber>), FaultKind> {
        match self.phase() {
            Phase::Waiting => return Err(self.nothing_yet()),
            Phase::Live => return Err(FaultKind::MediaGone),
            Phase::Ended => {}
        }
        if let Some((_, recording, heard)) = self.shelf.recording.as_ref().filter(|(version, ..)| *version == self.version) {
            return Ok((Rc::clone(recording), heard.clone()));
        }
        // Without a journal the event began with its first fragment.
        let journal = std::fs::read(self.directory.join("journal")).unwrap_or_default();
        let proper = Journal::read(&journal).proper();
        let heard = replay::heard(&self.indexes[0], &self.cuts, proper).ok_or(FaultKind::MediaGone)?;
        let media = self.files[0].recording().ok_or(FaultKind::MediaGone)?;
        let recording = Rc::new(Recording { index: self.indexes[0].clone(), cuts: self.cuts.clone(), media });
        self.shelf.recording = Some((self.version, Rc::clone(&recording), heard.clone()));
        Ok((recording, heard))
    }

    /// Reads again when the epochs began, when there is a new one: the journal says it by the wall clock.
    fn read_clock(&mut self) {
        let newest = self.indexes[0].last().map_or(0, |last| last.epoch.0);
        if self.shelf.clock.0 != newest {
            // Without a journal the playlists only lack the time of day.
            let journal = std::fs::read(self.directory.join("journal")).unwrap_or_default();
            let epochs = Journal::read(&journal).epochs().map(|(_, first, at)| (first, at)).collect();
            self.shelf.clock = (newest, epochs);
        }
    }
}
