//! What was heard: fragments, gaps, how far behind; and whether it came in time for a player that follows the cadence.

use super::demux::Piece;
use super::number_at;
use base::time::FRAGMENT_SAMPLES;
use base::{Cadence, FragmentNumber};
use rehearsal::Store;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// Fragments among which the one that came earliest tells where the live edge is. Not all: a stage that was away leaves
/// the programme's time behind the clock's for good.
const WINDOW: usize = 50;

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
    /// How much later than the earliest a fragment came, in milliseconds: the median.
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
    /// The newest fragment when the connection was made: what is older is past, not late.
    edge: FragmentNumber,
    /// Arrival without media time of the newest fragments, in milliseconds, the oldest first.
    arrivals: VecDeque<i64>,
    behind: Vec<u32>,
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
            edge: FragmentNumber(0),
            arrivals: VecDeque::new(),
            behind: Vec::new(),
        }
    }

    /// A connection was made, at a relay that has everything up to `edge`. Gives its number.
    pub(super) fn connected(&mut self, edge: Option<FragmentNumber>) -> u64 {
        self.edge = edge.unwrap_or(FragmentNumber(0));
        self.arrivals.clear();
        if edge.is_some() {
            self.arrive(Instant::now(), (self.edge.0 + 1) * FRAGMENT_SAMPLES);
        }
        self.store.connected(self.clock(Instant::now()));
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
        let arrival = self.arrive(at, piece.end());
        if number_at(piece.start) > self.edge {
            let earliest = self.arrivals.iter().min().copied().unwrap_or(arrival);
            self.behind.push(u32::try_from(arrival - earliest).unwrap_or(u32::MAX));
        }
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

    /// How late the newest fragment was.
    pub(super) fn behind_now(&self) -> Duration {
        Duration::from_millis(self.behind.last().copied().unwrap_or(0).into())
    }

    pub(super) fn report(&self, seconds: f64) -> Report {
        let mut behind = self.behind.clone();
        behind.sort_unstable();
        Report {
            first_audio_ms: self.first_sound.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            fragments: self.fragments,
            gaps: self.gaps,
            stalls: self.stalls,
            cadence_ms: self.store.wanted_ms(),
            bytes: self.bytes,
            behind_live_ms: behind.get(behind.len() / 2).copied().unwrap_or(0).into(),
        }
    }

    /// Milliseconds since the command began.
    fn clock(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX)
    }

    fn arrive(&mut self, at: Instant, media_end: u64) -> i64 {
        let clock = i64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(i64::MAX);
        let arrival = clock - i64::try_from(media_end / 48).unwrap_or(i64::MAX);
        self.arrivals.push_back(arrival);
        if self.arrivals.len() > WINDOW {
            self.arrivals.pop_front();
        }
        arrival
    }
}
