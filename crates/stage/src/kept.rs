//! What of a stage must survive: exactly what its journal says.

use base::journal::{Clock, Entry, MutedBy, Role, What};
use base::limit::{BARRED_TICKETS_MAX, HANDS_ANSWERED_MAX, SPEAKERS_PER_EVENT_MAX};
use base::people::People;
use base::{Epoch, FragmentNumber, ParticipantId, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};

/// Where an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// People come and test; nobody listens yet.
    Backstage,
    /// The programme is open and plays the hold sound; people still talk among themselves.
    Doors,
    /// The event itself has begun.
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
    /// What their ticket lets them do.
    pub ticket_role: Role,
    /// What who runs the event made of them.
    pub promoted: Option<Role>,
    /// The number of the ticket with which they came; 0 when it is not known.
    pub ticket: u64,
    /// Who muted them; none when they are heard.
    pub muted: Option<MutedBy>,
    /// Whether they wait behind the stage.
    pub backstage: bool,
    /// Whether they said that the event may begin.
    pub ready: bool,
    /// Whether they have a place.
    pub standing: Standing,
}

impl Participant {
    /// What they may do: a host stays one whatever somebody made of them.
    #[must_use]
    pub fn role(&self) -> Role {
        role(self.ticket_role, self.promoted)
    }
}

/// What a ticket and who runs the event make of somebody.
pub(crate) fn role(ticket: Role, promoted: Option<Role>) -> Role {
    if ticket == Role::Host { Role::Host } else { promoted.unwrap_or(ticket) }
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

/// An answer to a raised hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When: a hand that was raised later asks anew.
    pub at: UnixMillis,
    /// Their name, when they were admitted.
    pub name: Option<String>,
}

/// The lasting state of one event's stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
    pub(crate) phase: Phase,
    pub(crate) since: UnixMillis,
    /// Whether the doors were opened before the programme was.
    pub(crate) doors: bool,
    /// The first fragment of the event itself, where the doors were open before.
    pub(crate) begun: FragmentNumber,
    pub(crate) programme: Option<Programme>,
    pub(crate) first_lost: Option<FragmentNumber>,
    pub(crate) arrivals: u16,
    pub(crate) locked: bool,
    pub(crate) banned: BTreeSet<u64>,
    pub(crate) in_charge: Option<ParticipantId>,
    pub(crate) succession: Vec<ParticipantId>,
    pub(crate) hands: BTreeMap<u64, Answered>,
    pub(crate) clock: Option<Clock>,
    pub(crate) spoken: BTreeMap<ParticipantId, u64>,
    /// Who is who, those who left among them.
    pub(crate) people: People,
    /// Since which fragment nobody is on stage and the hold sound plays.
    pub(crate) held: Option<FragmentNumber>,
}

impl Kept {
    /// An event that nobody has entered.
    pub(crate) fn new(created: UnixMillis) -> Self {
        Self {
            participants: BTreeMap::new(),
            phase: Phase::Backstage,
            since: created,
            doors: false,
            begun: FragmentNumber(0),
            programme: None,
            first_lost: None,
            arrivals: 0,
            locked: false,
            banned: BTreeSet::new(),
            in_charge: None,
            succession: Vec::new(),
            hands: BTreeMap::new(),
            clock: None,
            spoken: BTreeMap::new(),
            people: People::default(),
            held: None,
        }
    }

    /// Makes true what one entry says. Entries about nobody are ignored: a journal is input like any other.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        self.people.note(&entry.what);
        match &entry.what {
            What::Joined { participant, key, name, role, ticket, backstage } => {
                let person = self.joined(*participant, key, name, *role);
                self.participants.insert(*participant, Participant { ticket: *ticket, backstage: *backstage, ..person });
            }
            What::Stepped { participant, backstage } => self.change(*participant, |person| person.backstage = *backstage),
            What::Promoted { participant, role } => self.change(*participant, |person| person.promoted = Some(*role)),
            What::Ready { participant, ready } => self.change(*participant, |person| person.ready = *ready),
            What::Renamed { participant, name } => self.change(*participant, |person| person.name.clone_from(name)),
            What::Muted { participant, by } => self.change(*participant, |person| person.muted = *by),
            What::Left { participant } => self.leave(*participant),
            What::Removed { participant } => self.remove(*participant),
            What::Banned { ticket } => {
                if self.banned.len() < BARRED_TICKETS_MAX {
                    self.banned.insert(*ticket);
                }
                self.hands.remove(ticket);
            }
            What::Locked { locked } => self.locked = *locked,
            What::InCharge { participant } => self.in_charge = *participant,
            What::Succession { order } => self.succession = order.iter().copied().take(SPEAKERS_PER_EVENT_MAX).collect(),
            What::Admitted { ticket, name } => self.answer(*ticket, Answered { at: entry.at, name: Some(name.clone()) }),
            What::Declined { ticket } => self.answer(*ticket, Answered { at: entry.at, name: None }),
            What::Clock { clock } => self.clock.clone_from(clock),
            What::Spoken { totals } => self.spoken.extend(totals.iter().copied()),
            What::DoorsOpened => self.doors = true,
            What::Begun { first } => {
                if self.phase == Phase::Doors {
                    self.begun = *first;
                    self.go(Phase::Live, entry.at);
                }
            }
            What::EpochOpened { epoch, first, boot } => {
                if self.phase == Phase::Backstage {
                    self.go(if self.doors { Phase::Doors } else { Phase::Live }, entry.at);
                }
                self.first_lost = None;
                self.programme = Some(Programme { epoch: *epoch, first: *first, boot: boot.clone() });
            }
            What::Held { from } => self.held = *from,
            What::RecordingStopped { first_lost } => self.first_lost = Some(*first_lost),
            What::Ended { .. } => self.go(Phase::Ended, entry.at),
        }
    }

    fn go(&mut self, phase: Phase, at: UnixMillis) {
        self.phase = phase;
        self.since = at;
    }

    /// Somebody who comes, for the first time or again: what others decided about them stays.
    fn joined(&mut self, participant: ParticipantId, key: &str, name: &str, role: Role) -> Participant {
        self.arrivals = self.arrivals.max(participant.0);
        let before = self.participants.get(&participant);
        Participant {
            key: key.to_owned(),
            name: name.to_owned(),
            ticket_role: role,
            promoted: before.and_then(|person| person.promoted),
            ticket: 0,
            muted: before.and_then(|person| person.muted),
            backstage: false,
            ready: before.is_some_and(|person| person.ready),
            standing: Standing::OnStage,
        }
    }

    fn leave(&mut self, participant: ParticipantId) {
        self.change(participant, |person| {
            person.standing = Standing::Left;
            person.ready = false;
        });
        // Nobody can come back without a key: nothing of them is needed but who they were and how long they have spoken.
        if self.participants.get(&participant).is_some_and(|person| person.key.is_empty()) {
            self.participants.remove(&participant);
        }
    }

    fn remove(&mut self, participant: ParticipantId) {
        self.change(participant, |person| person.standing = Standing::Removed);
        if let Some(person) = self.participants.get(&participant) {
            // Their hand was taken; it is not again unless somebody admits it anew.
            self.hands.remove(&person.ticket);
        }
    }

    fn answer(&mut self, ticket: u64, answer: Answered) {
        self.hands.insert(ticket, answer);
        if self.hands.len() > HANDS_ANSWERED_MAX
            && let Some(oldest) = self.hands.iter().min_by_key(|(_, answer)| answer.at).map(|(ticket, _)| *ticket)
        {
            self.hands.remove(&oldest);
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

    /// Whether the raised hand of this ticket was taken.
    pub(crate) fn admitted(&self, ticket: u64) -> Option<&str> {
        self.hands.get(&ticket).and_then(|answer| answer.name.as_deref())
    }
}
