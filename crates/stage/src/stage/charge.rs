//! Who is in charge when the hosts are gone.

use super::{Session, Stage, Turn, millis};
use crate::kept::{Participant, Phase};
use crate::words::SessionKind;
use base::ParticipantId;
use base::journal::{Role, What};
use base::limit::SUCCESSION_MILLIS;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A microphone from which nothing came for longer than this is not there, whatever is still open: packets come all the time, muted or not.
pub(super) const SILENT: Duration = Duration::from_secs(2);

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Charge {
    /// Whether a host was here at the last look.
    host_here: bool,
    /// When anybody in charge was last here, while live.
    led_at: Option<Instant>,
    /// Whose microphone was lost because nothing came from it any more, and when the last came.
    pub(super) silent: BTreeMap<ParticipantId, Instant>,
}

impl Stage {
    /// Whether somebody is here who may do what hosts do.
    pub(super) fn is_ruled(&self) -> bool {
        self.sessions.values().any(|session| session.kind != SessionKind::Monitor && self.rules(&session.who))
    }

    /// Somebody's microphone is gone; a connection that broke was silent for a while.
    pub(super) fn fell_silent(&mut self, participant: ParticipantId, session: &Session) {
        if let Some(at) = session.heard_at.filter(|at| self.now.instant.saturating_duration_since(*at) >= SILENT) {
            self.charge.silent.insert(participant, at);
        }
    }

    /// When who is at a session was last here. A console says nothing by itself, so a microphone that broke off speaks for it.
    fn seen_at(&self, session: &Session) -> Option<Instant> {
        if session.kind == SessionKind::Monitor {
            return None;
        }
        let Some(owner) = self.owner(session) else { return (session.kind == SessionKind::Console).then_some(self.now.instant) };
        match self.microphone(owner).and_then(|id| self.sessions.get(&id)) {
            Some(microphone) => Some(microphone.heard_at.unwrap_or(self.now.instant)),
            None => Some(self.charge.silent.get(&owner).copied().unwrap_or(self.now.instant)),
        }
    }

    /// Notes when anybody in charge was last here; gives when a host was.
    pub(super) fn look_who_leads(&mut self) -> Option<Instant> {
        let seen = |of: &dyn Fn(&Session) -> bool| {
            self.sessions.values().filter(|session| of(session)).filter_map(|session| self.seen_at(session)).max()
        };
        let host_at = seen(&|session| self.role_of(&session.who) == Role::Host);
        let named_at = seen(&|session| self.kept.in_charge.is_some() && self.owner(session) == self.kept.in_charge);
        let leads = self.kept.phase == Phase::Live && !self.ending;
        let led_at = host_at.max(named_at).max(self.charge.led_at).unwrap_or(self.now.instant);
        self.charge.led_at = leads.then_some(led_at);
        host_at
    }

    /// A host who is back is in charge at once; when none is here for long enough, the next in the order of succession is.
    pub(super) fn settle_charge(&mut self, turn: &mut Turn) {
        let now = turn.now.instant;
        let host_here = self.look_who_leads().is_some_and(|at| now.saturating_duration_since(at) < SILENT);
        let is_back = host_here && !self.charge.host_here;
        self.charge.host_here = host_here;
        if is_back && self.kept.in_charge.is_some() {
            self.decide(turn, What::InCharge { participant: None });
        }
        if self.charge.led_at.is_some_and(|at| now >= at + millis(SUCCESSION_MILLIS))
            && let Some(participant) = self.successor()
        {
            self.charge.led_at = Some(now);
            self.decide(turn, What::InCharge { participant: Some(participant) });
        }
    }

    /// The first who is here: in the order that was set, then co-hosts, then speakers, each by arrival.
    fn successor(&self) -> Option<ParticipantId> {
        let seen =
            |id: ParticipantId| self.sessions.values().filter(|one| self.owner(one) == Some(id)).filter_map(|one| self.seen_at(one)).max();
        let is_here = |id| seen(id).is_some_and(|at| self.now.instant.saturating_duration_since(at) < SILENT);
        let here = |id: ParticipantId| self.placed(id).is_ok_and(|person| !person.backstage) && is_here(id);
        let of = |role: Role| {
            let has = move |(_, person): &(ParticipantId, &Participant)| person.role() == role;
            self.kept.on_stage().filter(has).map(|(id, _)| id)
        };
        let set = self.kept.succession.iter().copied();
        set.chain(of(Role::CoHost)).chain(of(Role::Speaker)).find(|id| here(*id))
    }

    pub(super) fn charge_deadline(&self) -> Option<Instant> {
        // Once it is over, whoever comes next is in charge, and coming is an input.
        self.charge.led_at.map(|at| at + millis(SUCCESSION_MILLIS)).filter(|at| *at > self.now.instant)
    }
}
