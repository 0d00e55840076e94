//! What of an event has a length: playlists, their pieces, the init segment, the replay.

use super::{Event, Phase};
use crate::address::{Until, What};
use crate::body::Body;
use base::{FaultKind, FragmentNumber, Rung, UnixMillis};
use programme::init;
use programme::journal::Journal;
use programme::view::hls::{self, Ready};
use programme::view::replay::Replay;
use std::rc::Rc;

/// Seconds that a cache may give out a live playlist: what two clients ask at once is fetched once.
const LIVE_PLAYLIST_SECONDS: u32 = 1;
/// Seconds that a cache may give out a playlist whose address says what it must hold (RFC 8216bis, section 6.2.5.2): it holds it for
/// ever, so that only a client which is far behind would notice.
const BLOCKED_PLAYLIST_SECONDS: u32 = 6;
/// Seconds that a cache may give out what changes only when something is cut.
const ENDED_PLAYLIST_SECONDS: u32 = 60;

const MP4: &str = "audio/mp4";
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

/// What was made for one listener and serves the next: one playlist a rung, whole and shortened, and the replay.
#[derive(Default)]
pub(crate) struct Shelf {
    playlists: [[Option<Made>; 2]; 3],
    replay: Option<Made>,
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
            What::Playlist { until: None, .. } | What::Stream(_) | What::Main | What::Init | What::Replay { .. } => true,
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

    /// The ended event as one file.
    pub(crate) fn replay(&mut self) -> Found {
        match self.phase() {
            Phase::Waiting => return Found::Not(self.nothing_yet()),
            Phase::Live => return Found::Not(FaultKind::MediaGone),
            Phase::Ended => {}
        }
        let index = &self.indexes[0];
        let (Some(last), Some(media)) = (index.recording().last(), self.files[0].recording()) else {
            return Found::Not(FaultKind::MediaGone);
        };
        let etag = format!("\"{}.{}.{}\"", last.epoch, last.number, self.cuts.revision());
        let body = match self.shelf.replay.clone().filter(|(version, _)| *version == self.version) {
            Some((_, body)) => body,
            None => {
                let Some(replay) = Replay::new(index) else { return Found::Not(FaultKind::MediaGone) };
                let body = Rc::new(Body::Replay { replay, index: index.clone(), cuts: self.cuts.clone(), media });
                self.shelf.replay = Some((self.version, Rc::clone(&body)));
                body
            }
        };
        Found::Here(Thing { body, content_type: MP4, etag: Some(etag), keep: Keep::Immutable })
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
