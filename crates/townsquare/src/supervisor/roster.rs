//! The roster: which roles there are, how they fare, and when one is killed or started again. Decides, does nothing.

use crate::link::RoleName;
use base::limit::{ROLE_RESTART_MILLIS_MAX, ROLE_SILENT_MILLIS_MAX, ROLE_START_MILLIS_MAX};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SILENT: Duration = Duration::from_millis(ROLE_SILENT_MILLIS_MAX);
const START: Duration = Duration::from_millis(ROLE_START_MILLIS_MAX);
const RESTART_MAX: Duration = Duration::from_millis(ROLE_RESTART_MILLIS_MAX);

/// A role that lives shorter than this died at its start.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// What a start that did not work waits at first.
const RESTART_MIN: Duration = Duration::from_millis(100);

/// One process of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoleId {
    /// What it does.
    pub(crate) role: RoleName,
    /// Which worker, from 0.
    pub(crate) index: u32,
}

impl std::fmt::Display for RoleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.role {
            RoleName::Relay => write!(f, "{} {}", self.role.name(), self.index),
            RoleName::Stage | RoleName::Square | RoleName::Copy => f.write_str(self.role.name()),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// This role is to run from now on.
    Wanted(RoleId),
    /// Its process runs; it is to be heard of soon.
    Started(RoleId),
    /// It can't be started yet.
    NotStarted(RoleId),
    /// Its loop went round.
    Beat(RoleId),
    /// Its process has ended.
    Exited(RoleId),
    /// The supervisor itself stood still for so long; nobody is judged for that time.
    Delayed(Duration),
    /// Time has passed.
    Tick,
    /// Nobody is judged or started any more.
    Stop,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Start it and say whether it worked.
    Start(RoleId),
    /// Kill it: it was silent for too long. Its end is reported as every other's.
    Kill(RoleId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Due { at: Instant },
    Starting,
    Running { since: Instant, silent_at: Instant, beaten: bool },
    Killed { since: Instant, beaten: bool },
}

#[derive(Debug)]
struct Slot {
    state: State,
    short_lives: u32,
    deaths: u64,
}

/// All roles and how they fare.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    slots: BTreeMap<RoleId, Slot>,
    stopping: bool,
}

impl Roster {
    /// Takes in what happened; says what is to be done.
    pub(crate) fn handle(&mut self, now: Instant, input: Input) -> Vec<Order> {
        match input {
            Input::Wanted(id) => {
                self.slots.entry(id).or_insert(Slot { state: State::Due { at: now }, short_lives: 0, deaths: 0 });
            }
            Input::Started(id) => self.set(id, State::Running { since: now, silent_at: now + START, beaten: false }),
            Input::NotStarted(id) => self.set(id, State::Due { at: now + RESTART_MIN }),
            Input::Beat(id) => {
                if let Some(State::Running { silent_at, beaten, .. }) = self.slots.get_mut(&id).map(|slot| &mut slot.state) {
                    (*silent_at, *beaten) = (now + SILENT, true);
                }
            }
            Input::Exited(id) => self.exited(now, id),
            Input::Delayed(lost) => self.slots.values_mut().for_each(|slot| {
                if let State::Running { silent_at, beaten, .. } = &mut slot.state {
                    // Who was heard of since needs no more time than ever.
                    *silent_at = (*silent_at + lost).min(now + if *beaten { SILENT } else { START });
                }
            }),
            Input::Tick => {}
            Input::Stop => self.stopping = true,
        }
        if self.stopping { Vec::new() } else { self.orders(now, input == Input::Tick) }
    }

    /// Whether every role's loop has gone round since its start.
    pub(crate) fn complete(&self) -> bool {
        !self.slots.is_empty() && self.slots.values().all(|slot| matches!(slot.state, State::Running { beaten: true, .. }))
    }

    /// Every role: whether it runs, and how often it has died.
    pub(crate) fn roles(&self) -> impl Iterator<Item = (RoleId, bool, u64)> {
        self.slots.iter().map(|(id, slot)| (*id, matches!(slot.state, State::Running { beaten: true, .. }), slot.deaths))
    }

    fn set(&mut self, id: RoleId, state: State) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.state = state;
        }
    }

    /// The first death is answered at once; one that follows a short life waits longer and longer, never for ever.
    fn exited(&mut self, now: Instant, id: RoleId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let (State::Running { since, beaten, .. } | State::Killed { since, beaten }) = slot.state else { return };
        slot.deaths += 1;
        slot.short_lives = if now - since < SHORT_LIFE || !beaten { slot.short_lives + 1 } else { 0 };
        let wait = match slot.short_lives {
            0 | 1 => Duration::ZERO,
            many => (RESTART_MIN * 2u32.saturating_pow(many.min(16) - 2)).min(RESTART_MAX),
        };
        slot.state = State::Due { at: now + wait };
    }

    /// Only a tick judges: everything else may be heard by a supervisor that stood still and does not know it yet.
    fn orders(&mut self, now: Instant, judging: bool) -> Vec<Order> {
        let mut orders = Vec::new();
        for (id, slot) in &mut self.slots {
            match slot.state {
                State::Due { at } if at <= now => {
                    slot.state = State::Starting;
                    orders.push(Order::Start(*id));
                }
                State::Running { since, silent_at, beaten } if judging && silent_at <= now => {
                    slot.state = State::Killed { since, beaten };
                    orders.push(Order::Kill(*id));
                }
                State::Due { .. } | State::Starting | State::Running { .. } | State::Killed { .. } => {}
            }
        }
        orders
    }
}

#[cfg(test)]
mod tests;
