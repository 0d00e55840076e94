//! The state machine of one event's stage.

use crate::kept::{Kept, Participant, Phase, Programme, Standing};
use crate::listeners::Listeners;
use crate::words::{Action, Alarm, Input, Loudness, Mix, Now, Output, Person, SessionId, SessionKind, View, Who};
use base::fact::{Fact, LiveFact, OnStage};
use base::journal::{Entry, Role, What};
use base::{EventId, FaultKind, FragmentNumber, ParticipantId, UnixMillis, limit};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Listeners go on seeing somebody whose connection is lost this long, so that a reconnection does not flicker.
const SHOWN_AFTER_LOSS: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Session {
    participant: Option<ParticipantId>,
    kind: SessionKind,
}

/// One live event.
#[derive(Debug)]
pub struct Stage {
    event: EventId,
    kept: Kept,
    ending: bool,
    sessions: BTreeMap<SessionId, Session>,
    /// When a participant's last microphone went away; who never had one is not in it.
    lost: BTreeMap<ParticipantId, Instant>,
    /// When a participant's last session of any kind went away.
    absent: BTreeMap<ParticipantId, Instant>,
    listeners: Listeners,
}

impl Stage {
    /// The stage of an event as its journal leaves it: a new event has no entries.
    #[must_use]
    pub fn restore(now: Now, event: EventId, created: UnixMillis, entries: &[Entry]) -> Self {
        let mut kept = Kept::new(created);
        entries.iter().for_each(|entry| kept.apply(entry));
        let gone: BTreeMap<_, _> = kept.on_stage().map(|(id, _)| (id, now.instant)).collect();
        Self { event, kept, ending: false, sessions: BTreeMap::new(), lost: gone.clone(), absent: gone, listeners: Listeners::new() }
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

    /// Whether nobody is connected and nothing is open: the shell may forget the stage and restore it when it is needed.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.sessions.is_empty() && self.kept.phase != Phase::Live
    }

    /// The stage as its people see it.
    #[must_use]
    pub fn view(&self) -> View {
        let person = |(id, person): (ParticipantId, &Participant)| Person {
            id,
            name: person.name.clone(),
            role: person.role,
            muted: person.muted,
            here: self.microphone(id).is_some(),
        };
        View {
            phase: self.kept.phase,
            since: self.kept.since,
            stage: self.kept.on_stage().map(person).collect(),
            listeners: self.listeners.count(),
            alarms: self.kept.first_lost.map(|_| Alarm::RecordingStopped).into_iter().collect(),
        }
    }

    /// Everything that listeners know by now, for a programme that has just been opened.
    #[must_use]
    pub fn live_facts(&self) -> Vec<LiveFact> {
        self.listeners.known()
    }

    /// What somebody may do: what they came with, or what their ticket says now.
    #[must_use]
    pub fn role(&self, participant: ParticipantId) -> Option<Role> {
        self.kept.participants.get(&participant).map(|person| person.role)
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let vanish = self.lost.values().map(|at| *at + SHOWN_AFTER_LOSS).min();
        [self.listeners.deadline(), vanish].into_iter().flatten().min()
    }

    /// Takes what happened, gives what is to be done.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        let mut turn = Turn { now, out: Vec::new() };
        match input {
            Input::Open { session, who, kind } => self.open(&mut turn, session, who, kind),
            Input::Closed(session) => self.closed(&mut turn, session),
            Input::Act { who, action } => {
                if let Err(fault) = self.act(&mut turn, &who, action) {
                    turn.out.push(Output::Refused(fault));
                }
            }
            Input::Levels(levels) => self.levels(&mut turn, levels),
            Input::Listeners(count) => self.listeners.set_count(count),
            Input::ProgrammeOpened { epoch, first, boot } => {
                self.journal(&mut turn, What::EpochOpened { epoch, first, boot });
                turn.out.push(Output::Tell(Fact::Live { event: self.event, epoch, since: self.kept.since }));
                turn.out.push(Output::StateChanged);
            }
            Input::RecordingStopped { first_lost } if self.kept.first_lost.is_none() => {
                self.journal(&mut turn, What::RecordingStopped { first_lost });
                turn.out.extend([Output::Listeners(LiveFact::RecordingStopped), Output::StateChanged]);
            }
            Input::ProgrammeClosed { end } => self.end(&mut turn, end),
            Input::Tick => self.release_keyless(&mut turn),
            Input::RecordingStopped { .. } => {}
        }
        self.tell_listeners(&mut turn);
        turn.out
    }

    fn journal(&mut self, turn: &mut Turn, what: What) {
        let entry = Entry { at: turn.now.wall, what };
        self.kept.apply(&entry);
        turn.out.push(Output::Journal(entry));
    }

    fn open(&mut self, turn: &mut Turn, session: SessionId, who: Who, kind: SessionKind) {
        match self.admit(turn, who, kind) {
            Ok(participant) => {
                self.sessions.insert(session, Session { participant, kind });
                turn.out.push(Output::Admitted(participant));
                if let (Some(id), SessionKind::Media(_)) = (participant, kind) {
                    self.lost.remove(&id);
                    let muted = self.kept.participants.get(&id).is_some_and(|person| person.muted);
                    turn.out.push(Output::Mix(Mix::Open { session, participant: id, muted }));
                }
                if let Some(id) = participant {
                    self.absent.remove(&id);
                    turn.out.push(Output::StateChanged);
                }
            }
            Err(fault) => turn.out.push(Output::Refused(fault)),
        }
    }

    /// Finds or makes the place of who comes, and closes what they had before.
    fn admit(&mut self, turn: &mut Turn, who: Who, kind: SessionKind) -> Result<Option<ParticipantId>, FaultKind> {
        if self.ending || self.kept.phase == Phase::Ended {
            return Err(FaultKind::EventEnded);
        }
        let known = who.key.as_deref().and_then(|key| self.kept.by_key(key)).map(|(id, person)| (id, person.standing));
        if matches!(known, Some((_, Standing::Removed))) {
            return Err(FaultKind::Forbidden);
        }
        let before = known.and_then(|(id, _)| self.session_like(id, kind));
        if self.sessions.len() - usize::from(before.is_some()) >= limit::SESSIONS_PER_EVENT_MAX {
            return Err(FaultKind::StageFull);
        }
        if kind == SessionKind::Monitor {
            return Ok(None);
        }
        let participant = match known {
            Some((id, Standing::OnStage)) => {
                self.welcome_back(turn, id, who);
                id
            }
            Some((id, Standing::Left | Standing::Removed)) => self.join(turn, Some(id), who)?,
            None => self.join(turn, None, who)?,
        };
        if let Some(session) = before {
            self.drop_session(turn, session);
            turn.out.push(Output::CloseSession(session));
        }
        Ok(Some(participant))
    }

    fn join(&mut self, turn: &mut Turn, number: Option<ParticipantId>, who: Who) -> Result<ParticipantId, FaultKind> {
        self.make_room(turn)?;
        let participant = match number {
            Some(participant) => participant,
            None => ParticipantId(self.kept.arrivals.checked_add(1).ok_or(FaultKind::StageFull)?),
        };
        let name = self.name_for(participant, who.name.as_deref());
        let key = who.key.unwrap_or_default();
        self.journal(turn, What::Joined { participant, key, name, role: who.role });
        Ok(participant)
    }

    /// Who comes back may show another name and come with another ticket.
    fn welcome_back(&mut self, turn: &mut Turn, participant: ParticipantId, who: Who) {
        let name = who.name.as_deref().map(shown);
        let Some(person) = self.kept.participants.get(&participant) else { return };
        let renamed = name.filter(|name| !name.is_empty() && *name != person.name);
        if person.role != who.role {
            let name = renamed.unwrap_or_else(|| person.name.clone());
            let key = person.key.clone();
            self.journal(turn, What::Joined { participant, key, name, role: who.role });
        } else if let Some(name) = renamed {
            self.journal(turn, What::Renamed { participant, name });
        }
    }

    /// A place for one more, if need be that of who has been gone too long.
    fn make_room(&mut self, turn: &mut Turn) -> Result<(), FaultKind> {
        if self.kept.on_stage().count() < limit::SPEAKERS_PER_EVENT_MAX {
            return Ok(());
        }
        let held = Duration::from_millis(limit::PLACE_HELD_MILLIS_MAX);
        let (&longest, &since) = self.absent.iter().min_by_key(|(_, since)| **since).ok_or(FaultKind::StageFull)?;
        if turn.now.instant.saturating_duration_since(since) < held {
            return Err(FaultKind::StageFull);
        }
        self.give_up(turn, What::Left { participant: longest }, longest);
        Ok(())
    }

    fn name_for(&self, participant: ParticipantId, asked: Option<&str>) -> String {
        let asked = asked.map(shown).filter(|name| !name.is_empty());
        let known = || self.kept.participants.get(&participant).map(|person| person.name.clone());
        asked.or_else(known).unwrap_or_else(|| format!("Speaker {participant}"))
    }

    fn closed(&mut self, turn: &mut Turn, session: SessionId) {
        let Some(participant) = self.drop_session(turn, session) else { return };
        let keyless = self.kept.participants.get(&participant).is_some_and(|person| person.key.is_empty());
        if keyless {
            self.give_up(turn, What::Left { participant }, participant);
            return;
        }
        if !self.sessions.values().any(|other| other.participant == Some(participant)) {
            self.absent.insert(participant, turn.now.instant);
        }
        turn.out.push(Output::StateChanged);
    }

    /// Forgets a session; gives whose it was.
    fn drop_session(&mut self, turn: &mut Turn, session: SessionId) -> Option<ParticipantId> {
        let dropped = self.sessions.remove(&session)?;
        if matches!(dropped.kind, SessionKind::Media(_)) {
            turn.out.push(Output::Mix(Mix::Close { session }));
            self.lost.extend(dropped.participant.map(|id| (id, turn.now.instant)));
        }
        dropped.participant
    }

    /// Somebody's place is free, and all their sessions close.
    fn give_up(&mut self, turn: &mut Turn, what: What, participant: ParticipantId) {
        self.journal(turn, what);
        let theirs: Vec<_> = self.sessions.iter().filter(|(_, s)| s.participant == Some(participant)).map(|(id, _)| *id).collect();
        for session in theirs {
            self.drop_session(turn, session);
            turn.out.push(Output::CloseSession(session));
        }
        self.lost.remove(&participant);
        self.absent.remove(&participant);
        turn.out.push(Output::StateChanged);
    }

    /// Whoever was here without a key when the stage crashed can't come back.
    fn release_keyless(&mut self, turn: &mut Turn) {
        let connected = |id| self.sessions.values().any(|session| session.participant == Some(id));
        let gone = self.kept.on_stage().filter(|(id, person)| person.key.is_empty() && !connected(*id)).map(|(id, _)| id);
        for participant in gone.collect::<Vec<_>>() {
            self.give_up(turn, What::Left { participant }, participant);
        }
    }

    fn act(&mut self, turn: &mut Turn, who: &Who, action: Action) -> Result<(), FaultKind> {
        if self.ending || self.kept.phase == Phase::Ended {
            return if action == Action::End && who.role == Role::Host { Ok(()) } else { Err(FaultKind::EventEnded) };
        }
        let me = who.key.as_deref().and_then(|key| self.kept.by_key(key));
        let me = me.filter(|(_, person)| person.standing == Standing::OnStage).map(|(id, _)| id);
        match action {
            Action::GoLive => {
                host(who)?;
                if self.kept.phase == Phase::Backstage {
                    turn.out.push(Output::OpenProgramme);
                }
            }
            Action::End => {
                host(who)?;
                self.ending = true;
                match self.kept.phase {
                    Phase::Live => turn.out.push(Output::CloseProgramme),
                    Phase::Backstage | Phase::Ended => self.end(turn, FragmentNumber(0)),
                }
            }
            Action::Mute { participant, muted } => self.mute(turn, who, me, participant, muted)?,
            Action::Rename { name } => {
                let participant = me.ok_or(FaultKind::Forbidden)?;
                let name = Some(shown(&name)).filter(|name| !name.is_empty()).ok_or(FaultKind::BadRequest)?;
                self.journal(turn, What::Renamed { participant, name });
                turn.out.push(Output::StateChanged);
            }
            Action::Leave => {
                let participant = me.ok_or(FaultKind::Forbidden)?;
                self.give_up(turn, What::Left { participant }, participant);
            }
            Action::Remove { participant } => {
                host(who)?;
                self.placed(participant)?;
                self.give_up(turn, What::Removed { participant }, participant);
            }
        }
        Ok(())
    }

    /// Oneself both ways; a host may silence others but never open their microphone.
    fn mute(
        &mut self,
        turn: &mut Turn,
        who: &Who,
        me: Option<ParticipantId>,
        participant: ParticipantId,
        muted: bool,
    ) -> Result<(), FaultKind> {
        if me != Some(participant) && !(muted && who.role == Role::Host) {
            return Err(FaultKind::Forbidden);
        }
        if self.placed(participant)?.muted == muted {
            return Ok(());
        }
        self.journal(turn, What::Muted { participant, muted });
        if let Some(session) = self.microphone(participant) {
            turn.out.push(Output::Mix(Mix::Mute { session, muted }));
        }
        turn.out.push(Output::StateChanged);
        Ok(())
    }

    fn end(&mut self, turn: &mut Turn, end: FragmentNumber) {
        if self.kept.phase == Phase::Ended {
            return;
        }
        self.journal(turn, What::Ended { end });
        turn.out.push(Output::Tell(Fact::Ended { event: self.event, at: turn.now.wall, end }));
        turn.out.push(Output::StateChanged);
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.drop_session(turn, session);
            turn.out.push(Output::CloseSession(session));
        }
        self.lost.clear();
        self.absent.clear();
    }

    fn levels(&mut self, turn: &mut Turn, levels: Vec<Loudness>) {
        let talking = levels.iter().filter(|one| one.talking && self.placed(one.participant).is_ok());
        self.listeners.set_levels(talking.map(|one| (one.participant, one.level)).collect());
        turn.out.push(Output::Levels(levels));
    }

    fn tell_listeners(&mut self, turn: &mut Turn) {
        self.lost.retain(|_, at| turn.now.instant < *at + SHOWN_AFTER_LOSS);
        let shown = |(id, _): &(ParticipantId, &Participant)| self.microphone(*id).is_some() || self.lost.contains_key(id);
        let on_stage =
            |(id, person): (ParticipantId, &Participant)| OnStage { participant: id, name: person.name.clone(), muted: person.muted };
        let stage = self.kept.on_stage().filter(shown).map(on_stage).collect();
        for fact in self.listeners.due(turn.now.instant, stage) {
            if matches!(fact, LiveFact::Listeners(_)) {
                turn.out.push(Output::StateChanged);
            }
            turn.out.push(Output::Listeners(fact));
        }
    }

    fn placed(&self, participant: ParticipantId) -> Result<&Participant, FaultKind> {
        let person = self.kept.participants.get(&participant).filter(|person| person.standing == Standing::OnStage);
        person.ok_or(FaultKind::NotFound)
    }

    fn microphone(&self, participant: ParticipantId) -> Option<SessionId> {
        let theirs = |(_, session): &(&SessionId, &Session)| {
            session.participant == Some(participant) && matches!(session.kind, SessionKind::Media(_))
        };
        self.sessions.iter().find(theirs).map(|(id, _)| *id)
    }

    /// The session that a new one of this kind replaces.
    fn session_like(&self, participant: ParticipantId, kind: SessionKind) -> Option<SessionId> {
        let same = |other: SessionKind| {
            matches!((other, kind), (SessionKind::Media(_), SessionKind::Media(_)) | (SessionKind::Console, SessionKind::Console))
        };
        self.sessions.iter().find(|(_, s)| s.participant == Some(participant) && same(s.kind)).map(|(id, _)| *id)
    }
}

/// One call of [`Stage::handle`].
struct Turn {
    now: Now,
    out: Vec<Output>,
}

fn host(who: &Who) -> Result<(), FaultKind> {
    if who.role == Role::Host { Ok(()) } else { Err(FaultKind::Forbidden) }
}

/// A name as it is shown: no control characters, no white space around it, cut at the limit.
fn shown(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(limit::STAGE_NAME_CHARS_MAX).collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests;
