//! One event as a relay knows it: what was announced, the files that grow, and how much of them is published.

mod copy;
mod files;
mod media;
mod views;

use crate::body::{Run, Runs};
use crate::rota::{Rota, Seat};
use crate::stream::OpeningKey;
use base::cadence::SLOT_MILLIS;
use base::{Cadence, EventId, FaultKind, FragmentNumber, Place, Rung, UnixMillis, Visibility};
pub(crate) use copy::Told;
use files::Files;
pub(crate) use media::{Absent, Media};
use programme::journal::Journal;
use programme::view::{self, Extent, Programme};
use programme::{Announcement, Cuts, Index, fragment};
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};
use views::Shelf;
pub(crate) use views::{Found, Keep, Thing};

/// Slots sent at once to who is far behind: one TLS record's worth of rung 64.
const CHUNK_SLOTS: u64 = 8;

/// Bytes of chunks that many listeners share, the newest last: a turn of every rung and cadence, and what those who join are sent.
const CHUNKS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Slots by which a rung's fragments may be sealed later than the recording's: the encoders' order is not fixed.
const GRACE_SLOTS: u64 = 2;

/// How far an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing is published yet.
    Waiting,
    /// It goes on.
    Live,
    /// All of it is published and nothing follows.
    Ended,
}

/// A connection that belongs to an event: its key, and its serial so that a key used again is told apart.
pub(crate) type Member = (u32, u32);

/// Whole fragments from a number on, for who asked for a rung, behind the cadence that they are told.
#[derive(Clone)]
struct Chunk {
    asked: Rung,
    from: FragmentNumber,
    announced: Option<Cadence>,
    next: FragmentNumber,
    bytes: Rc<[u8]>,
    /// What the event's version was: nothing longer can be had before it changes.
    version: u64,
}

/// What streams that begin alike are sent first, as long as the event does not change.
struct Opening {
    key: OpeningKey,
    /// Bytes of the answer's head, which are the first.
    head: usize,
    bytes: Rc<[u8]>,
    next: FragmentNumber,
}

/// Openings that are kept: each rung, each way to begin, and those who come again.
const OPENINGS_KEPT: usize = 16;

/// How far an event is that has no programme: its journal alone says it.
#[derive(Default)]
struct Unheard {
    opened: bool,
    over: bool,
}

/// Tickets that hosts have barred.
#[derive(Default)]
struct Barred {
    /// In order.
    tickets: Vec<u64>,
    /// Some are new since they were last looked at.
    is_news: bool,
}

/// What became of an ended event's recording (the file `withheld`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Withheld {
    /// Everybody hears it who hears the event.
    No,
    /// Who runs the event hears it.
    Hidden,
    /// It is gone.
    Deleted,
}

/// One event.
pub(crate) struct Event {
    pub(crate) id: EventId,
    announcement: Announcement,
    /// When its file was written, once that was looked at.
    announced: Option<SystemTime>,
    directory: PathBuf,
    memory: PathBuf,
    indexes: [Index; 3],
    files: [Files; 3],
    cuts: Cuts,
    cuts_bytes: u64,
    /// Whether the recording is kept from listeners.
    withheld: Withheld,
    /// What the journal of an event says of which nothing was heard yet.
    unheard: Unheard,
    barred: Barred,
    /// How long the journal was, and how much of it are records that were read.
    journal_bytes: u64,
    journal_read: u64,
    /// Everything before it is published.
    mark: FragmentNumber,
    phase: Phase,
    /// The rungs that have grown since their listeners had a turn.
    grew: [bool; 3],
    /// When the newest fragment was seen.
    grown: Instant,
    chunks: VecDeque<Chunk>,
    openings: VecDeque<Opening>,
    /// Grows with every change that a listener could see.
    version: u64,
    shelf: Shelf,
    copies: VecDeque<copy::CopyChunk>,
    public: copy::Public,
    /// Blocks of a copy that somebody waits for.
    pub(crate) missing: BTreeSet<(Rung, u64)>,
    /// Endless streams, and whose turn it is.
    pub(crate) rota: Rota,
    /// How many endless streams there are.
    pub(crate) streams: usize,
    /// How many there ever were.
    ordinals: u32,
    /// When it was first seen that all of it is published and nothing follows.
    ended: Option<Instant>,
    /// Held requests.
    pub(crate) waiters: Vec<Member>,
    /// Playlists rendered since they were last counted.
    pub(crate) renders: u64,
    /// Endless streams that count, by the rung they asked for, in the order of [`Rung::ALL`].
    pub(crate) counts: [u32; 3],
    /// When somebody last asked for it.
    pub(crate) used: Instant,
}

impl Event {
    /// Opens an event from its directories. `idle` is how long its files have not been written.
    ///
    /// # Errors
    /// There is no such event, or its announcement can't be read.
    pub(crate) fn open(id: EventId, events: &Path, spill: &Path, now: Instant, wall: UnixMillis) -> Result<Self, FaultKind> {
        let directory = events.join(id.to_string());
        let announcement = match std::fs::read(directory.join("event.json")) {
            Ok(bytes) => Announcement::read(&bytes).map_err(|error| unusable(id, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FaultKind::EventUnknown),
            Err(error) => Err(unusable(id, &error)),
        }?;
        let memory = spill.join(id.to_string());
        let idle = idle(&[&directory, &memory], wall);
        Ok(Self {
            id,
            announcement,
            announced: None,
            directory,
            memory,
            indexes: Rung::ALL.map(Index::new),
            files: Default::default(),
            cuts: Cuts::default(),
            cuts_bytes: 0,
            withheld: Withheld::No,
            unheard: Unheard::default(),
            barred: Barred::default(),
            journal_bytes: 0,
            journal_read: 0,
            mark: FragmentNumber(0),
            phase: Phase::Waiting,
            grew: [false; 3],
            grown: now.checked_sub(idle).unwrap_or(now),
            chunks: VecDeque::new(),
            openings: VecDeque::new(),
            version: 0,
            shelf: Shelf::default(),
            copies: VecDeque::new(),
            public: copy::Public::default(),
            missing: BTreeSet::new(),
            rota: Rota::default(),
            streams: 0,
            ordinals: 0,
            ended: None,
            waiters: Vec::new(),
            renders: 0,
            counts: [0; 3],
            used: now,
        })
    }

    /// The directories in which its files appear.
    pub(crate) fn directories(&self) -> [&Path; 2] {
        [&self.directory, &self.memory]
    }

    pub(crate) fn is_private(&self) -> bool {
        self.announcement.visibility == Visibility::Private
    }

    /// Whether a connection hangs on it.
    pub(crate) fn is_used(&self) -> bool {
        self.streams > 0 || !self.waiters.is_empty()
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.files.iter().map(Files::descriptors).sum()
    }

    /// Reads what is new; whether a listener could see a difference.
    ///
    /// # Errors
    /// A file is there and can't be read.
    pub(crate) fn poll(&mut self, now: Instant, scratch: &mut Vec<u8>) -> io::Result<bool> {
        self.poll_announcement();
        let sealed = self.indexes[0].sealed_end();
        let mut fresh = self.poll_withheld() | self.poll_cuts()? | self.poll_journal()?;
        for (rung, (files, index)) in self.files.iter_mut().zip(&mut self.indexes).enumerate() {
            let has_grown = files.poll(index, &self.directory, &self.memory, scratch)?;
            self.grew[rung] |= has_grown;
            fresh |= has_grown;
        }
        let is_first = self.version == 0;
        if self.indexes[0].sealed_end() != sealed && !is_first {
            self.grown = now;
        }
        let idle = u64::try_from(now.saturating_duration_since(self.grown).as_millis()).unwrap_or(u64::MAX / 5);
        let mark = view::published(&self.indexes[0], self.announcement.plan.delay, idle);
        fresh |= self.look_for_missing() | (mark != self.mark) | is_first;
        self.mark = mark;
        self.phase = self.look_at_phase();
        if is_first {
            self.rota.begin(Rung::ALL.map(|rung| self.reach(rung)));
        }
        self.ended = if self.phase == Phase::Ended { self.ended.or(Some(now)) } else { None };
        if fresh {
            self.version += 1;
            self.openings.clear();
        }
        Ok(fresh)
    }

    /// Until the first fragment is there the announcement may change: who may hear it, and how far behind.
    fn poll_announcement(&mut self) {
        if self.indexes[0].first().is_some() {
            return;
        }
        let path = self.directory.join("event.json");
        let written = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
        if written == self.announced {
            return;
        }
        // One that can't be read now leaves what was read before: it is written whole, so the next look finds it.
        if let Some(announcement) = std::fs::read(&path).ok().and_then(|bytes| Announcement::read(&bytes).ok()) {
            self.announcement = announcement;
            self.announced = written;
        }
    }

    /// Until the first fragment is there the journal is looked at: whether it is about to come, or never will. A private event's says who is
    /// barred, for as long as there is something to hear. True when any of it has changed.
    fn poll_journal(&mut self) -> io::Result<bool> {
        let is_unheard = self.indexes[0].first().is_none();
        if !is_unheard && !self.is_private() {
            return Ok(false);
        }
        let path = self.directory.join("journal");
        let length = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if length == self.journal_bytes {
            return Ok(false);
        }
        self.journal_bytes = length;
        let mut file = File::open(path)?;
        let mut read = |from| -> io::Result<Journal> {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut bytes)?;
            Ok(Journal::read(&bytes))
        };
        let mut journal = read(self.journal_read)?;
        if journal.bytes == 0 && self.journal_read > 0 {
            // Half a record, or one that was cut back when the disk was full, and others in its place: it is read from the beginning.
            self.journal_read = 0;
            journal = read(0)?;
        }
        self.journal_read += journal.bytes;
        let known = self.barred.tickets.len();
        self.barred.tickets.extend(journal.barred());
        self.barred.tickets.sort_unstable();
        self.barred.tickets.dedup();
        let is_news = self.barred.tickets.len() > known;
        self.barred.is_news |= is_news;
        let (before, now) = (&self.unheard, (journal.epochs().next().is_some(), journal.end().is_some()));
        let now = Unheard { opened: before.opened || now.0, over: before.over || now.1 };
        let before = std::mem::replace(&mut self.unheard, now);
        Ok(is_news || (is_unheard && (before.opened, before.over) != (self.unheard.opened, self.unheard.over)))
    }

    /// Whether a host has barred this ticket.
    pub(crate) fn bars(&self, ticket: u64) -> bool {
        self.barred.tickets.binary_search(&ticket).is_ok()
    }

    /// Whether more are barred than when this was last asked.
    pub(crate) fn takes_bars(&mut self) -> bool {
        std::mem::take(&mut self.barred.is_news)
    }

    /// Whether it went live and nothing of it is published yet.
    pub(crate) fn is_opening(&self) -> bool {
        self.phase == Phase::Waiting && self.unheard.opened && !self.unheard.over
    }

    /// Why there is nothing to hear while [`Phase::Waiting`].
    pub(crate) const fn nothing_yet(&self) -> FaultKind {
        if self.unheard.over { FaultKind::EventEnded } else { FaultKind::EventNotLive }
    }

    /// Milliseconds from now until its doors open; 0 when nobody said when that is.
    pub(crate) fn millis_to_doors(&self, wall: UnixMillis) -> u64 {
        let doors = |start: UnixMillis| start.0.saturating_sub(i64::from(self.announcement.plan.doors_minutes) * 60_000);
        self.announcement.start_at.map_or(0, |start| u64::try_from(doors(start).saturating_sub(wall.0)).unwrap_or(0))
    }

    /// Whether the recording is kept from listeners.
    pub(crate) fn is_withheld(&self) -> bool {
        self.withheld != Withheld::No
    }

    /// Whether the owner took the recording back. Only who is over is asked: while it is live there is no recording to take back.
    fn poll_withheld(&mut self) -> bool {
        if self.indexes[0].end().is_none() && self.withheld == Withheld::No {
            return false;
        }
        let now = match std::fs::read(self.directory.join("withheld")) {
            Ok(word) if word.starts_with(b"deleted") => Withheld::Deleted,
            Ok(_) => Withheld::Hidden,
            Err(_) => Withheld::No,
        };
        if now == Withheld::Deleted && self.withheld != now {
            // Descriptors go too, or the disk would not get its room back.
            self.files = <[Files; 3]>::default();
            self.indexes = Rung::ALL.map(Index::new);
            self.shelf = Shelf::default();
            self.chunks.clear();
        }
        std::mem::replace(&mut self.withheld, now) != now
    }

    fn poll_cuts(&mut self) -> io::Result<bool> {
        let path = self.directory.join("cuts");
        let length = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if length == self.cuts_bytes {
            return Ok(false);
        }
        self.cuts = if length == 0 { Cuts::default() } else { Cuts::read(&std::fs::read(path)?) };
        self.cuts_bytes = length;
        self.chunks.clear();
        Ok(true)
    }

    /// What may be heard now.
    pub(crate) const fn programme(&self) -> Programme<'_> {
        Programme { rungs: &self.indexes, cuts: &self.cuts, published: self.mark }
    }

    pub(crate) const fn phase(&self) -> Phase {
        self.phase
    }

    fn look_at_phase(&self) -> Phase {
        if self.programme().has_ended() {
            Phase::Ended
        } else if self.newest().is_some() {
            Phase::Live
        } else {
            Phase::Waiting
        }
    }

    /// Everything before it is published.
    pub(crate) const fn mark(&self) -> FragmentNumber {
        self.mark
    }

    /// The newest published fragment of the recording.
    pub(crate) fn newest(&self) -> Option<Place> {
        let index = &self.indexes[0];
        let before = FragmentNumber(self.mark.0.checked_sub(1)?);
        // Where the mark stands in a hole there is none right before it, and the hole's epoch is that of what follows.
        let (_, entry) = index.at_or_after(before)?;
        (index.first()?.number < self.mark).then_some(Place { epoch: entry.epoch, number: before })
    }

    /// Gives those a turn for whom there is something new, group by group. When the event is over its slots go on by the clock until
    /// everybody has had a last turn: as evenly as before, and before anybody's store runs out.
    pub(crate) fn turn(&mut self, now: Instant, mut due: impl FnMut(Seat)) {
        let over = self.ended.map_or(0, |since| {
            let slots = u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX) / SLOT_MILLIS;
            slots.min(Cadence::SLOWEST.slots())
        });
        for rung in Rung::ALL {
            let reach = self.reach(rung);
            self.rota.turn(rung, FragmentNumber(reach.0 + over), self.grew[rung.place()], &mut due);
        }
        self.grew = [false; 3];
    }

    /// Whether it is over and has listeners who wait for their last turn.
    pub(crate) const fn is_ending(&self) -> bool {
        self.ended.is_some() && self.streams > 0
    }

    /// Up to where a rung's listeners are sent to: the mark; a little less where the rung is just about to have what the recording has.
    fn reach(&self, rung: Rung) -> FragmentNumber {
        let sealed = self.indexes[rung.place()].sealed_end();
        let is_about = self.ended.is_none() && sealed < self.mark && self.mark.0 - sealed.0 <= GRACE_SLOTS;
        if is_about && rung.slots_per_fragment() == 1 { sealed } else { self.mark }
    }

    /// Counts one more stream: its number.
    pub(crate) const fn next_ordinal(&mut self) -> u32 {
        self.ordinals = self.ordinals.wrapping_add(1);
        self.ordinals
    }

    /// The fragments that follow for who asked for a rung, and the number after them: all there are for who `is_near` the edge, else as many
    /// as are sent at once. In front of them stands the cadence that is announced.
    ///
    /// # Errors
    /// The bytes can't be read.
    pub(crate) fn chunk(
        &mut self,
        asked: Rung,
        from: FragmentNumber,
        is_near: bool,
        announced: Option<Cadence>,
    ) -> io::Result<Option<(Rc<[u8]>, FragmentNumber)>> {
        let to = if is_near { self.mark } else { FragmentNumber(from.0.saturating_add(CHUNK_SLOTS)).min(self.mark) };
        if to <= from {
            return Ok(None);
        }
        let kept = self.chunks.iter().rev().find(|chunk| {
            let is_whole = chunk.next >= to || chunk.version == self.version;
            chunk.from == from && chunk.asked == asked && chunk.announced == announced && is_whole
        });
        if let Some(chunk) = kept {
            return Ok(Some((Rc::clone(&chunk.bytes), chunk.next)));
        }
        let (extents, next) = self.programme().extents(asked, from, to);
        if next == from {
            return Ok(None);
        }
        let mut bytes = announced.map_or_else(Vec::new, |cadence| fragment::cadence(from, cadence));
        let (runs, before) = (self.runs(extents)?, bytes.len());
        let mut span = Vec::new();
        while let read = (bytes.len() - before) as u64
            && read < runs.length()
        {
            runs.read(read..runs.length(), &mut span, &mut bytes)?;
        }
        let chunk = Chunk { asked, from, announced, next, bytes: bytes.into(), version: self.version };
        self.chunks.push_back(chunk.clone());
        let mut kept: usize = self.chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        while kept > CHUNKS_BYTES_MAX && self.chunks.len() > 1 {
            kept -= self.chunks.pop_front().map_or(0, |chunk| chunk.bytes.len());
        }
        Ok(Some((chunk.bytes, next)))
    }

    /// What a stream that begins like this is sent first, and the number after it: what another was just sent, else what `make` gives.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn opening(
        &mut self,
        key: OpeningKey,
        head: &[u8],
        make: impl FnOnce(&mut Self) -> io::Result<(Rc<[u8]>, FragmentNumber)>,
    ) -> io::Result<(Rc<[u8]>, FragmentNumber)> {
        let is_same = |one: &&Opening| one.key == key && one.head == head.len() && one.bytes.starts_with(head);
        if let Some(kept) = self.openings.iter().find(is_same) {
            return Ok((Rc::clone(&kept.bytes), kept.next));
        }
        let (bytes, next) = make(self)?;
        self.openings.truncate(OPENINGS_KEPT - 1);
        self.openings.push_front(Opening { key, head: head.len(), bytes: Rc::clone(&bytes), next });
        Ok((bytes, next))
    }

    /// A view's extents as runs of open files.
    fn runs(&self, extents: Vec<Extent>) -> io::Result<Runs> {
        let mut runs = Runs::default();
        for extent in extents {
            runs.push(match extent {
                Extent::File { rung, source, offset, length } => self.files[rung.place()].run(source, offset, length)?,
                Extent::Inline(bytes) => Run::Bytes(bytes.as_ref().into()),
            });
        }
        Ok(runs)
    }
}

fn unusable(event: EventId, error: &dyn std::error::Error) -> FaultKind {
    tracing::warn!(%event, %error, "an announcement can't be read");
    FaultKind::Internal
}

/// How long ago the recording was written, so that a worker which opens an ended event late does not hold back its delay again.
fn idle(directories: &[&Path], wall: UnixMillis) -> Duration {
    let modified = directories.iter().filter_map(|at| std::fs::metadata(at.join("64.idx")).ok()?.modified().ok()).max();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let now = Duration::from_millis(u64::try_from(wall.0).unwrap_or(0));
    since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
}
