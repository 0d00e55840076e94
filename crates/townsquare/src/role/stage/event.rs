//! One event as the control thread holds it: its stage, its journal, and where its sessions sit.

use super::mixing::DeskId;
use super::recording::fault_of;
use super::words::{ConsoleLine, Done, Reply};
use ::stage::{Now, Phase, Schedule, SessionId, Stage};
use audio::mix::{INPUTS, Input};
use base::journal::{Entry, What};
use base::plan::Speak;
use base::{EventId, FaultKind, FragmentNumber, ParticipantId, Rung};
use programme::Announcement;
use programme::cuts::{Cut, Cuts};
use programme::journal::{self, Journal};
use rustix::fs::FlockOperation;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Fragments of the recording in a second.
const SLOTS_PER_SECOND: u64 = 5;

/// A rung goes on this long after its last listener, so that one who comes and goes does not turn it off and on.
const RUNG_LINGERS: Duration = Duration::from_secs(30);

/// Somebody's microphone on the desk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seated {
    pub session: SessionId,
    pub participant: ParticipantId,
}

/// What is done once the recorder has said which fragment it fills.
pub(super) enum Marked {
    /// The event itself begins there.
    Begin,
    /// The hold sound begins there.
    Hold,
    /// So many seconds before it are silenced.
    Cut { seconds: u64, reply: Reply<Done> },
}

/// What the stage goes by of an announcement.
pub(super) fn schedule(announcement: &Announcement) -> Schedule {
    let minutes = |minutes: u32| u64::from(minutes) * 60_000;
    let plan = &announcement.plan;
    Schedule {
        start_at: announcement.start_at,
        doors_ms: minutes(plan.doors_minutes),
        empty_ms: minutes(plan.empty_minutes),
        hands: plan.speak == Speak::Hands,
    }
}

/// One event.
pub(super) struct Event {
    pub stage: Stage,
    pub title: String,
    /// Whether each speaker is recorded by themselves, too.
    pub records_tracks: bool,
    pub desk: DeskId,
    pub seats: [Option<Seated>; INPUTS],
    next_seat: usize,
    pub monitors: Vec<SessionId>,
    /// Where each control stream's lines go.
    pub consoles: BTreeMap<SessionId, mpsc::Sender<ConsoleLine>>,
    /// Who waits for the end.
    pub ending: Vec<Reply<Done>>,
    /// Who waits for the begin.
    pub beginning: Vec<Reply<Done>>,
    /// What the recorder is asked for, in this order.
    pub marks: VecDeque<Marked>,
    dir: PathBuf,
    /// By how many slots listeners are behind.
    delay_slots: u64,
    /// By how many each rung is heard.
    by_rung: BTreeMap<Rung, u32>,
    /// Until when a rung besides the recording is encoded, in the order of [`Rung::ALL`].
    rungs_until: [Option<Instant>; 3],
    journal: File,
    /// What could not be written, to be written first of all.
    unwritten: Vec<u8>,
    /// Whether the journal could not be written when it was last tried.
    is_stuck: bool,
}

impl Event {
    /// Reads an event that people come to.
    pub(super) fn load(dir: &Path, id: EventId, desk: DeskId, now: Now) -> Result<Self, FaultKind> {
        let announcement = read_announcement(dir, id)?;
        let (file, journal) = open_journal(&dir.join("journal")).map_err(|error| unreadable(id, &error, fault_of(&error)))?;
        let stage = Stage::restore(now, id, announcement.created_at, schedule(&announcement), &journal.entries);
        if stage.phase() == Phase::Ended {
            return Err(FaultKind::EventEnded);
        }
        Ok(Self {
            stage,
            delay_slots: delay_slots(&announcement),
            dir: dir.to_owned(),
            title: announcement.title,
            records_tracks: announcement.plan.record_tracks,
            desk,
            seats: [None; INPUTS],
            next_seat: 0,
            monitors: Vec::new(),
            consoles: BTreeMap::new(),
            ending: Vec::new(),
            beginning: Vec::new(),
            marks: VecDeque::new(),
            by_rung: BTreeMap::new(),
            rungs_until: [None; 3],
            journal: file,
            unwritten: Vec::new(),
            is_stuck: false,
        })
    }

    /// Reads the announcement again; what of it the stage goes by.
    pub(super) fn announced(&mut self, id: EventId) -> Result<Schedule, FaultKind> {
        let announcement = read_announcement(&self.dir, id)?;
        self.delay_slots = delay_slots(&announcement);
        let schedule = schedule(&announcement);
        self.title = announcement.title;
        Ok(schedule)
    }

    /// Silences the last seconds before the fragment that is being filled, and that one, in every view; says how much that is, and how
    /// much of it had been published.
    pub(super) fn cut(&mut self, filling: FragmentNumber, seconds: u64) -> io::Result<Done> {
        let from = FragmentNumber(filling.0.saturating_sub(seconds * SLOTS_PER_SECOND));
        let to = FragmentNumber(filling.0 + 1);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(self.dir.join("cuts"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // Half a record would hide what comes after it.
        file.set_len(Cuts::whole(&bytes).len() as u64)?;
        file.write_all(&Cuts::record(Cut { from, to }))?;
        file.sync_all()?;
        if bytes.is_empty() {
            File::open(&self.dir)?.sync_all()?;
        }
        let published = filling.0.saturating_sub(self.delay_slots).saturating_sub(from.0);
        let millis = |slots: u64| slots * 1_000 / SLOTS_PER_SECOND;
        Ok(Done::Cut { cut_ms: millis(to.0 - from.0), heard_ms: millis(published) })
    }

    /// Appends entries and syncs them. What is noted now and then alone waits for the next decision's sync: a crash of the stage takes
    /// nothing of what is written, and a slow disk holds nobody up every other second. What was decided on a full disk holds all the same,
    /// and is kept once there is room again: the alarm says meanwhile that nothing is.
    pub(super) fn write_down(&mut self, id: EventId, entries: &[&Entry]) {
        if entries.is_empty() && self.unwritten.is_empty() {
            return;
        }
        let in_bytes = |entries: &[&Entry]| -> Vec<u8> { entries.iter().flat_map(|entry| journal::record(entry)).collect() };
        let decisions: Vec<&Entry> = entries.iter().copied().filter(|entry| !matches!(entry.what, What::Spoken { .. })).collect();
        let records = [self.unwritten.clone(), in_bytes(entries)].concat();
        let written = self.append(&records, !self.unwritten.is_empty() || !decisions.is_empty());
        match &written {
            Err(error) if !self.is_stuck => tracing::error!(event = %id, %error, "the journal can't be written"),
            Ok(()) if self.is_stuck => tracing::info!(event = %id, "the journal is written again"),
            Ok(()) | Err(_) => {}
        }
        self.is_stuck = written.is_err();
        // Who has talked how long comes again anyhow.
        if self.is_stuck { self.unwritten.extend(in_bytes(&decisions)) } else { self.unwritten.clear() }
    }

    fn append(&mut self, records: &[u8], sync: bool) -> io::Result<()> {
        let end = self.journal.seek(SeekFrom::End(0))?;
        let written = self.journal.write_all(records).and_then(|()| if sync { self.journal.sync_data() } else { Ok(()) });
        if written.is_err() {
            // Half a record would hide what comes after it.
            let _ = self.journal.set_len(end);
        }
        written
    }

    /// Whether something that was decided could not be written yet.
    pub(super) const fn is_behind(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// What the journal says by now.
    pub(super) fn read_journal(&mut self) -> io::Result<Journal> {
        let mut bytes = Vec::new();
        self.journal.seek(SeekFrom::Start(0))?;
        self.journal.read_to_end(&mut bytes)?;
        Ok(Journal::read(&bytes))
    }

    /// A free input, not the one that was left last: its voice may still fade.
    pub(super) fn free_input(&mut self) -> Option<Input> {
        let place = (0..INPUTS).map(|step| (self.next_seat + step) % INPUTS).find(|place| self.seats[*place].is_none())?;
        self.next_seat = (place + 1) % INPUTS;
        Input::new(place)
    }

    /// The input that a session speaks into.
    pub(super) fn input_of(&self, session: SessionId) -> Option<Input> {
        Input::all().find(|input| self.seats[input.number()].is_some_and(|seat| seat.session == session))
    }

    /// Sends a line to every console; gives those that are gone or don't read.
    pub(super) fn say(&self, line: impl Fn(SessionId) -> ConsoleLine) -> Vec<SessionId> {
        self.consoles.iter().filter(|(id, lines)| lines.try_send(line(**id)).is_err()).map(|(id, _)| *id).collect()
    }

    /// Takes by how many each rung is heard; gives how many listen.
    pub(super) fn set_listening(&mut self, by_rung: Vec<(Rung, u32)>) -> u32 {
        self.by_rung = by_rung.into_iter().collect();
        self.by_rung.values().fold(0, |sum, more| sum.saturating_add(*more))
    }

    /// The rungs to turn on or off now.
    pub(super) fn turn_rungs(&mut self, now: Instant) -> Vec<(Rung, bool)> {
        let mut changes = Vec::new();
        for (until, rung) in self.rungs_until.iter_mut().zip(Rung::ALL).skip(1) {
            if self.by_rung.get(&rung).is_some_and(|listeners| *listeners > 0) {
                if until.replace(now + RUNG_LINGERS).is_none() {
                    changes.push((rung, true));
                }
            } else if until.is_some_and(|until| until <= now) {
                *until = None;
                changes.push((rung, false));
            }
        }
        changes
    }
}

fn read_announcement(dir: &Path, id: EventId) -> Result<Announcement, FaultKind> {
    match std::fs::read(dir.join("event.json")) {
        Ok(bytes) => Announcement::read(&bytes).map_err(|error| unreadable(id, &error, FaultKind::Internal)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FaultKind::EventUnknown),
        Err(error) => Err(unreadable(id, &error, fault_of(&error))),
    }
}

const fn delay_slots(announcement: &Announcement) -> u64 {
    announcement.plan.delay.seconds() * SLOTS_PER_SECOND
}

/// Opens a journal for appending, alone, and cuts off what a crash left behind its last whole record.
fn open_journal(path: &Path) -> io::Result<(File, Journal)> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let journal = Journal::read(&bytes);
    if bytes.len() as u64 > journal.bytes {
        file.set_len(journal.bytes)?;
        file.sync_data()?;
    }
    if bytes.is_empty()
        && let Some(dir) = path.parent()
    {
        File::open(dir)?.sync_all()?;
    }
    Ok((file, journal))
}

fn unreadable(event: EventId, error: &dyn std::error::Error, fault: FaultKind) -> FaultKind {
    tracing::error!(%event, %error, "an event can't be read");
    fault
}

#[cfg(test)]
mod tests;
