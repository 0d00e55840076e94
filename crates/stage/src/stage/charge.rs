//! Who is in charge when the hosts are gone.

use super::{Stage, Turn, millis};
use crate::kept::{Participant, Phase};
use crate::words::SessionKind;
use base::ParticipantId;
use base::journal::{Role, What};
use base::limit::SUCCESSION_MILLIS;
use std::time::Instant;

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Charge {
    /// Whether a host was here at the last look.
    host_here: bool,
    /// Since when nobody is who is in charge.
    vacant: Option<Instant>,
}

impl Stage {
    /// Whether somebody is here who may do what hosts do.
    pub(super) fn is_ruled(&self) -> bool {
        self.sessions.values().any(|session| session.kind != SessionKind::Monitor && self.rules(&session.who))
    }

    /// A host who is back is in charge at once; when none is here for long enough, the next in the order of succession is.
    pub(super) fn settle_charge(&mut self, turn: &mut Turn) {
        let is_host = |session: &super::Session| session.kind != SessionKind::Monitor && self.role_of(&session.who) == Role::Host;
        let host_here = self.sessions.values().any(is_host);
        let is_back = host_here && !self.charge.host_here;
        self.charge.host_here = host_here;
        if is_back && self.kept.in_charge.is_some() {
            self.decide(turn, What::InCharge { participant: None });
        }
        let led = host_here || self.kept.in_charge.is_some_and(|id| self.placed(id).is_ok() && self.is_here(id));
        if led || self.kept.phase != Phase::Live || self.ending {
            self.charge.vacant = None;
            return;
        }
        let since = *self.charge.vacant.get_or_insert(turn.now.instant);
        if turn.now.instant >= since + millis(SUCCESSION_MILLIS)
            && let Some(participant) = self.successor()
        {
            self.charge.vacant = None;
            self.decide(turn, What::InCharge { participant: Some(participant) });
        }
    }

    /// The first who is here: in the order that was set, then co-hosts, then speakers, each by arrival.
    fn successor(&self) -> Option<ParticipantId> {
        let here = |id: ParticipantId| self.placed(id).is_ok_and(|person| !person.backstage) && self.is_here(id);
        let of = |role: Role| {
            let has = move |(_, person): &(ParticipantId, &Participant)| person.role() == role;
            self.kept.on_stage().filter(has).map(|(id, _)| id)
        };
        let set = self.kept.succession.iter().copied();
        set.chain(of(Role::CoHost)).chain(of(Role::Speaker)).find(|id| here(*id))
    }

    pub(super) fn charge_deadline(&self) -> Option<Instant> {
        // Once it is over, whoever comes next is in charge, and coming is an input.
        self.charge.vacant.map(|since| since + millis(SUCCESSION_MILLIS)).filter(|at| *at > self.now.instant)
    }
}
