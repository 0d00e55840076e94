//! The state machine of one event's stage: what comes in is taken in, then what follows from it and from the time is done.

mod act;
mod after;
mod air;
mod charge;
mod clock;
mod doors;
mod hands;
mod place;
mod view;

use crate::kept::{Kept, Phase, Programme};
use crate::listeners::Listeners;
use crate::words::{Connection, Input, Now, Output, Schedule, SessionId, SessionKind, Who};
use base::fact::{Fact, LiveFact, OnStage};
use base::journal::{Entry, What};
use base::limit::PLACE_HELD_MILLIS_MAX;
use base::{EventId, FragmentNumber, ParticipantId, UnixMillis};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Listeners go on seeing somebody whose connection is lost this long, so that a reconnection does not flicker.
const SHOWN_AFTER_LOSS: Duration = Duration::from_secs(10);

/// How long a place is held.
const PLACE_HELD: Duration = Duration::from_millis(PLACE_HELD_MILLIS_MAX);

#[derive(Debug)]
struct Session {
    who: Who,
    kind: SessionKind,
    /// When it was let in.
    since: Instant,
    /// Who speaks into it, once it is connected.
    speaker: Option<ParticipantId>,
    /// Whether the desk has it on the air.
    on_air: bool,
    /// Whether anything was heard from it.
    heard: bool,
    /// Whether who rules without a microphone said that the event may begin.
    ready: bool,
    voice: air::Voice,
    connection: Option<Connection>,
    /// When anything last came over it, as far as anybody measured.
    heard_at: Option<Instant>,
}

/// One live event.
#[derive(Debug)]
pub struct Stage {
    event: EventId,
    schedule: Schedule,
    kept: Kept,
    /// The present as of the last input.
    now: Now,
    ending: bool,
    after: Option<after::After>,
    sessions: BTreeMap<SessionId, Session>,
    /// When the microphone of who holds a place went away.
    absent: BTreeMap<ParticipantId, Instant>,
    /// The same for as long as listeners go on seeing them.
    lost: BTreeMap<ParticipantId, Instant>,
    listeners: Listeners,
    doors: doors::Doors,
    air: air::Air,
    charge: charge::Charge,
    clock: clock::Running,
    hands: hands::Hands,
}

impl Stage {
    /// The stage of an event as its journal leaves it: a new event has no entries.
    #[must_use]
    pub fn restore(now: Now, event: EventId, created: UnixMillis, schedule: Schedule, entries: &[Entry]) -> Self {
        let mut kept = Kept::new(created);
        entries.iter().for_each(|entry| kept.apply(entry));
        let gone: BTreeMap<_, _> = kept.on_stage().map(|(id, _)| (id, now.instant)).collect();
        Self {
            event,
            schedule,
            now,
            ending: false,
            after: None,
            sessions: BTreeMap::new(),
            lost: gone.clone(),
            absent: gone,
            listeners: Listeners::new(),
            doors: doors::Doors::default(),
            air: air::Air::new(kept.spoken.clone(), now.instant),
            charge: charge::Charge::default(),
            clock: clock::Running::new(&kept),
            hands: hands::Hands::default(),
            kept,
        }
    }

    /// What of the stage survives.
    #[must_use]
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Where the event is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.kept.phase
    }

    /// The programme as it was last opened.
    #[must_use]
    pub const fn programme(&self) -> Option<&Programme> {
        self.kept.programme.as_ref()
    }

    /// Whether nobody is connected and nothing is open or about to be: the shell may forget the stage and restore it when it is needed.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.sessions.is_empty() && !self.on_air() && !self.doors_due()
    }

    /// Whether a programme is open.
    #[must_use]
    pub const fn on_air(&self) -> bool {
        matches!(self.kept.phase, Phase::Doors | Phase::Live)
    }

    /// Whether a session is there, connected or not.
    #[must_use]
    pub fn has(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Everything that listeners know by now, for a programme that has just been opened.
    #[must_use]
    pub fn live_facts(&self) -> Vec<LiveFact> {
        self.listeners.known()
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.kept.phase == Phase::Ended {
            return self.after.as_ref().map(|after| after.until);
        }
        let vanish = self.lost.values().map(|at| *at + SHOWN_AFTER_LOSS).min();
        let given_up = self.absent.values().map(|at| *at + PLACE_HELD).min();
        let others = [self.doors_deadline(), self.air_deadline(), self.charge_deadline(), self.clock_deadline()];
        [self.listeners.deadline(), vanish, given_up].into_iter().chain(others).flatten().min()
    }

    /// Takes what happened, gives what is to be done.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        self.now = now;
        self.look_who_leads();
        let mut turn = Turn { now, out: Vec::new() };
        self.take(&mut turn, input);
        if self.kept.phase != Phase::Ended {
            self.release_places(&mut turn);
            self.settle_charge(&mut turn);
            self.settle_doors(&mut turn);
            self.settle_clock(&mut turn);
            self.settle_air(&mut turn);
            self.tell_roles(&mut turn);
            self.tell_listeners(&mut turn);
        } else {
            self.settle_buses(&mut turn);
            self.settle_after(&mut turn);
        }
        turn.out
    }

    fn take(&mut self, turn: &mut Turn, input: Input) {
        match input {
            Input::Open { session, who, kind } => self.open(turn, session, who, kind),
            Input::Connected(session) => self.connected(turn, session),
            Input::Closed(session) => self.closed(turn, session),
            Input::Act { who, action } => {
                if let Err(fault) = self.act(turn, &who, action) {
                    turn.out.push(Output::Refused(fault));
                }
            }
            Input::Levels(levels) => self.levels(turn, levels),
            Input::Listeners(count) => self.listeners.set_count(count),
            Input::Connection { session, connection, heard } => self.measured(turn, session, connection, heard),
            Input::Announced(schedule) => {
                self.schedule = schedule;
                turn.out.push(Output::StateChanged);
            }
            Input::Disperse => self.disperse(turn),
            Input::Hands(hands) => self.raised(turn, hands),
            Input::Bar(tickets) => self.bar_too(turn, &tickets),
            Input::Reacted(counts) => self.listeners.react(counts),
            Input::Board { pins, poll, questions } => self.listeners.set_board(pins, poll, questions),
            Input::Begun { first } => self.begun(turn, first),
            Input::Held { first } => self.held(turn, first),
            Input::ProgrammeOpened { epoch, first, boot } => {
                self.journal(turn, What::EpochOpened { epoch, first, boot });
                self.tell_live(turn);
            }
            Input::RecordingStopped { first_lost } if self.kept.first_lost.is_none() => {
                self.journal(turn, What::RecordingStopped { first_lost });
                turn.out.extend([Output::Listeners(LiveFact::RecordingStopped), Output::StateChanged]);
            }
            Input::ProgrammeClosed { end } => self.end(turn, end),
            Input::RecordingStopped { .. } | Input::Tick => {}
        }
    }

    fn journal(&mut self, turn: &mut Turn, what: What) {
        let entry = Entry { at: turn.now.wall, what };
        // Nothing follows the end: what those who talk on do among themselves is nobody's business.
        let is_kept = self.kept.phase != Phase::Ended;
        self.kept.apply(&entry);
        turn.out.extend(is_kept.then_some(Output::Journal(entry)));
    }

    /// Something that everybody on stage sees has changed for good.
    fn decide(&mut self, turn: &mut Turn, what: What) {
        self.journal(turn, what);
        turn.out.push(Output::StateChanged);
    }

    fn tell_live(&self, turn: &mut Turn) {
        if let Some(programme) = &self.kept.programme {
            let begun = self.kept.phase == Phase::Live;
            turn.out.push(Output::Tell(Fact::Live { event: self.event, epoch: programme.epoch, since: self.kept.since, begun }));
        }
        turn.out.push(Output::StateChanged);
    }

    fn end(&mut self, turn: &mut Turn, end: FragmentNumber) {
        if self.kept.phase == Phase::Ended {
            return;
        }
        self.note_spoken(turn);
        self.journal(turn, What::Ended { end, heard: self.heard_end() });
        turn.out.push(Output::Tell(Fact::Ended { event: self.event, at: turn.now.wall, end }));
        turn.out.push(Output::StateChanged);
        self.stay_behind(turn);
        self.lost.clear();
        self.absent.clear();
    }

    fn tell_listeners(&mut self, turn: &mut Turn) {
        self.lost.retain(|_, at| turn.now.instant < *at + SHOWN_AFTER_LOSS);
        // While the doors are open nobody is on stage yet; before, nobody listens.
        let is_shown = |id: ParticipantId| self.microphone(id).is_some() || self.lost.contains_key(&id);
        let people = self.kept.on_stage().filter(|(id, person)| self.kept.phase != Phase::Doors && !person.backstage && is_shown(*id));
        let stage =
            people.map(|(id, person)| OnStage { participant: id, name: person.name.clone(), muted: person.muted.is_some() }).collect();
        let begun = self.on_air().then_some((self.kept.phase == Phase::Live).then_some(self.kept.begun));
        if self.listeners.wants_spoken(turn.now.instant) {
            self.listeners.set_spoken(self.spoken_told());
        }
        for fact in self.listeners.due(turn.now.instant, stage, begun) {
            if matches!(fact, LiveFact::Listeners(_)) {
                turn.out.push(Output::StateChanged);
            }
            turn.out.push(Output::Listeners(fact));
        }
    }
}

/// One call of [`Stage::handle`].
struct Turn {
    now: Now,
    out: Vec<Output>,
}

/// A time after the present.
fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests;
