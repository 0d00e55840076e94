//! The state machine of one event's stage.

use crate::kept::{Kept, Participant, Phase, Programme, Standing};
use crate::listeners::Listeners;
use crate::words::{Action, Alarm, Input, Loudness, Mix, Now, Output, Person, SessionId, SessionKind, View, Who, You};
use base::fact::{Fact, LiveFact, OnStage};
use base::journal::{Entry, Role, What};
use base::{EventId, FaultKind, FragmentNumber, ParticipantId, UnixMillis, limit};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Listeners go on seeing somebody whose connection is lost this long, so that a reconnection does not flicker.
const SHOWN_AFTER_LOSS: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Session {
    who: Who,
    kind: SessionKind,
    /// When it was let in.
    since: Instant,
    /// Who speaks into it, once it is connected.
    speaker: Option<ParticipantId>,
}

/// One live event.
#[derive(Debug)]
pub struct Stage {
    event: EventId,
    kept: Kept,
    ending: bool,
    sessions: BTreeMap<SessionId, Session>,
    /// When the microphone of who holds a place went away.
    absent: BTreeMap<ParticipantId, Instant>,
    /// The same for as long as listeners go on seeing them.
    lost: BTreeMap<ParticipantId, Instant>,
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

    /// Whether a session is there, connected or not.
    #[must_use]
    pub fn has(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// The session that somebody speaks into, while it is connected.
    #[must_use]
    pub fn microphone_of(&self, who: &Who) -> Option<SessionId> {
        self.microphone(self.place_of(who)?)
    }

    /// Whom a session belongs to.
    #[must_use]
    pub fn you(&self, session: SessionId) -> Option<You> {
        self.sessions.get(&session).map(|session| You { place: self.owner(session), role: session.who.role })
    }

    /// Everything that listeners know by now, for a programme that has just been opened.
    #[must_use]
    pub fn live_facts(&self) -> Vec<LiveFact> {
        self.listeners.known()
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
            Input::Connected(session) => self.connected(&mut turn, session),
            Input::Closed(session) => self.closed(&mut turn, session),
            Input::Act { who, action } => {
                if let Err(fault) = self.act(&mut turn, &who, action) {
                    turn.out.push(Output::Refused(fault));
                }
            }
            Input::Levels(levels) => self.levels(&mut turn, levels),
            Input::Listeners(count) => self.listeners.set_count(count),
            Input::Connection { .. } => {}
            Input::ProgrammeOpened { epoch, first, boot } => {
                self.journal(&mut turn, What::EpochOpened { epoch, first, boot });
                turn.out.push(Output::Tell(Fact::Live { event: self.event, epoch, since: self.kept.since, begun: true }));
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
        match self.admit(turn, &who, kind) {
            Ok(()) => drop(self.sessions.insert(session, Session { who, kind, since: turn.now.instant, speaker: None })),
            Err(fault) => turn.out.push(Output::Refused(fault)),
        }
    }

    /// Lets a session in, and closes what gives way to it.
    fn admit(&mut self, turn: &mut Turn, who: &Who, kind: SessionKind) -> Result<(), FaultKind> {
        let known = self.known(who)?;
        let place = known.filter(|id| self.placed(*id).is_ok());
        if place.is_none() && matches!(kind, SessionKind::Media(_)) {
            // Whoever connects first gets the last place; who could get none is told at once.
            self.who_gives_way(turn.now.instant, who.role)?;
        }
        let before = self.session_like(who, kind);
        let full = self.sessions.len() - usize::from(before.is_some()) >= limit::SESSIONS_PER_EVENT_MAX;
        let oldest = if full { Some(self.session_that_gives_way(who, kind).ok_or(FaultKind::StageFull)?) } else { None };
        for session in before.into_iter().chain(oldest) {
            self.shut(turn, session);
        }
        if let Some(place) = place {
            self.welcome_back(turn, place, who);
        }
        Ok(())
    }

    /// The number that somebody has already, whether they hold a place or left; who was removed may not come back.
    fn known(&self, who: &Who) -> Result<Option<ParticipantId>, FaultKind> {
        if self.ending || self.kept.phase == Phase::Ended {
            return Err(FaultKind::EventEnded);
        }
        match who.key.as_deref().and_then(|key| self.kept.by_key(key)) {
            Some((_, person)) if person.standing == Standing::Removed => Err(FaultKind::Forbidden),
            known => Ok(known.map(|(id, _)| id)),
        }
    }

    /// A microphone is connected: who speaks into it has a place from now on, or is back at theirs.
    fn connected(&mut self, turn: &mut Turn, session: SessionId) {
        let Some(Session { who, kind: SessionKind::Media(media), speaker: None, .. }) = self.sessions.get(&session) else { return };
        let (who, media) = (who.clone(), *media);
        let Ok(participant) = self.seat(turn, &who) else {
            // The last place went to somebody else meanwhile, or the event is over.
            return self.shut(turn, session);
        };
        if let Some(before) = self.microphone(participant) {
            self.shut(turn, before);
        }
        if let Some(session) = self.sessions.get_mut(&session) {
            session.speaker = Some(participant);
        }
        self.absent.remove(&participant);
        self.lost.remove(&participant);
        let muted = self.kept.participants.get(&participant).is_some_and(|person| person.muted);
        turn.out.push(Output::Mix(Mix::Open { session, participant, media, muted }));
        turn.out.push(Output::StateChanged);
    }

    /// Finds or makes a place.
    fn seat(&mut self, turn: &mut Turn, who: &Who) -> Result<ParticipantId, FaultKind> {
        let known = self.known(who)?;
        if let Some(place) = known.filter(|id| self.placed(*id).is_ok()) {
            return Ok(place);
        }
        for absent in self.who_gives_way(turn.now.instant, who.role)? {
            self.give_up(turn, What::Left { participant: absent }, absent);
        }
        let participant = match known {
            Some(participant) => participant,
            None => ParticipantId(self.kept.arrivals.checked_add(1).ok_or(FaultKind::StageFull)?),
        };
        let name = self.name_for(participant, who.name.as_deref());
        let key = who.key.clone().unwrap_or_default();
        self.journal(turn, What::Joined { participant, key, name, role: who.role, ticket: who.ticket, backstage: false });
        Ok(participant)
    }

    /// Who loses their place when one more comes: nobody while there is room, else the longest absent. A host takes any absent
    /// place, others one that was held long enough; and they leave the last place to a host while none is there.
    fn who_gives_way(&self, now: Instant, role: Role) -> Result<Vec<ParticipantId>, FaultKind> {
        let is_host = role == Role::Host;
        let host_here = self.kept.on_stage().any(|(id, person)| person.role == Role::Host && self.microphone(id).is_some());
        let places = limit::SPEAKERS_PER_EVENT_MAX - usize::from(!is_host && !host_here);
        let wanted = (self.kept.on_stage().count() + 1).saturating_sub(places);
        let held = Duration::from_millis(if is_host { 0 } else { limit::PLACE_HELD_MILLIS_MAX });
        let gone = self.absent.iter().filter(|(_, since)| now.saturating_duration_since(**since) >= held);
        let mut gone: Vec<_> = gone.map(|(id, since)| (*since, *id)).collect();
        gone.sort_unstable();
        if gone.len() < wanted { Err(FaultKind::StageFull) } else { Ok(gone.into_iter().take(wanted).map(|(_, id)| id).collect()) }
    }

    /// The session that is closed when there are too many.
    fn session_that_gives_way(&self, who: &Who, kind: SessionKind) -> Option<SessionId> {
        if kind == SessionKind::Monitor && who.role != Role::Host {
            return None;
        }
        let nobodys = |(_, session): &(&SessionId, &Session)| self.owner(session).is_none() && session.who.role != Role::Host;
        self.sessions.iter().filter(nobodys).min_by_key(|(_, session)| session.since).map(|(id, _)| *id)
    }

    /// Who comes back may show another name and come with another ticket.
    fn welcome_back(&mut self, turn: &mut Turn, participant: ParticipantId, who: &Who) {
        let name = who.name.as_deref().map(shown);
        let Some(person) = self.kept.participants.get(&participant) else { return };
        let renamed = name.filter(|name| !name.is_empty() && *name != person.name);
        if person.role != who.role {
            let name = renamed.unwrap_or_else(|| person.name.clone());
            let key = person.key.clone();
            self.journal(turn, What::Joined { participant, key, name, role: who.role, ticket: who.ticket, backstage: false });
            turn.out.push(Output::StateChanged);
        } else if let Some(name) = renamed {
            self.journal(turn, What::Renamed { participant, name });
            turn.out.push(Output::StateChanged);
        }
    }

    fn name_for(&self, participant: ParticipantId, asked: Option<&str>) -> String {
        let asked = asked.map(shown).filter(|name| !name.is_empty());
        let known = || self.kept.participants.get(&participant).map(|person| person.name.clone());
        asked.or_else(known).unwrap_or_else(|| format!("Speaker {participant}"))
    }

    fn closed(&mut self, turn: &mut Turn, session: SessionId) {
        let Some(participant) = self.drop_session(turn, session).and_then(|session| session.speaker) else { return };
        let keyless = self.kept.participants.get(&participant).is_some_and(|person| person.key.is_empty());
        if keyless {
            self.give_up(turn, What::Left { participant }, participant);
        } else {
            turn.out.push(Output::StateChanged);
        }
    }

    /// Closes a session.
    fn shut(&mut self, turn: &mut Turn, session: SessionId) {
        self.drop_session(turn, session);
        turn.out.push(Output::CloseSession(session));
    }

    /// Forgets a session.
    fn drop_session(&mut self, turn: &mut Turn, session: SessionId) -> Option<Session> {
        let dropped = self.sessions.remove(&session)?;
        if let Some(participant) = dropped.speaker {
            turn.out.push(Output::Mix(Mix::Close { session }));
            self.absent.insert(participant, turn.now.instant);
            self.lost.insert(participant, turn.now.instant);
        }
        Some(dropped)
    }

    /// Somebody's place is free, and all their sessions close.
    fn give_up(&mut self, turn: &mut Turn, what: What, participant: ParticipantId) {
        let theirs: Vec<_> =
            self.sessions.iter().filter(|(_, session)| self.owner(session) == Some(participant)).map(|(id, _)| *id).collect();
        self.journal(turn, what);
        for session in theirs {
            self.shut(turn, session);
        }
        self.absent.remove(&participant);
        self.lost.remove(&participant);
        turn.out.push(Output::StateChanged);
    }

    /// Whoever was here without a key when the stage crashed can't come back.
    fn release_keyless(&mut self, turn: &mut Turn) {
        let gone = |(id, person): &(ParticipantId, &Participant)| person.key.is_empty() && self.microphone(*id).is_none();
        let gone = self.kept.on_stage().filter(gone).map(|(id, _)| id);
        for participant in gone.collect::<Vec<_>>() {
            self.give_up(turn, What::Left { participant }, participant);
        }
    }

    fn act(&mut self, turn: &mut Turn, who: &Who, action: Action) -> Result<(), FaultKind> {
        if self.ending || self.kept.phase == Phase::Ended {
            return if action == Action::End && who.role == Role::Host { Ok(()) } else { Err(FaultKind::EventEnded) };
        }
        let me = self.place_of(who);
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
            self.shut(turn, session);
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

    /// The place that somebody holds under their key.
    fn place_of(&self, who: &Who) -> Option<ParticipantId> {
        let (id, person) = self.kept.by_key(who.key.as_deref()?)?;
        (person.standing == Standing::OnStage).then_some(id)
    }

    /// At whose place a session is; who only hears has none.
    fn owner(&self, session: &Session) -> Option<ParticipantId> {
        session.speaker.or_else(|| if session.kind == SessionKind::Monitor { None } else { self.place_of(&session.who) })
    }

    /// The session that somebody speaks into.
    fn microphone(&self, participant: ParticipantId) -> Option<SessionId> {
        self.sessions.iter().find(|(_, session)| session.speaker == Some(participant)).map(|(id, _)| *id)
    }

    /// The session that a new one of this kind replaces. A microphone that is heard goes on until the new one is.
    fn session_like(&self, who: &Who, kind: SessionKind) -> Option<SessionId> {
        let same = |other: &Session| match kind {
            SessionKind::Media(_) => matches!(other.kind, SessionKind::Media(_)) && other.speaker.is_none(),
            SessionKind::Console => other.kind == SessionKind::Console,
            SessionKind::Monitor => false,
        };
        let theirs = |other: &Session| who.key.is_some() && other.who.key == who.key && same(other);
        self.sessions.iter().find(|(_, other)| theirs(other)).map(|(id, _)| *id)
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

/// A name as it is shown: by the rule for all text, cut at the limit.
fn shown(name: &str) -> String {
    let cut: String = base::text::shown(name).chars().take(limit::STAGE_NAME_CHARS_MAX).collect();
    cut.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
