//! The actions of a console as they are written (docs/formats.md, "HTTP of the stage").

use ::stage::{Action, Side};
use base::journal::{ClockMode, Role};
use base::{FaultKind, ParticipantId};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Wire {
    GoLive {
        #[serde(default)]
        yes: bool,
    },
    End,
    Ready {
        ready: bool,
        #[serde(default)]
        yes: bool,
    },
    Step {
        participant: Option<u16>,
        backstage: bool,
    },
    Mute {
        participant: u16,
        muted: bool,
    },
    MuteAll,
    Lock {
        locked: bool,
    },
    Rename {
        name: String,
    },
    Leave,
    Remove {
        participant: u16,
    },
    Ban {
        participant: u16,
    },
    Bar {
        ticket: String,
    },
    Promote {
        participant: u16,
        role: WireRole,
    },
    HandOver {
        participant: u16,
    },
    Succession {
        order: Vec<u16>,
    },
    Admit {
        hand: String,
    },
    Decline {
        hand: String,
    },
    Clock {
        mode: WireMode,
        #[serde(default)]
        seconds: u64,
        #[serde(default)]
        sides: Vec<WireSide>,
    },
    Turn {
        participant: Option<u16>,
    },
    Cut {
        seconds: u64,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireRole {
    CoHost,
    Speaker,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireMode {
    Off,
    Speaker,
    Side,
    Turn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSide {
    name: String,
    who: Vec<u16>,
}

/// Reads an action.
pub(super) fn read(body: &[u8]) -> Result<Action, FaultKind> {
    let wire: Wire = serde_json::from_slice(body).map_err(|_| FaultKind::BadRequest)?;
    let one = ParticipantId;
    Ok(match wire {
        Wire::GoLive { yes } => Action::GoLive { yes },
        Wire::End => Action::End,
        Wire::Ready { ready, yes } => Action::Ready { ready, yes },
        Wire::Step { participant, backstage } => Action::Step { participant: participant.map(one), backstage },
        Wire::Mute { participant, muted } => Action::Mute { participant: one(participant), muted },
        Wire::MuteAll => Action::MuteAll,
        Wire::Lock { locked } => Action::Lock { locked },
        Wire::Rename { name } => Action::Rename { name },
        Wire::Leave => Action::Leave,
        Wire::Remove { participant } => Action::Remove { participant: one(participant) },
        Wire::Ban { participant } => Action::Ban { participant: one(participant) },
        Wire::Bar { ticket } => Action::Bar { ticket: number(&ticket)? },
        Wire::Promote { participant, role } => {
            let role = match role {
                WireRole::CoHost => Role::CoHost,
                WireRole::Speaker => Role::Speaker,
            };
            Action::Promote { participant: one(participant), role }
        }
        Wire::HandOver { participant } => Action::HandOver { participant: one(participant) },
        Wire::Succession { order } => Action::Succession { order: order.into_iter().map(one).collect() },
        Wire::Admit { hand } => Action::Admit { hand: number(&hand)? },
        Wire::Decline { hand } => Action::Decline { hand: number(&hand)? },
        Wire::Clock { mode, seconds, sides } => {
            let mode = match mode {
                WireMode::Off => None,
                WireMode::Speaker => Some(ClockMode::Speaker),
                WireMode::Side => Some(ClockMode::Side),
                WireMode::Turn => Some(ClockMode::Turn),
            };
            let side = |side: WireSide| Side { name: side.name, who: side.who.into_iter().map(one).collect() };
            Action::Clock { mode, seconds, sides: sides.into_iter().map(side).collect() }
        }
        Wire::Turn { participant } => Action::Turn { participant: participant.map(one) },
        Wire::Cut { seconds } => Action::Cut { seconds },
    })
}

/// A hand's or a ticket's number, which no number of JavaScript holds.
fn number(digits: &str) -> Result<u64, FaultKind> {
    u64::from_str_radix(digits, 16).map_err(|_| FaultKind::BadRequest)
}
