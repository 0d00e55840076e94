//! The entries of the journal as they are written (docs/formats.md, "The journal").

use base::journal::{Budget, Clock, ClockMode, MutedBy, Role, What};
use base::{Epoch, FragmentNumber, ParticipantId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireWhat {
    Joined {
        participant: u16,
        key: String,
        name: String,
        role: WireRole,
        #[serde(default)]
        ticket: u64,
        #[serde(default)]
        backstage: bool,
    },
    Stepped {
        participant: u16,
        backstage: bool,
    },
    Promoted {
        participant: u16,
        role: WireRole,
    },
    Ready {
        participant: u16,
        ready: bool,
    },
    Renamed {
        participant: u16,
        name: String,
    },
    Muted {
        participant: u16,
        muted: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<WireMutedBy>,
    },
    Left {
        participant: u16,
    },
    Removed {
        participant: u16,
    },
    Banned {
        ticket: u64,
    },
    Locked {
        locked: bool,
    },
    InCharge {
        participant: Option<u16>,
    },
    Succession {
        order: Vec<u16>,
    },
    Admitted {
        ticket: u64,
        name: String,
    },
    Declined {
        ticket: u64,
    },
    Clock {
        clock: Option<WireClock>,
    },
    Spoken {
        totals: Vec<(u16, u64)>,
    },
    DoorsOpened {},
    Begun {
        first: u64,
    },
    EpochOpened {
        epoch: u32,
        first: u64,
        boot: String,
    },
    Held {
        from: Option<u64>,
    },
    RecordingStopped {
        first_lost: u64,
    },
    Ended {
        end: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard: Option<u64>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireRole {
    Host,
    CoHost,
    Speaker,
}

/// Who muted a microphone, when it was not themselves.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireMutedBy {
    Host,
    Clock,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireMode {
    Speaker,
    Side,
    Turn,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireClock {
    mode: WireMode,
    budget_ms: u64,
    budgets: Vec<WireBudget>,
    running: Option<u16>,
}

#[derive(Serialize, Deserialize)]
struct WireBudget {
    name: String,
    who: Vec<u16>,
    left_ms: u64,
}

impl From<Role> for WireRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Host => Self::Host,
            Role::CoHost => Self::CoHost,
            Role::Speaker => Self::Speaker,
        }
    }
}

impl From<WireRole> for Role {
    fn from(wire: WireRole) -> Self {
        match wire {
            WireRole::Host => Self::Host,
            WireRole::CoHost => Self::CoHost,
            WireRole::Speaker => Self::Speaker,
        }
    }
}

impl From<Clock> for WireClock {
    fn from(clock: Clock) -> Self {
        let mode = match clock.mode {
            ClockMode::Speaker => WireMode::Speaker,
            ClockMode::Side => WireMode::Side,
            ClockMode::Turn => WireMode::Turn,
        };
        let budget = |one: Budget| WireBudget { name: one.name, who: numbers(&one.who), left_ms: one.left_ms };
        let running = clock.running.map(|participant| participant.0);
        Self { mode, budget_ms: clock.budget_ms, budgets: clock.budgets.into_iter().map(budget).collect(), running }
    }
}

impl From<WireClock> for Clock {
    fn from(wire: WireClock) -> Self {
        let mode = match wire.mode {
            WireMode::Speaker => ClockMode::Speaker,
            WireMode::Side => ClockMode::Side,
            WireMode::Turn => ClockMode::Turn,
        };
        let budget = |one: WireBudget| Budget { name: one.name, who: participants(one.who), left_ms: one.left_ms };
        let running = wire.running.map(ParticipantId);
        Self { mode, budget_ms: wire.budget_ms, budgets: wire.budgets.into_iter().map(budget).collect(), running }
    }
}

fn numbers(participants: &[ParticipantId]) -> Vec<u16> {
    participants.iter().map(|participant| participant.0).collect()
}

fn participants(numbers: Vec<u16>) -> Vec<ParticipantId> {
    numbers.into_iter().map(ParticipantId).collect()
}

impl From<What> for WireWhat {
    fn from(what: What) -> Self {
        match what {
            What::Joined { participant, key, name, role, ticket, backstage } => {
                Self::Joined { participant: participant.0, key, name, role: role.into(), ticket, backstage }
            }
            What::Stepped { participant, backstage } => Self::Stepped { participant: participant.0, backstage },
            What::Promoted { participant, role } => Self::Promoted { participant: participant.0, role: role.into() },
            What::Ready { participant, ready } => Self::Ready { participant: participant.0, ready },
            What::Renamed { participant, name } => Self::Renamed { participant: participant.0, name },
            What::Muted { participant, by } => Self::Muted {
                participant: participant.0,
                muted: by.is_some(),
                by: match by {
                    None | Some(MutedBy::Themselves) => None,
                    Some(MutedBy::Host) => Some(WireMutedBy::Host),
                    Some(MutedBy::Clock) => Some(WireMutedBy::Clock),
                },
            },
            What::Left { participant } => Self::Left { participant: participant.0 },
            What::Removed { participant } => Self::Removed { participant: participant.0 },
            What::Banned { ticket } => Self::Banned { ticket },
            What::Locked { locked } => Self::Locked { locked },
            What::InCharge { participant } => Self::InCharge { participant: participant.map(|one| one.0) },
            What::Succession { order } => Self::Succession { order: numbers(&order) },
            What::Admitted { ticket, name } => Self::Admitted { ticket, name },
            What::Declined { ticket } => Self::Declined { ticket },
            What::Clock { clock } => Self::Clock { clock: clock.map(WireClock::from) },
            What::Spoken { totals } => Self::Spoken { totals: totals.into_iter().map(|(one, millis)| (one.0, millis)).collect() },
            What::DoorsOpened => Self::DoorsOpened {},
            What::Begun { first } => Self::Begun { first: first.0 },
            What::EpochOpened { epoch, first, boot } => Self::EpochOpened { epoch: epoch.0, first: first.0, boot },
            What::RecordingStopped { first_lost } => Self::RecordingStopped { first_lost: first_lost.0 },
            What::Held { from } => Self::Held { from: from.map(|from| from.0) },
            What::Ended { end, heard } => Self::Ended { end: end.0, heard: heard.map(|heard| heard.0) },
        }
    }
}

impl From<WireWhat> for What {
    fn from(wire: WireWhat) -> Self {
        match wire {
            WireWhat::Joined { participant, key, name, role, ticket, backstage } => {
                Self::Joined { participant: ParticipantId(participant), key, name, role: role.into(), ticket, backstage }
            }
            WireWhat::Stepped { participant, backstage } => Self::Stepped { participant: ParticipantId(participant), backstage },
            WireWhat::Promoted { participant, role } => Self::Promoted { participant: ParticipantId(participant), role: role.into() },
            WireWhat::Ready { participant, ready } => Self::Ready { participant: ParticipantId(participant), ready },
            WireWhat::Renamed { participant, name } => Self::Renamed { participant: ParticipantId(participant), name },
            WireWhat::Muted { participant, muted, by } => {
                let by = match by {
                    None => MutedBy::Themselves,
                    Some(WireMutedBy::Host) => MutedBy::Host,
                    Some(WireMutedBy::Clock) => MutedBy::Clock,
                };
                Self::Muted { participant: ParticipantId(participant), by: muted.then_some(by) }
            }
            WireWhat::Left { participant } => Self::Left { participant: ParticipantId(participant) },
            WireWhat::Removed { participant } => Self::Removed { participant: ParticipantId(participant) },
            WireWhat::Banned { ticket } => Self::Banned { ticket },
            WireWhat::Locked { locked } => Self::Locked { locked },
            WireWhat::InCharge { participant } => Self::InCharge { participant: participant.map(ParticipantId) },
            WireWhat::Succession { order } => Self::Succession { order: participants(order) },
            WireWhat::Admitted { ticket, name } => Self::Admitted { ticket, name },
            WireWhat::Declined { ticket } => Self::Declined { ticket },
            WireWhat::Clock { clock } => Self::Clock { clock: clock.map(Clock::from) },
            WireWhat::Spoken { totals } => {
                Self::Spoken { totals: totals.into_iter().map(|(one, millis)| (ParticipantId(one), millis)).collect() }
            }
            WireWhat::DoorsOpened {} => Self::DoorsOpened,
            WireWhat::Begun { first } => Self::Begun { first: FragmentNumber(first) },
            WireWhat::EpochOpened { epoch, first, boot } => Self::EpochOpened { epoch: Epoch(epoch), first: FragmentNumber(first), boot },
            WireWhat::RecordingStopped { first_lost } => Self::RecordingStopped { first_lost: FragmentNumber(first_lost) },
            WireWhat::Held { from } => Self::Held { from: from.map(FragmentNumber) },
            WireWhat::Ended { end, heard } => Self::Ended { end: FragmentNumber(end), heard: heard.map(FragmentNumber) },
        }
    }
}
