//! The control thread: it owns every event's stage, performs what the stages say, and syncs the journal before it answers.

mod facts;
mod marks;

use super::agenda::Agenda;
use super::console;
use super::encoding::ToEncoder;
use super::event::{Event, Marked, Seated};
use super::guests::Guests;
use super::metrics::Metrics;
use super::mixing::{DeskId, Place};
use super::network::{Network, ToNetwork};
use super::recorder::ToRecorder;
use super::recording::{Opened, Recording, fault_of, forget_memory};
use super::words::{Done, InputLevel, Reply, Report, Request, Seat};
use crate::data;
use crate::link::Standing;
use ::stage::{Action, Input, Loudness, MediaUse, Mix, Now, Output, Phase, SessionId, SessionKind, Who};
use base::fact::Fact;
use base::limit::LIVE_EVENTS_MAX;
use base::{EventId, FaultKind, ParticipantId, Rung, UnixMillis};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};

/// Between two beats of every control stream.
const BEAT: Duration = Duration::from_secs(1);

/// The way to one encoder thread.
pub(super) struct EncoderLine {
    pub orders: SyncSender<ToEncoder>,
    pub thread: Thread,
}

/// Where things lie and who is to be told.
pub(super) struct World {
    /// `data/events`.
    pub events: PathBuf,
    /// Where sound goes while the disk is full.
    pub memory: PathBuf,
    /// The machine's boot.
    pub boot: String,
    /// Tells the other roles.
    pub tell: Box<dyn Fn(Fact) + Send>,
    /// Where media go over UDP.
    pub port: u16,
    /// Where HTTP looks for listeners who may come on stage.
    pub guests: Arc<Guests>,
}

/// The control thread's state.
pub(super) struct Control {
    world: World,
    network: Network,
    encoders: Vec<EncoderLine>,
    recorder: SyncSender<ToRecorder>,
    metrics: Arc<Metrics>,
    events: BTreeMap<EventId, Event>,
    agenda: Agenda,
    /// What the other roles said and have not taken back.
    said: Standing,
    serial: u64,
}

/// What came of one input to a stage.
#[derive(Default)]
struct Outcome {
    refused: Option<FaultKind>,
    /// Why the programme could not be opened.
    unopened: Option<FaultKind>,
    /// So many seconds are to be silenced.
    cut: Option<u64>,
}

impl Outcome {
    fn result(&self) -> Result<(), FaultKind> {
        self.refused.map_or(Ok(()), Err)
    }
}

impl Control {
    pub(super) fn new(
        world: World,
        network: Network,
        encoders: Vec<EncoderLine>,
        recorder: SyncSender<ToRecorder>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            world,
            network,
            encoders,
            recorder,
            metrics,
            events: BTreeMap::new(),
            agenda: Agenda::default(),
            said: Standing::default(),
            serial: 0,
        }
    }

    /// Goes on with what a stage before this one left open, then serves until told to stop.
    pub(super) fn run(mut self, reports: &Receiver<Report>) {
        self.resume();
        self.read_agenda();
        let mut beat = Instant::now() + BEAT;
        loop {
            let deadlines = self.events.values().filter_map(|event| event.stage.deadline());
            let doors = self.agenda.deadline(Instant::now(), now().wall);
            let due = deadlines.chain(doors).chain([beat]).min().unwrap_or(beat);
            match reports.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Report::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(report) => self.take(report),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.open_doors();
            let now = Instant::now();
            self.tick_stages(now);
            if beat <= now {
                beat = now + BEAT;
                self.every_second(now);
            }
        }
    }

    /// Every event whose journal has an epoch and no end.
    fn resume(&mut self) {
        let Ok(events) = std::fs::read_dir(&self.world.events) else { return };
        let ids = events.filter_map(|dir| dir.ok()?.file_name().to_str()?.parse::<EventId>().ok());
        let on_air: Vec<EventId> = ids.filter(|id| self.is_on_air(*id)).collect();
        for dir in std::fs::read_dir(&self.world.memory).into_iter().flatten().flatten() {
            // Nobody listens any more to what is left of the others.
            if !on_air.iter().any(|id| dir.file_name() == *id.to_string()) {
                forget_memory(&dir.path());
            }
        }
        for id in on_air {
            if let Err(fault) = self.load(id) {
                tracing::error!(event = %id, code = fault.code(), "a live event can't go on");
                continue;
            }
            self.drive(id, Input::Tick);
            if let Err(error) = self.open_programme(id) {
                tracing::error!(event = %id, error = format!("{error:#}"), "a live event can't go on");
            }
        }
    }

    fn is_on_air(&self, id: EventId) -> bool {
        let dir = self.world.events.join(id.to_string());
        if data::says_over(&dir) {
            return false;
        }
        let journal = programme::journal::Journal::read(&std::fs::read(dir.join("journal")).unwrap_or_default());
        journal.end().is_none() && journal.epochs().next().is_some()
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Request(request) => self.answer(request),
            Report::SessionConnected(event, session) => {
                self.drive(event, Input::Connected(session));
            }
            Report::SessionClosed(event, session) => self.closed(event, session),
            Report::Levels(desk, levels) => self.levels(desk, &levels),
            Report::Connection(event, session, connection, heard) => {
                self.drive(event, Input::Connection { session, connection, heard });
            }
            Report::RecordingStopped(desk, first_lost) => {
                if let Some(id) = self.event_at(desk) {
                    self.drive(id, Input::RecordingStopped { first_lost });
                }
            }
            Report::Marked(desk, filling) => {
                if let Some(id) = self.event_at(desk) {
                    self.marked(id, filling);
                }
            }
            Report::ProgrammeClosed(desk, end) => {
                if let Some(id) = self.event_at(desk) {
                    self.drive(id, Input::ProgrammeClosed { end });
                    for reply in self.events.get_mut(&id).map(|event| std::mem::take(&mut event.ending)).unwrap_or_default() {
                        // Who asked may have gone.
                        let _ = reply.send(Ok(Done::Done));
                    }
                    self.leave_if_idle(id);
                }
            }
            Report::Fact(fact) => self.hear(fact),
            Report::Stop => {}
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Call { event, who, kind, session, reply } => {
                let called = self.call(event, who, kind, session);
                if let Err(Ok(session)) = reply.send(called) {
                    // Who asked went away before the answer came.
                    self.network.order(ToNetwork::Close(session));
                    self.closed(event, session);
                }
                self.leave_if_idle(event);
            }
            Request::Console { event, who, lines, reply } => {
                let _ = reply.send(self.console(event, who, lines));
                self.leave_if_idle(event);
            }
            Request::Act { event, who, action, reply } => {
                self.act(event, who, action, reply);
                self.leave_if_idle(event);
            }
            Request::Check { event, who, reply } => {
                self.check(event, &who, reply);
                self.leave_if_idle(event);
            }
            Request::Close { event, session, reply } => {
                let there = self.has(event, session);
                if there.is_ok() {
                    self.network.order(ToNetwork::Close(session));
                    self.closed(event, session);
                }
                let _ = reply.send(there);
            }
            Request::Find { event, session, reply } => {
                let _ = reply.send(self.has(event, session));
            }
        }
    }

    fn call(&mut self, id: EventId, who: Who, kind: SessionKind, call: Box<ingest::Session>) -> Result<SessionId, FaultKind> {
        self.load(id)?;
        let session = SessionId(getrandom::u64().map_err(|_| FaultKind::Internal)?);
        let outcome = self.drive(id, Input::Open { session, who, kind });
        outcome.result()?;
        let event = self.events.get_mut(&id).ok_or(FaultKind::Internal)?;
        let desk = event.desk;
        if kind == SessionKind::Monitor {
            event.monitors.push(session);
            let monitors = event.monitors.len();
            self.encode(desk, ToEncoder::Monitors(desk, monitors));
        }
        let seat = Seat { event: id, desk, input: None, muted: false, on_air: false };
        self.network.order(ToNetwork::Open(session, seat, call));
        Ok(session)
    }

    /// Gives a connected microphone its input on the desk.
    fn seat(&mut self, id: EventId, session: SessionId, participant: ParticipantId, media: MediaUse, muted: bool) {
        let Some(event) = self.events.get_mut(&id) else { return };
        let desk = event.desk;
        let Some(input) = event.free_input() else {
            // There are as many inputs as places on stage, and one microphone for each place.
            tracing::error!(event = %id, "no input for a microphone");
            self.network.order(ToNetwork::Close(session));
            return self.closed(id, session);
        };
        event.seats[input.number()] = Some(Seated { session, participant });
        let track = event.records_tracks.then_some(participant);
        self.encode(desk, ToEncoder::Hears(desk, input, media == MediaUse::SendsAndReceives));
        self.encode(desk, ToEncoder::Track(desk, input, track));
        self.network.order(ToNetwork::Seat(session, input, muted));
    }

    fn console(&mut self, id: EventId, who: Who, lines: tokio::sync::mpsc::Sender<super::words::ConsoleLine>) -> Result<(), FaultKind> {
        self.load(id)?;
        let session = SessionId(getrandom::u64().map_err(|_| FaultKind::Internal)?);
        self.drive(id, Input::Open { session, who, kind: SessionKind::Console }).result()?;
        let event = self.events.get_mut(&id).ok_or(FaultKind::Internal)?;
        let _ = lines.try_send(console::state(&event.stage.view(), &event.title, event.stage.you(session), self.world.port));
        event.consoles.insert(session, lines);
        Ok(())
    }

    fn act(&mut self, id: EventId, who: Who, action: Action, reply: Reply<Done>) {
        let ends = action == Action::End;
        let goes_live = matches!(action, Action::GoLive { .. });
        let outcome = self.load(id).map(|()| self.drive(id, Input::Act { who, action }));
        let done = outcome.as_ref().map_or_else(|fault| Err(*fault), Outcome::result);
        let Outcome { unopened, cut, .. } = outcome.unwrap_or_default();
        if let (Ok(()), Some(seconds)) = (done, cut) {
            return self.mark(id, Marked::Cut { seconds, reply });
        }
        let phase = self.events.get(&id).map(|event| event.stage.phase());
        match (done, self.events.get_mut(&id)) {
            (Ok(()), Some(event)) if ends && event.stage.on_air() => event.ending.push(reply),
            (Ok(()), Some(event)) if goes_live && phase == Some(Phase::Doors) => event.beginning.push(reply),
            (Ok(()), _) if goes_live && phase == Some(Phase::Backstage) => {
                let _ = reply.send(Err(unopened.unwrap_or(FaultKind::Internal)));
            }
            (done, _) => {
                let _ = reply.send(done.map(|()| Done::Done));
            }
        }
    }

    /// Records a moment of somebody's microphone.
    fn check(&mut self, id: EventId, who: &Who, reply: Reply<Vec<u8>>) {
        let place = self.load(id).and_then(|()| {
            let event = self.events.get(&id).ok_or(FaultKind::Internal)?;
            let input = event.stage.microphone_of(who).and_then(|session| event.input_of(session));
            input.map(|input| (event.desk, input)).ok_or(FaultKind::NotFound)
        });
        match place {
            Ok((desk, input)) => self.encode(desk, ToEncoder::Check(desk, input, reply)),
            Err(fault) => drop(reply.send(Err(fault))),
        }
    }

    fn has(&self, id: EventId, session: SessionId) -> Result<(), FaultKind> {
        let event = self.events.get(&id).ok_or(FaultKind::NotFound)?;
        if event.stage.has(session) { Ok(()) } else { Err(FaultKind::NotFound) }
    }

    fn closed(&mut self, id: EventId, session: SessionId) {
        self.drive(id, Input::Closed(session));
        self.forget_session(id, session);
        self.leave_if_idle(id);
    }

    /// Has the event in memory, or says why it can't be.
    fn load(&mut self, id: EventId) -> Result<(), FaultKind> {
        if self.events.contains_key(&id) {
            return Ok(());
        }
        let slot = self.free_slot().or_else(|| self.make_room()).ok_or(FaultKind::EventsFull)?;
        self.serial += 1;
        let desk = DeskId { slot, serial: self.serial };
        let event = Event::load(&self.world.events.join(id.to_string()), id, desk, now())?;
        let place = Place::new(desk, slot % self.encoders.len()).map_err(|error| {
            tracing::error!(%error, "no desk for an event");
            FaultKind::Internal
        })?;
        self.encode(desk, ToEncoder::Add(desk));
        self.network.order(ToNetwork::Add(place.into()));
        // As the stage begins, until it says otherwise: nothing is on the air yet.
        self.network.order(ToNetwork::Hold(desk, true));
        self.events.insert(id, event);
        self.metrics.events.store(self.events.len() as u64, Relaxed);
        self.say_again(id);
        Ok(())
    }

    fn free_slot(&self) -> Option<usize> {
        let taken = |slot: &usize| self.events.values().any(|event| event.desk.slot == *slot);
        (0..LIVE_EVENTS_MAX).find(|slot| !taken(slot))
    }

    /// Those who have talked on the longest after the end of their event give way to one that begins.
    fn make_room(&mut self) -> Option<usize> {
        let (_, id) = self.events.iter().filter_map(|(id, event)| Some((event.stage.talks_until()?, *id))).min()?;
        self.drive(id, Input::Disperse);
        self.leave_if_idle(id);
        self.free_slot()
    }

    /// Nothing of an event stays that nobody is at.
    fn leave_if_idle(&mut self, id: EventId) {
        if self.events.get(&id).is_some_and(|event| event.stage.idle() && !event.is_behind())
            && let Some(event) = self.events.remove(&id)
        {
            self.network.order(ToNetwork::Remove(event.desk));
            for reply in event.beginning {
                let _ = reply.send(Err(FaultKind::EventEnded));
            }
            // Who was let on stage backstage comes when somebody is there again.
            if event.stage.phase() == Phase::Ended {
                self.world.guests.forget(id);
            }
            self.agenda.note(&self.world.events.join(id.to_string()), id, now().wall);
        }
        self.metrics.events.store(self.events.len() as u64, Relaxed);
        let live = self.events.values().filter(|event| event.stage.on_air()).count();
        self.metrics.events_live.store(live as u64, Relaxed);
    }

    /// Gives a stage an input and does what it says: the journal first, the rest in order.
    fn drive(&mut self, id: EventId, input: Input) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(event) = self.events.get_mut(&id) else { return outcome };
        let outputs = event.stage.handle(now(), input);
        let entries: Vec<_> =
            outputs.iter().filter_map(|output| if let Output::Journal(entry) = output { Some(entry) } else { None }).collect();
        event.write_down(id, &entries);
        for output in outputs {
            self.perform(id, output, &mut outcome);
        }
        outcome
    }

    fn perform(&mut self, id: EventId, output: Output, outcome: &mut Outcome) {
        let Some(event) = self.events.get_mut(&id) else { return };
        let desk = event.desk;
        match output {
            Output::Journal(_) => {}
            Output::Refused(fault) => outcome.refused = Some(fault),
            Output::OpenProgramme => {
                if let Err(error) = self.open_programme(id) {
                    tracing::error!(event = %id, error = format!("{error:#}"), "an event can't go live");
                    let cause = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
                    outcome.unopened = Some(cause.map_or(FaultKind::Internal, fault_of));
                }
            }
            Output::Begin => self.mark(id, Marked::Begin),
            Output::Hold => self.mark(id, Marked::Hold),
            Output::Cut { seconds } => outcome.cut = Some(seconds),
            Output::TalkingMuted(participant) => {
                let line = console::talking_muted();
                let theirs = event.consoles.iter().filter(|(session, _)| event.stage.is_console_of(**session, participant));
                // Who does not read is found out by the next beat.
                theirs.for_each(|(_, lines)| drop(lines.try_send(line.clone())));
            }
            Output::CloseProgramme => self.encode(desk, ToEncoder::End(desk)),
            Output::CloseSession(session) => {
                self.network.order(ToNetwork::Close(session));
                self.forget_session(id, session);
            }
            Output::Mix(Mix::Open { session, participant, media, muted }) => self.seat(id, session, participant, media, muted),
            Output::Mix(Mix::Close { session }) => self.forget_session(id, session),
            Output::Mix(Mix::OnAir { session, on }) => self.network.order(ToNetwork::OnAir(session, on)),
            Output::Mix(Mix::Fade { session }) => self.network.order(ToNetwork::Fade(session)),
            Output::Mix(Mix::Hold(hold)) => self.network.order(ToNetwork::Hold(desk, hold)),
            Output::Mix(Mix::Chime) => self.network.order(ToNetwork::Chime(desk)),
            Output::Mix(Mix::Mute { session, muted }) => self.network.order(ToNetwork::Mute(session, muted)),
            Output::Listeners(fact) => {
                // A recorder that is behind by thousands of packets has other troubles than a late fact.
                let _ = self.recorder.try_send(ToRecorder::Tell(desk, fact));
            }
            Output::Tell(fact) => {
                if let Fact::Seats { admitted, .. } = &fact {
                    self.world.guests.admit(id, admitted);
                }
                if let Fact::Barred { tickets, .. } = &fact {
                    self.world.guests.bar(id, tickets);
                }
                if let Fact::Ended { .. } = &fact {
                    self.said.note(fact.clone());
                }
                (self.world.tell)(fact);
            }
            Output::StateChanged => self.show_state(id),
            Output::Levels(levels) => {
                let line = console::levels(&levels);
                let gone = event.say(|_| line.clone());
                self.drop_consoles(id, gone);
            }
        }
    }

    fn show_state(&mut self, id: EventId) {
        let Some(event) = self.events.get(&id) else { return };
        let view = event.stage.view();
        let gone = event.say(|session| console::state(&view, &event.title, event.stage.you(session), self.world.port));
        self.drop_consoles(id, gone);
    }

    fn drop_consoles(&mut self, id: EventId, gone: Vec<SessionId>) {
        for session in gone {
            let dropped = self.events.get_mut(&id).and_then(|event| event.consoles.remove(&session));
            if dropped.is_some() {
                self.drive(id, Input::Closed(session));
            }
        }
    }

    /// Takes a session off the desk and the lists; nothing happens when it is off already.
    fn forget_session(&mut self, id: EventId, session: SessionId) {
        let Some(event) = self.events.get_mut(&id) else { return };
        let desk = event.desk;
        event.consoles.remove(&session);
        if let Some(input) = event.input_of(session) {
            event.seats[input.number()] = None;
            self.encode(desk, ToEncoder::Hears(desk, input, false));
            self.encode(desk, ToEncoder::Track(desk, input, None));
        } else if let Some(place) = event.monitors.iter().position(|one| *one == session) {
            event.monitors.swap_remove(place);
            let monitors = event.monitors.len();
            self.encode(desk, ToEncoder::Monitors(desk, monitors));
        }
    }

    /// Opens an event's programme, for the first time or again.
    fn open_programme(&mut self, id: EventId) -> anyhow::Result<()> {
        let Some(event) = self.events.get_mut(&id) else { return Ok(()) };
        let desk = event.desk;
        let (dir, memory) = (self.world.events.join(id.to_string()), self.world.memory.join(id.to_string()));
        let journal = event.read_journal()?;
        let recording = match Recording::open(&dir, &memory, &journal, &self.world.boot, now().wall)? {
            Opened::On(recording) => recording,
            Opened::Ended(end) => {
                self.drive(id, Input::ProgrammeClosed { end });
                self.leave_if_idle(id);
                return Ok(());
            }
        };
        let opening = *recording.opening();
        tracing::info!(event = %id, epoch = %opening.epoch, first = %opening.first, "on air");
        let _ = self.recorder.send(ToRecorder::Open(desk, recording));
        let facts = self.events.get(&id).map(|event| event.stage.live_facts()).unwrap_or_default();
        for fact in facts {
            let _ = self.recorder.send(ToRecorder::Tell(desk, fact));
        }
        self.drive(id, Input::ProgrammeOpened { epoch: opening.epoch, first: opening.first, boot: self.world.boot.clone() });
        self.encode(desk, ToEncoder::Record(desk, opening.first.start()));
        if let Some(begun) = journal.begun() {
            self.encode(desk, ToEncoder::Begun(desk, begun.start()));
        }
        Ok(())
    }

    fn levels(&mut self, desk: DeskId, levels: &[InputLevel]) {
        let Some(id) = self.event_at(desk) else { return };
        let Some(event) = self.events.get(&id) else { return };
        let loudness = |one: &InputLevel| {
            let participant = event.seats[one.input.number()]?.participant;
            Some(Loudness { participant, level: one.level, talking: one.talking, talking_muted: one.talking_muted })
        };
        let levels = levels.iter().filter_map(loudness).collect();
        self.drive(id, Input::Levels(levels));
    }

    fn listening(&mut self, id: EventId, by_rung: Vec<(Rung, u32)>) {
        let Some(event) = self.events.get_mut(&id) else { return };
        let listeners = event.set_listening(by_rung);
        self.turn_rungs(id, Instant::now());
        self.drive(id, Input::Listeners(listeners));
    }

    fn turn_rungs(&mut self, id: EventId, at: Instant) {
        // Before the programme is open there is nothing to turn.
        let live = |event: &&mut Event| event.stage.on_air();
        let Some(event) = self.events.get_mut(&id).filter(live) else { return };
        let desk = event.desk;
        for (rung, on) in event.turn_rungs(at) {
            self.encode(desk, ToEncoder::Rung(desk, rung, on));
        }
    }

    fn tick_stages(&mut self, at: Instant) {
        let due = |event: &Event| event.stage.deadline().is_some_and(|deadline| deadline <= at);
        for id in self.events.iter().filter(|(_, event)| due(event)).map(|(id, _)| *id).collect::<Vec<_>>() {
            self.drive(id, Input::Tick);
        }
    }

    fn every_second(&mut self, at: Instant) {
        let beat = console::beat();
        for id in self.events.keys().copied().collect::<Vec<_>>() {
            let gone = self.events.get(&id).map(|event| event.say(|_| beat.clone())).unwrap_or_default();
            self.drop_consoles(id, gone);
            self.turn_rungs(id, at);
            if let Some(event) = self.events.get_mut(&id) {
                event.write_down(id, &[]);
            }
            self.leave_if_idle(id);
        }
    }

    fn encode(&self, desk: DeskId, order: ToEncoder) {
        let line = &self.encoders[desk.slot % self.encoders.len()];
        // The thread ends only with the role.
        let _ = line.orders.send(order);
        line.thread.unpark();
    }

    fn event_at(&self, desk: DeskId) -> Option<EventId> {
        self.events.iter().find(|(_, event)| event.desk == desk).map(|(id, _)| *id)
    }
}

fn now() -> Now {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), wall: UnixMillis(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
}
