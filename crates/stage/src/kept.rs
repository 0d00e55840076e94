//! What of a stage must survive: exactly what its journal says.

use base::journal::{Entry, Role, What};
use base::{Epoch, FragmentNumber, ParticipantId, UnixMillis};
use std::collections::BTreeMap;

/// Where an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// People come and test; nobody listens yet.
    Backstage,
    /// The programme is open.
    Live,
    /// It is over.
    Ended,
}

/// Whether somebody has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Holds a place, connected or not.
    OnStage,
    /// Gave it up and may come back.
    Left,
    /// Was removed and may not.
    Removed,
}

/// Somebody who is or was on stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// What the client calls itself; empty when it can't come back.
    pub key: String,
    /// The name shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether nobody hears them.
    pub muted: bool,
    /// Whether they have a place.
    pub standing: Standing,
}

/// The programme as it was last opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// The epoch.
    pub epoch: Epoch,
    /// Its first fragment.
    pub first: FragmentNumber,
    /// The machine's boot in which it was opened.
    pub boot: String,
}

/// The lasting state of one event's stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
    pub(crate) phase: Phase,
    pub(crate) since: UnixMillis,
    pub(crate) programme: Option<Programme>,
    pub(crate) first_lost: Option<FragmentNumber>,
    pub(crate) arrivals: u16,
}

impl Kept {
    /// An event that nobody has entered.
    pub(crate) const fn new(created: UnixMillis) -> Self {
        Self { participants: BTreeMap::new(), phase: Phase::Backstage, since: created, programme: None, first_lost: None, arrivals: 0 }
    }

    /// Makes true what one entry says. Entries about nobody are ignored: a journal is input like any other.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        match &entry.what {
            What::Joined { participant, key, name, role, .. } => self.join(*participant, key, name, *role),
            What::Renamed { participant, name } => self.change(*participant, |person| person.name.clone_from(name)),
            What::Muted { participant, muted } => self.change(*participant, |person| person.muted = *muted),
            What::Left { participant } => self.leave(*participant),
            What::Removed { participant } => self.change(*participant, |person| person.standing = Standing::Removed),
            What::EpochOpened { epoch, first, boot } => {
                if self.phase == Phase::Backstage {
                    self.since = entry.at;
                }
                self.phase = Phase::Live;
                self.first_lost = None;
                self.programme = Some(Programme { epoch: *epoch, first: *first, boot: boot.clone() });
            }
            What::Stepped { .. }
            | What::Promoted { .. }
            | What::Ready { .. }
            | What::Banned { .. }
            | What::Locked { .. }
            | What::InCharge { .. }
            | What::Succession { .. }
            | What::Admitted { .. }
            | What::Declined { .. }
            | What::Clock { .. }
            | What::Spoken { .. }
            | What::DoorsOpened
            | What::Begun { .. } => {}
            What::RecordingStopped { first_lost } => self.first_lost = Some(*first_lost),
            What::Ended { .. } => {
                self.phase = Phase::Ended;
                self.since = entry.at;
            }
        }
    }

    fn join(&mut self, participant: ParticipantId, key: &str, name: &str, role: Role) {
        self.arrivals = self.arrivals.max(participant.0);
        let muted = self.participants.get(&participant).is_some_and(|person| person.muted);
        let person = Participant { key: key.to_owned(), name: name.to_owned(), role, muted, standing: Standing::OnStage };
        self.participants.insert(participant, person);
    }

    fn leave(&mut self, participant: ParticipantId) {
        self.change(participant, |person| person.standing = Standing::Left);
        // Nobody can come back without a key: nothing of them is needed.
        if self.participants.get(&participant).is_some_and(|person| person.key.is_empty()) {
            self.participants.remove(&participant);
        }
    }

    fn change(&mut self, participant: ParticipantId, change: impl FnOnce(&mut Participant)) {
        if let Some(person) = self.participants.get_mut(&participant) {
            change(person);
        }
    }

    /// Who has this key, wherever they stand.
    pub(crate) fn by_key(&self, key: &str) -> Option<(ParticipantId, &Participant)> {
        self.participants.iter().find(|(_, person)| !key.is_empty() && person.key == key).map(|(id, person)| (*id, person))
    }

    /// Everybody who holds a place.
    pub(crate) fn on_stage(&self) -> impl Iterator<Item = (ParticipantId, &Participant)> {
        self.participants.iter().filter(|(_, person)| person.standing == Standing::OnStage).map(|(id, person)| (*id, person))
    }
}
