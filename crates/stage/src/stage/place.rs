//! Sessions and places: who is let in, who has a place, who gives way.

use super::{PLACE_HELD, Session, Stage, Turn, air, charge};
use crate::kept::{Participant, Standing, role};
use crate::words::{Connection, Mix, Output, SessionId, SessionKind, Who};
use base::journal::{Role, What};
use base::{FaultKind, ParticipantId, limit};
use std::time::{Duration, Instant};

impl Stage {
    pub(super) fn open(&mut self, turn: &mut Turn, session: SessionId, who: Who, kind: SessionKind) {
        match self.admit(turn, &who, kind) {
            Ok(()) => {
                let since = turn.now.instant;
                let voice = air::Voice::default();
                let opened = Session {
                    who,
                    kind,
                    since,
                    speaker: None,
                    on_air: false,
                    heard: false,
                    ready: false,
                    voice,
                    connection: None,
                    heard_at: None,
                };
                self.sessions.insert(session, opened);
            }
            Err(fault) => turn.out.push(Output::Refused(fault)),
        }
    }

    /// Lets a session in, and closes what gives way to it.
    fn admit(&mut self, turn: &mut Turn, who: &Who, kind: SessionKind) -> Result<(), FaultKind> {
        let known = self.known(who)?;
        let place = known.filter(|id| self.placed(*id).is_ok());
        let has_place = place.is_some() || self.older_place(who, known).is_some();
        if !has_place && matches!(kind, SessionKind::Media(_)) {
            self.may_come(who)?;
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

    /// The number that somebody has already, whether they hold a place or left; who was removed or banned may not come back. After the end
    /// nobody comes but those who were there. Of those who
    /// came with one link, a ban of one leaves the others where they are.
    pub(super) fn known(&self, who: &Who) -> Result<Option<ParticipantId>, FaultKind> {
        let known = who.key.as_deref().and_then(|key| self.kept.by_key(key));
        let talks_on = known.is_some_and(|(id, person)| person.standing == Standing::OnStage && self.talks_on(id));
        if self.is_over() && !talks_on {
            return Err(FaultKind::EventEnded);
        }
        let banned = self.kept.banned.contains(&who.ticket);
        match known {
            Some((id, person)) if person.standing == Standing::OnStage => Ok(Some(id)),
            _ if banned => Err(FaultKind::Barred),
            Some((_, person)) if person.standing == Standing::Removed => Err(FaultKind::Forbidden),
            _ if who.by_hand && self.kept.admitted(who.ticket).is_none() => Err(FaultKind::Forbidden),
            known => Ok(known.map(|(id, _)| id)),
        }
    }

    /// On a locked stage others come to wait behind it, but not on it.
    fn may_come(&self, who: &Who) -> Result<(), FaultKind> {
        if self.kept.locked && !who.backstage && !self.rules(who) { Err(FaultKind::StageLocked) } else { Ok(()) }
    }

    /// A microphone is connected: who speaks into it has a place from now on, or is back at theirs.
    pub(super) fn connected(&mut self, turn: &mut Turn, session: SessionId) {
        let Some(Session { who, kind: SessionKind::Media(media), speaker: None, .. }) = self.sessions.get(&session) else { return };
        let (who, media) = (who.clone(), *media);
        let Ok(participant) = self.seat(turn, &who) else {
            // The last place went to somebody else meanwhile, the stage was locked, or the event is over.
            return self.shut(turn, session);
        };
        if let Some(before) = self.microphone(participant) {
            self.shut(turn, before);
        }
        if let Some(session) = self.sessions.get_mut(&session) {
            session.speaker = Some(participant);
        }
        self.keep_ready(turn, participant, &who);
        self.absent.remove(&participant);
        self.lost.remove(&participant);
        self.charge.silent.remove(&participant);
        let muted = self.kept.participants.get(&participant).is_some_and(|person| person.muted.is_some());
        turn.out.push(Output::Mix(Mix::Open { session, participant, media, muted }));
        turn.out.push(Output::StateChanged);
    }

    /// Finds or makes a place.
    fn seat(&mut self, turn: &mut Turn, who: &Who) -> Result<ParticipantId, FaultKind> {
        let known = self.known(who)?;
        if let Some(place) = known.filter(|id| self.placed(*id).is_ok()) {
            return Ok(place);
        }
        let participant = match self.older_place(who, known) {
            Some(older) => older,
            None => self.new_place(turn, who, known)?,
        };
        let name = self.name_for(participant, who);
        let key = who.key.clone().unwrap_or_default();
        let (role, ticket, backstage) = (who.role, who.ticket, who.backstage);
        self.journal(turn, What::Joined { participant, key, name, role, ticket, backstage });
        Ok(participant)
    }

    /// A number for who comes, and room for them.
    fn new_place(&mut self, turn: &mut Turn, who: &Who, known: Option<ParticipantId>) -> Result<ParticipantId, FaultKind> {
        self.may_come(who)?;
        for absent in self.who_gives_way(turn.now.instant, who.role)? {
            self.give_up(turn, What::Left { participant: absent }, absent);
        }
        match known {
            Some(participant) => Ok(participant),
            None => Ok(ParticipantId(self.kept.arrivals.checked_add(1).ok_or(FaultKind::StageFull)?)),
        }
    }

    /// The place that who rules by their ticket left in another browser, and into which nobody speaks any more: it is theirs still. A
    /// place of who came by a link to speak is not taken over by a name.
    fn older_place(&self, who: &Who, known: Option<ParticipantId>) -> Option<ParticipantId> {
        let name = who.name.as_deref().map(shown)?;
        let same = |person: &Participant| person.name == name && person.ticket == who.ticket && person.ticket_role == who.role;
        let rules = who.key.is_some() && known.is_none() && who.ticket != 0 && who.role != Role::Speaker;
        let mut places = self.kept.on_stage().filter(|(id, person)| rules && same(person) && !self.speaks(*id));
        places.next().map(|(id, _)| id)
    }

    /// Whether this place was left for another one that the same person, who rules by their ticket, speaks at.
    fn is_left_behind(&self, participant: ParticipantId) -> bool {
        let Ok(person) = self.placed(participant) else { return false };
        let same =
            |other: &Participant| other.name == person.name && other.ticket == person.ticket && other.ticket_role == person.ticket_role;
        let rules = person.ticket != 0 && person.ticket_role != Role::Speaker;
        rules && self.kept.on_stage().any(|(id, other)| id != participant && same(other) && self.speaks(id))
    }

    /// Whether somebody's microphone is connected, and something came from it lately.
    fn speaks(&self, participant: ParticipantId) -> bool {
        let microphone = self.microphone(participant).and_then(|session| self.sessions.get(&session));
        let silent_for = |at: Instant| self.now.instant.saturating_duration_since(at);
        microphone.is_some_and(|session| session.heard_at.is_none_or(|at| silent_for(at) < charge::SILENT))
    }

    /// Who loses their place when one more comes: nobody while there is room, else the longest absent. A host takes any absent
    /// place; nobody else takes one that is held, and they leave the last place to a host while none is there.
    fn who_gives_way(&self, now: Instant, role: Role) -> Result<Vec<ParticipantId>, FaultKind> {
        let is_host = role == Role::Host;
        let host_here = self.kept.on_stage().any(|(id, person)| person.role() == Role::Host && self.microphone(id).is_some());
        let places = limit::SPEAKERS_PER_EVENT_MAX - usize::from(!is_host && !host_here);
        let wanted = (self.kept.on_stage().count() + 1).saturating_sub(places);
        let held = if is_host { Duration::ZERO } else { PLACE_HELD };
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
    pub(super) fn welcome_back(&mut self, turn: &mut Turn, participant: ParticipantId, who: &Who) {
        let name = who.name.as_deref().map(shown);
        let Some(person) = self.kept.participants.get(&participant) else { return };
        let renamed = name.filter(|name| !name.is_empty() && *name != person.name);
        if person.ticket_role != who.role || person.ticket != who.ticket {
            let name = renamed.unwrap_or_else(|| person.name.clone());
            let (key, role, ticket, backstage) = (person.key.clone(), who.role, who.ticket, person.backstage);
            self.decide(turn, What::Joined { participant, key, name, role, ticket, backstage });
        } else if let Some(name) = renamed {
            self.decide(turn, What::Renamed { participant, name });
        }
    }

    fn name_for(&self, participant: ParticipantId, who: &Who) -> String {
        let asked = who.name.as_deref().map(shown).filter(|name| !name.is_empty());
        let known = || self.kept.participants.get(&participant).map(|person| person.name.clone());
        let raised = || self.kept.admitted(who.ticket).map(shown).filter(|name| !name.is_empty());
        asked.or_else(known).or_else(raised).unwrap_or_else(|| format!("Speaker {participant}"))
    }

    pub(super) fn closed(&mut self, turn: &mut Turn, session: SessionId) {
        let Some(participant) = self.drop_session(turn, session).and_then(|session| session.speaker) else { return };
        let keyless = self.kept.participants.get(&participant).is_some_and(|person| person.key.is_empty());
        if keyless {
            self.give_up(turn, What::Left { participant }, participant);
        } else {
            turn.out.push(Output::StateChanged);
        }
    }

    /// Closes a session.
    pub(super) fn shut(&mut self, turn: &mut Turn, session: SessionId) {
        self.drop_session(turn, session);
        turn.out.push(Output::CloseSession(session));
    }

    /// Forgets a session.
    fn drop_session(&mut self, turn: &mut Turn, session: SessionId) -> Option<Session> {
        let dropped = self.sessions.remove(&session)?;
        if let Some(participant) = dropped.speaker {
            turn.out.push(Output::Mix(Mix::Close { session }));
            self.fell_silent(participant, &dropped);
            self.absent.insert(participant, turn.now.instant);
            self.lost.insert(participant, turn.now.instant);
        }
        Some(dropped)
    }

    /// Somebody's place is free, and all their sessions close.
    pub(super) fn give_up(&mut self, turn: &mut Turn, what: What, participant: ParticipantId) {
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

    /// A place that was held long enough is free again; so is that of who is back in another browser, and of who had no key when the stage
    /// crashed, and can't come back.
    pub(super) fn release_places(&mut self, turn: &mut Turn) {
        let now = turn.now.instant;
        let keyless = |id| self.kept.participants.get(&id).is_some_and(|person: &Participant| person.key.is_empty());
        let over = |(id, since): &(&ParticipantId, &Instant)| {
            keyless(**id) || self.is_left_behind(**id) || now.saturating_duration_since(**since) >= PLACE_HELD
        };
        for participant in self.absent.iter().filter(over).map(|(id, _)| *id).collect::<Vec<_>>() {
            // Their console stays: it is no place, and shows the way back to one.
            self.journal(turn, What::Left { participant });
            self.absent.remove(&participant);
            self.lost.remove(&participant);
            turn.out.push(Output::StateChanged);
        }
    }

    /// What a connection is like; told when it becomes another one, and now and then.
    pub(super) fn measured(&mut self, turn: &mut Turn, session: SessionId, now: Connection, heard: Instant) {
        let Some(session) = self.sessions.get_mut(&session) else { return };
        session.heard_at = Some(heard);
        let before = session.connection.replace(now);
        let is_new = before.is_none_or(|before| before.by != now.by || before.grade() != now.grade());
        if is_new || turn.now.instant >= self.air.shown_at + air::SHOWN_EVERY {
            self.air.shown_at = turn.now.instant;
            turn.out.push(Output::StateChanged);
        }
    }

    pub(super) fn placed(&self, participant: ParticipantId) -> Result<&Participant, FaultKind> {
        let person = self.kept.participants.get(&participant).filter(|person| person.standing == Standing::OnStage);
        person.ok_or(FaultKind::NotFound)
    }

    /// The place that somebody holds under their key.
    pub(super) fn place_of(&self, who: &Who) -> Option<ParticipantId> {
        let (id, person) = self.kept.by_key(who.key.as_deref()?)?;
        (person.standing == Standing::OnStage).then_some(id)
    }

    /// At whose place a session is; who only hears has none.
    pub(super) fn owner(&self, session: &Session) -> Option<ParticipantId> {
        session.speaker.or_else(|| if session.kind == SessionKind::Monitor { None } else { self.place_of(&session.who) })
    }

    /// The session that somebody speaks into.
    pub(super) fn microphone(&self, participant: ParticipantId) -> Option<SessionId> {
        self.sessions.iter().find(|(_, session)| session.speaker == Some(participant)).map(|(id, _)| *id)
    }

    /// Whether somebody is there, with a microphone or a console.
    pub(super) fn is_here(&self, participant: ParticipantId) -> bool {
        self.sessions.values().any(|session| self.owner(session) == Some(participant))
    }

    /// What somebody may do: what their ticket says, unless who runs the event said otherwise.
    pub(super) fn role_of(&self, who: &Who) -> Role {
        let known = who.key.as_deref().and_then(|key| self.kept.by_key(key));
        role(who.role, known.and_then(|(_, person)| person.promoted))
    }

    /// Whether somebody may do now what hosts do.
    pub(super) fn rules(&self, who: &Who) -> bool {
        let place = self.place_of(who);
        self.role_of(who) != Role::Speaker || (place.is_some() && place == self.kept.in_charge)
    }

    /// The session that a new one of this kind replaces. A microphone that is heard goes on until the new one is.
    pub(super) fn session_like(&self, who: &Who, kind: SessionKind) -> Option<SessionId> {
        let same = |other: &Session| match kind {
            SessionKind::Media(_) => matches!(other.kind, SessionKind::Media(_)) && other.speaker.is_none(),
            SessionKind::Console => other.kind == SessionKind::Console,
            SessionKind::Monitor => false,
        };
        let theirs = |other: &Session| who.key.is_some() && other.who.key == who.key && same(other);
        self.sessions.iter().find(|(_, other)| theirs(other)).map(|(id, _)| *id)
    }
}

/// A name as it is shown: by the rule for all text, cut at the limit.
pub(super) fn shown(name: &str) -> String {
    let cut: String = base::text::shown(name).chars().take(limit::STAGE_NAME_CHARS_MAX).collect();
    cut.trim_end().to_owned()
}
