//! What was heard: fragments, gaps, how far behind; and whether it came in time for a player that follows the cadence.

use super::demux::Piece;
use super::number_at;
use base::time::FRAGMENT_SAMPLES;
use base::{Cadence, FragmentNumber};
use rehearsal::Store;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// Milliseconds within which the fragment that came earliest tells where the live edge is. Not longer: a stage that was away
/// leaves the programme's time behind the clock's for good.
const WINDOW_MS: i64 = 10_000;

/// Milliseconds of sound that a player keeps besides the cadence: the second with which a stream begins.
const BUFFER_MS: u64 = 1_000;

/// What the command reports.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub(crate) struct Report {
    /// Milliseconds from the start of the command to the first sound.
    first_audio_ms: u64,
    /// Seconds of sound, silence for gaps included.
    seconds: f64,
    /// Fragments heard.
    fragments: u64,
    /// How often fragments were missing.
    gaps: u64,
    /// Silences longer than what a player would have had in store; for people, no part of the promised JSON.
    #[serde(skip)]
    stalls: u64,
    /// The cadence that was announced last, in milliseconds; for people, no part of the promised JSON.
    #[serde(skip)]
    cadence_ms: u16,
    /// Bytes received.
    bytes: u64,
    /// How far behind the live edge the last fragment was when it came, in milliseconds: by how much it came later than the relay's newest would
    /// have. So it is 0 for who is sent each fragment as it is published, wherever they began; what a player keeps in store is on top. None of
    /// a replay: 0.
    behind_live_ms: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_audio_ms, seconds, fragments, gaps, stalls, cadence_ms, bytes, behind_live_ms } = self;
        write!(
            f,
            "{seconds:.1} s heard in {fragments} fragments, {gaps} gaps, {stalls} stalls, sent every {cadence_ms} ms, {bytes} bytes; "
        )?;
        write!(f, "first sound after {first_audio_ms} ms, {behind_live_ms} ms behind")
    }
}

/// Where a piece lies behind what was heard before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Samples between what was heard and the piece.
    pub(super) missing_samples: u64,
    /// Samples at the front of the piece that were heard already.
    pub(super) known_samples: u64,
}

pub(super) struct Account {
    began: Instant,
    connections: u64,
    first_sound: Option<Duration>,
    /// The sample behind the last that was heard.
    next: Option<u64>,
    fragments: u64,
    gaps: u64,
    stalls: u64,
    store: Store,
    /// When the newest fragment came; the silence between two connections counts too.
    heard_at: Option<Instant>,
    bytes: u64,
    /// When fragments came, and that without their media time, in milliseconds: the earliest of the window first, then the
    /// earliest of those behind it.
    arrivals: VecDeque<(i64, i64)>,
    /// Of the newest fragment, in milliseconds.
    behind: u32,
}

impl Account {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            connections: 0,
            first_sound: None,
            next: None,
            fragments: 0,
            gaps: 0,
            stalls: 0,
            store: Store::default(),
            heard_at: None,
            bytes: 0,
            arrivals: VecDeque::new(),
            behind: 0,
        }
    }

    /// A connection was made, at a relay that then has everything up to `edge`. Gives its number.
    pub(super) fn connected(&mut self, at: Instant, edge: Option<FragmentNumber>) -> u64 {
        self.arrivals.clear();
        if let Some(edge) = edge {
            self.arrive(at, (edge.0 + 1) * FRAGMENT_SAMPLES);
        }
        self.store.connected(self.clock(at));
        self.connections += 1;
        self.connections
    }

    pub(super) const fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Where a piece belongs; `None`: all of it was heard before.
    pub(super) fn place(&mut self, at: Instant, piece: &Piece) -> Option<Place> {
        let now = self.clock(at);
        let bridged = u64::from(self.store.at(now)) + BUFFER_MS;
        match piece.cadence_ms {
            Some(millis) => self.store.announced(now, millis),
            None => self.store.heard(),
        }
        let next = *self.next.get_or_insert(piece.start);
        if piece.end() <= next {
            return None;
        }
        let silence = self.heard_at.replace(at).map_or(Duration::ZERO, |before| at.saturating_duration_since(before));
        self.stalls += u64::from(silence > Duration::from_millis(bridged));
        self.next = Some(piece.end());
        self.fragments += 1;
        if piece.start > next {
            self.gaps += 1;
        }
        self.behind = self.arrive(at, piece.end());
        Some(Place { missing_samples: piece.start.saturating_sub(next), known_samples: next.saturating_sub(piece.start) })
    }

    /// The piece was decoded.
    pub(super) fn sounded(&mut self) {
        self.first_sound.get_or_insert_with(|| self.began.elapsed());
    }

    /// The fragment to go on with.
    pub(super) fn next(&self) -> Option<FragmentNumber> {
        self.next.map(number_at)
    }

    /// The cadence for which there would be enough in store.
    pub(super) fn ready(&self) -> Cadence {
        self.store.ready(self.clock(Instant::now()))
    }

    pub(super) const fn fragments(&self) -> u64 {
        self.fragments
    }

    pub(super) const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// How far behind the live edge the newest fragment was, in milliseconds.
    pub(super) const fn behind_ms(&self) -> u32 {
        self.behind
    }

    pub(super) fn report(&self, seconds: f64) -> Report {
        Report {
            first_audio_ms: self.first_sound.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            fragments: self.fragments,
            gaps: self.gaps,
            stalls: self.stalls,
            cadence_ms: self.store.wanted_ms(),
            bytes: self.bytes,
            behind_live_ms: self.behind.into(),
        }
    }

    /// Milliseconds since the command began.
    fn clock(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX)
    }

    /// Notes when media up to a place came; gives how much later that is than the earliest, in milliseconds.
    fn arrive(&mut self, at: Instant, media_end: u64) -> u32 {
        let clock = i64::from(self.clock(at));
        let arrival = clock - i64::try_from(media_end / 48).unwrap_or(i64::MAX);
        while self.arrivals.back().is_some_and(|(_, later)| *later >= arrival) {
            self.arrivals.pop_back();
        }
        self.arrivals.push_back((clock, arrival));
        while self.arrivals.front().is_some_and(|(came, _)| *came < clock - WINDOW_MS) {
            self.arrivals.pop_front();
        }
        self.arrivals.front().map_or(0, |(_, earliest)| u32::try_from(arrival - earliest).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
