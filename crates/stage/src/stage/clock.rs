//! The debate clock: budgets of time, whose runs, and what happens when one is spent.
//!
//! Time is counted only while its speaker's microphone is connected, so that a lost connection, or a restart of the stage, costs nobody
//! theirs. What is left is noted every few seconds; a crash gives back at most as much.

use super::place::shown;
use super::{Stage, Turn, millis};
use crate::kept::Kept;
use crate::words::{ClockView, Mix, Output, Side, Who};
use base::fact::{ClockLeft, ClockShown};
use base::journal::{Budget, Clock, ClockMode, MutedBy, Role, What};
use base::limit::{CLOCK_BUDGETS_MAX, CLOCK_CHIME_MILLIS, CLOCK_SECONDS_MAX};
use base::{FaultKind, ParticipantId};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Between two notes of what is left while it runs.
const NOTED_EVERY: Duration = Duration::from_secs(5);

/// How the time that runs is counted.
#[derive(Debug)]
pub(super) struct Running {
    /// Since when, beyond what the journal says; none while it stands still.
    since: Option<Instant>,
    /// Whether the chime has sounded for what is left.
    chimed: bool,
}

impl Running {
    /// Nothing is counted before the speaker's microphone is back.
    pub(super) fn new(kept: &Kept) -> Self {
        let left = kept.clock.as_ref().and_then(|clock| clock.budgets.get(running(clock)?));
        Self { since: None, chimed: left.is_some_and(|budget| budget.left_ms <= CLOCK_CHIME_MILLIS) }
    }
}

/// Which budget the time runs from.
fn running(clock: &Clock) -> Option<usize> {
    let who = clock.running?;
    clock.budgets.iter().position(|budget| budget.who.contains(&who))
}

impl Stage {
    /// The clock with what is left now.
    fn clock_now(&self) -> Option<Clock> {
        let mut clock = self.kept.clock.clone()?;
        if let (Some(since), Some(place)) = (self.clock.since, running(&clock))
            && let Some(budget) = clock.budgets.get_mut(place)
        {
            let passed = self.now.instant.saturating_duration_since(since).as_millis();
            budget.left_ms = budget.left_ms.saturating_sub(u64::try_from(passed).unwrap_or(u64::MAX));
        }
        Some(clock)
    }

    /// Milliseconds left of what is counted.
    fn left_ms(&self) -> Option<u64> {
        self.clock.since?;
        let clock = self.clock_now()?;
        Some(clock.budgets.get(running(&clock)?)?.left_ms)
    }

    pub(super) fn clock_view(&self) -> Option<ClockView> {
        let mut clock = self.clock_now()?;
        for budget in &mut clock.budgets {
            budget.name = self.budget_name(budget);
        }
        Some(ClockView { clock, counts: self.clock.since.is_some() })
    }

    fn budget_name(&self, budget: &Budget) -> String {
        let first = || budget.who.first().and_then(|who| self.kept.participants.get(who)).map(|person| person.name.clone());
        if budget.name.is_empty() { first().unwrap_or_default() } else { budget.name.clone() }
    }

    /// Whether the clock leaves this participant no time.
    pub(super) fn time_is_spent(&self, participant: ParticipantId) -> bool {
        if self.is_over() {
            return false;
        }
        let theirs = |clock: Clock| clock.budgets.into_iter().find(|budget| budget.who.contains(&participant));
        self.clock_now().and_then(theirs).is_some_and(|budget| budget.left_ms == 0)
    }

    pub(super) fn settle_clock(&mut self, turn: &mut Turn) {
        let Some(clock) = &self.kept.clock else { return };
        let who = clock.running;
        let microphone = who.and_then(|who| self.microphone(who));
        match (self.clock.since, microphone) {
            (None, Some(_)) => {
                self.clock.since = Some(turn.now.instant);
                self.show_clock(turn);
            }
            (Some(_), None) => self.note_clock(turn, None),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let (Some(left), Some(who), Some(session), Some(since)) = (self.left_ms(), who, microphone, self.clock.since) else { return };
        if left == 0 {
            self.note_clock(turn, None);
            self.change_clock(turn, |clock| clock.running = None);
            if self.placed(who).is_ok_and(|person| person.muted.is_none()) {
                self.decide(turn, What::Muted { participant: who, by: Some(MutedBy::Clock) });
                turn.out.push(Output::Mix(Mix::Fade { session }));
            }
        } else if left <= CLOCK_CHIME_MILLIS && !self.clock.chimed {
            self.clock.chimed = true;
            turn.out.push(Output::Mix(Mix::Chime));
        } else if turn.now.instant >= since + NOTED_EVERY {
            self.note_clock(turn, Some(turn.now.instant));
        }
    }

    pub(super) fn clock_deadline(&self) -> Option<Instant> {
        let (since, left) = (self.clock.since?, self.left_ms()?);
        let chime = left.checked_sub(CLOCK_CHIME_MILLIS).filter(|_| !self.clock.chimed);
        let next = chime.into_iter().chain([left]).min().map(|ahead| self.now.instant + millis(ahead));
        next.into_iter().chain([since + NOTED_EVERY]).min()
    }

    /// Writes down what is left; it goes on from `since`, or stands still.
    fn note_clock(&mut self, turn: &mut Turn, since: Option<Instant>) {
        if self.clock.since.is_some() {
            let now = self.clock_now();
            self.clock.since = since;
            self.journal(turn, What::Clock { clock: now });
            self.show_clock(turn);
        }
    }

    fn change_clock(&mut self, turn: &mut Turn, change: impl FnOnce(&mut Clock)) {
        let Some(mut clock) = self.kept.clock.clone() else { return };
        change(&mut clock);
        self.journal(turn, What::Clock { clock: Some(clock) });
        self.show_clock(turn);
    }

    fn show_clock(&mut self, turn: &mut Turn) {
        let shown = self.clock_view().map(|view| {
            let place = running(&view.clock).filter(|_| view.counts);
            let left = |(at, budget): (usize, &Budget)| ClockLeft {
                name: budget.name.clone(),
                left_ms: budget.left_ms,
                running: place == Some(at),
            };
            ClockShown { who: view.clock.running, budgets: view.clock.budgets.iter().enumerate().map(left).collect() }
        });
        self.listeners.set_clock(shown);
        turn.out.push(Output::StateChanged);
    }

    /// Sets the clock anew, or puts it away.
    pub(super) fn set_clock(
        &mut self,
        turn: &mut Turn,
        who: &Who,
        mode: Option<ClockMode>,
        seconds: u64,
        sides: Vec<Side>,
    ) -> Result<(), FaultKind> {
        self.must_rule(who)?;
        let clock = mode.map(|mode| self.new_clock(mode, seconds, sides)).transpose()?;
        self.clock = Running { since: None, chimed: false };
        if clock != self.kept.clock {
            self.journal(turn, What::Clock { clock });
        }
        self.show_clock(turn);
        Ok(())
    }

    fn new_clock(&self, mode: ClockMode, seconds: u64, sides: Vec<Side>) -> Result<Clock, FaultKind> {
        if seconds == 0 || seconds > CLOCK_SECONDS_MAX {
            return Err(FaultKind::BadClock);
        }
        let budget_ms = seconds * 1_000;
        let budgets = match mode {
            ClockMode::Turn => Vec::new(),
            ClockMode::Speaker => {
                let speaks = self.kept.on_stage().filter(|(_, person)| person.role() == Role::Speaker && !person.backstage);
                speaks.map(|(id, _)| Budget { name: String::new(), who: vec![id], left_ms: budget_ms }).collect()
            }
            ClockMode::Side => self.sides(sides, budget_ms)?,
        };
        Ok(Clock { mode, budget_ms, budgets, running: None })
    }

    /// Every side has a name and somebody who is on stage; nobody speaks for two.
    fn sides(&self, sides: Vec<Side>, budget_ms: u64) -> Result<Vec<Budget>, FaultKind> {
        let mut seen = BTreeSet::new();
        let each_once = sides.iter().flat_map(|side| &side.who).all(|who| self.placed(*who).is_ok() && seen.insert(*who));
        let whole = sides.iter().all(|side| !side.who.is_empty() && !shown(&side.name).is_empty());
        if sides.is_empty() || sides.len() > CLOCK_BUDGETS_MAX || !each_once || !whole {
            return Err(FaultKind::BadClock);
        }
        Ok(sides.into_iter().map(|side| Budget { name: shown(&side.name), who: side.who, left_ms: budget_ms }).collect())
    }

    /// Lets somebody's time run, or nobody's. Whose time runs may stop it themselves.
    pub(super) fn give_turn(&mut self, turn: &mut Turn, who: &Who, participant: Option<ParticipantId>) -> Result<(), FaultKind> {
        let clock = self.clock_now().ok_or(FaultKind::BadClock)?;
        let yields = participant.is_none() && clock.running.is_some() && clock.running == self.place_of(who);
        if !yields {
            self.must_rule(who)?;
        }
        let mut next = Clock { running: participant, ..clock };
        if let Some(participant) = participant {
            self.placed(participant)?;
            let new = || Budget { name: String::new(), who: vec![participant], left_ms: next.budget_ms };
            if next.mode == ClockMode::Turn {
                next.budgets = vec![new()];
            } else if running(&next).is_none() {
                if next.mode == ClockMode::Side || next.budgets.len() >= CLOCK_BUDGETS_MAX {
                    return Err(FaultKind::BadClock);
                }
                let new = new();
                next.budgets.push(new);
            }
        }
        let left = running(&next).and_then(|place| next.budgets.get(place)).map(|budget| budget.left_ms);
        if left == Some(0) {
            return Err(FaultKind::TimeSpent);
        }
        self.clock = Running { since: None, chimed: left.is_some_and(|left| left <= CLOCK_CHIME_MILLIS) };
        self.journal(turn, What::Clock { clock: Some(next) });
        self.show_clock(turn);
        Ok(())
    }
}
