//! The stage as its people see it.

use super::Stage;
use crate::kept::Participant;
use crate::words::{Alarm, Person, SessionId, View, Who, You};
use base::ParticipantId;
use base::journal::{MutedBy, Role};

impl Stage {
    /// The stage as its people see it.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            phase: self.kept.phase,
            since: self.kept.since,
            stage: self.kept.on_stage().map(|(id, person)| self.person(id, person)).collect(),
            listeners: self.listeners.count(),
            alarms: self.kept.first_lost.map(|_| Alarm::RecordingStopped).into_iter().collect(),
            start_at: self.schedule.start_at,
            locked: self.kept.locked,
            in_charge: self.in_charge(),
            succession: self.kept.succession.clone(),
            hands: self.waiting_hands(),
            hands_open: self.schedule.hands,
            clock: self.clock_view(),
            spoken: self.who_has_spoken(),
        }
    }

    fn person(&self, id: ParticipantId, person: &Participant) -> Person {
        let microphone = self.microphone(id);
        Person {
            id,
            name: person.name.clone(),
            role: person.role(),
            muted: self.muted(id, person),
            here: microphone.is_some(),
            backstage: person.backstage,
            ready: person.ready,
            connection: microphone.and_then(|session| self.sessions.get(&session)?.connection),
        }
    }

    /// Who muted them. When the clock did and there is time again, it is up to them.
    fn muted(&self, id: ParticipantId, person: &Participant) -> Option<MutedBy> {
        person.muted.map(|by| if by == MutedBy::Clock && !self.time_is_spent(id) { MutedBy::Themselves } else { by })
    }

    /// Whom a session belongs to.
    #[must_use]
    pub fn you(&self, session: SessionId) -> Option<You> {
        let session = self.sessions.get(&session)?;
        let (place, role) = (self.owner(session), self.role_of(&session.who));
        Some(You { place, role, rules: self.rules(&session.who), ready: session.ready })
    }

    /// The session that somebody speaks into, while it is connected.
    #[must_use]
    pub fn microphone_of(&self, who: &Who) -> Option<SessionId> {
        self.microphone(self.place_of(who)?)
    }

    /// Who is in charge, among those who have a place and are here.
    fn in_charge(&self) -> Option<ParticipantId> {
        let named = self.kept.in_charge.filter(|id| self.is_here(*id));
        let host = || self.kept.on_stage().find(|(id, person)| person.role() == Role::Host && self.is_here(*id)).map(|(id, _)| id);
        named.or_else(host)
    }
}
