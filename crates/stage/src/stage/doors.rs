//! From the announcement to the first word: when the doors open, and when the event itself begins.

use super::{Stage, Turn, millis};
use crate::kept::{Participant, Phase};
use crate::words::{Output, SessionKind, Who};
use base::journal::{Role, What};
use base::{FaultKind, FragmentNumber, ParticipantId, UnixMillis};
use std::time::{Duration, Instant};

/// Between two attempts to open a programme that could not be opened.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The wall clock may be set meanwhile: what is due by it is looked at again this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// When the programme was last asked to be opened for who comes early.
    asked: Option<Instant>,
    /// Whether somebody wants the event to begin.
    wanted: bool,
    /// Whether the shell was asked where it does.
    beginning: bool,
}

impl Stage {
    /// Whether it is time for the doors to be open, and they are not.
    pub(super) fn doors_due(&self) -> bool {
        let wall = self.now.wall;
        let due = self.schedule.doors_at().is_some_and(|at| at <= wall) && self.schedule.gives_up_at().is_some_and(|at| wall < at);
        self.kept.phase == Phase::Backstage && due && !self.ending
    }

    /// Whether the announced second has come.
    fn is_time(&self) -> bool {
        self.schedule.start_at.is_some_and(|at| at <= self.now.wall)
    }

    /// Whether a host said that it may begin, and there is a microphone.
    fn is_host_ready(&self) -> bool {
        let hosts = || self.kept.on_stage().filter(|(id, person)| person.role() != Role::Speaker && self.microphone(*id).is_some());
        // An encoder, which has no name for itself, can't say it: with a host's ticket it is ready once it is heard.
        let is_ready = |(id, person): (ParticipantId, &Participant)| person.ready || (person.key.is_empty() && self.is_heard(id));
        hosts().any(is_ready) || (self.is_console_ready() && self.sessions.values().any(|session| session.speaker.is_some()))
    }

    /// Whether somebody who rules without a microphone said that it may begin.
    fn is_console_ready(&self) -> bool {
        self.sessions.values().any(|session| session.ready && self.owner(session).is_none() && self.rules(&session.who))
    }

    pub(super) fn settle_doors(&mut self, turn: &mut Turn) {
        let now = turn.now.instant;
        if self.doors_due() && self.doors.asked.is_none_or(|at| now >= at + AGAIN_AFTER) {
            self.doors.asked = Some(now);
            if !self.kept.doors {
                self.decide(turn, What::DoorsOpened);
            }
            turn.out.push(Output::OpenProgramme);
        }
        if self.kept.phase != Phase::Doors || self.ending {
            return;
        }
        if (self.doors.wanted || (self.is_time() && self.is_host_ready())) && !self.doors.beginning {
            self.doors.beginning = true;
            turn.out.push(Output::Begin);
        } else if self.sessions.is_empty() && self.schedule.gives_up_at().is_some_and(|at| at <= turn.now.wall) {
            self.finish(turn);
        }
    }

    pub(super) fn go_live(&mut self, turn: &mut Turn, who: &Who, yes: bool) -> Result<(), FaultKind> {
        self.must_rule(who)?;
        if self.kept.phase == Phase::Live {
            return Ok(());
        }
        if !yes && !self.is_anybody_heard() {
            return Err(FaultKind::MicrophoneSilent);
        }
        // Once the doors were to open the event begins in what they open.
        self.doors.wanted = self.kept.doors;
        if self.kept.phase == Phase::Backstage {
            turn.out.push(Output::OpenProgramme);
        }
        Ok(())
    }

    pub(super) fn ready(&mut self, turn: &mut Turn, who: &Who, ready: bool, yes: bool) -> Result<(), FaultKind> {
        let Some(participant) = self.place_of(who) else { return self.console_ready(turn, who, ready, yes) };
        if ready && !yes && !self.is_heard(participant) {
            return Err(FaultKind::MicrophoneSilent);
        }
        // A host whose microphone came with a speaker's ticket, as an encoder's does: the event waits for a host's word.
        if who.role != Role::Speaker {
            self.welcome_back(turn, participant, who);
        }
        if self.placed(participant)?.ready != ready {
            self.decide(turn, What::Ready { participant, ready });
        }
        Ok(())
    }

    /// The same of who rules without a microphone. It goes with their console.
    fn console_ready(&mut self, turn: &mut Turn, who: &Who, ready: bool, yes: bool) -> Result<(), FaultKind> {
        self.must_rule(who)?;
        if ready && !yes && !self.is_anybody_heard() {
            return Err(FaultKind::MicrophoneSilent);
        }
        let console = self.session_like(who, SessionKind::Console).and_then(|id| self.sessions.get_mut(&id));
        console.ok_or(FaultKind::Forbidden)?.ready = ready;
        turn.out.push(Output::StateChanged);
        Ok(())
    }

    /// Who said it before they turned their microphone on has said it.
    pub(super) fn keep_ready(&mut self, turn: &mut Turn, participant: ParticipantId, who: &Who) {
        let console = self.session_like(who, SessionKind::Console).and_then(|id| self.sessions.get_mut(&id));
        if console.is_some_and(|console| std::mem::take(&mut console.ready)) {
            self.decide(turn, What::Ready { participant, ready: true });
        }
    }

    pub(super) fn begun(&mut self, turn: &mut Turn, first: FragmentNumber) {
        if self.kept.phase == Phase::Doors {
            self.journal(turn, What::Begun { first });
            self.tell_live(turn);
        }
    }

    pub(super) fn doors_deadline(&self) -> Option<Instant> {
        if self.ending {
            return None;
        }
        let (ahead, again) = match self.kept.phase {
            Phase::Backstage if self.doors_due() => (None, self.doors.asked.map(|at| at + AGAIN_AFTER)),
            Phase::Backstage => (self.schedule.doors_at(), None),
            Phase::Doors if self.is_time() => (self.schedule.gives_up_at(), None),
            Phase::Doors => (self.schedule.start_at, None),
            Phase::Live | Phase::Ended => (None, None),
        };
        [ahead.and_then(|at| self.instant_of(at)), again].into_iter().flatten().min()
    }

    /// When the wall clock will show this, by what both clocks showed last; none when it has.
    fn instant_of(&self, at: UnixMillis) -> Option<Instant> {
        let ahead = u64::try_from(at.0.saturating_sub(self.now.wall.0)).ok().filter(|ahead| *ahead > 0)?;
        Some(self.now.instant + millis(ahead).min(LOOK_EVERY))
    }
}
