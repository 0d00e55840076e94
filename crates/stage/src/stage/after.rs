//! After the end: who was on stage together may go on talking among themselves. Nobody else hears it, and it is not recorded.

use super::{Stage, Turn, millis};
use crate::kept::Phase;
use crate::words::{Action, SessionId, SessionKind};
use base::ParticipantId;
use base::limit::AFTER_END_MILLIS_MAX;
use std::collections::BTreeSet;
use std::time::Instant;

/// Those who talk on.
#[derive(Debug)]
pub(super) struct After {
    who: BTreeSet<ParticipantId>,
    pub(super) until: Instant,
}

impl Stage {
    /// The event has ended: encoders, listeners and who would be alone are let go.
    pub(super) fn stay_behind(&mut self, turn: &mut Turn) {
        let who = self.who_may_stay();
        let stays = |session: &super::Session| {
            session.kind != SessionKind::Monitor && self.owner(session).is_some_and(|id| who.len() > 1 && who.contains(&id))
        };
        let gone: Vec<SessionId> = self.sessions.iter().filter(|(_, session)| !stays(session)).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|session| self.shut(turn, session));
        self.after = (who.len() > 1).then(|| After { who, until: turn.now.instant + millis(AFTER_END_MILLIS_MAX) });
    }

    /// An encoder without a console would be left on by mistake: only people who see that they are heard stay.
    fn who_may_stay(&self) -> BTreeSet<ParticipantId> {
        let consoles = self.sessions.values().filter(|session| session.kind == SessionKind::Console);
        consoles.filter_map(|session| self.owner(session)).filter(|id| self.microphone(*id).is_some()).collect()
    }

    /// It is over for good when the last microphone is gone, or after a while.
    pub(super) fn settle_after(&mut self, turn: &mut Turn) {
        let talks = self.sessions.values().any(|session| session.speaker.is_some());
        if talks && self.after.as_ref().is_some_and(|after| turn.now.instant < after.until) {
            return;
        }
        self.disperse(turn);
    }

    /// Until when they talk on at the longest.
    #[must_use]
    pub fn talks_until(&self) -> Option<Instant> {
        self.after.as_ref().map(|after| after.until)
    }

    /// They leave.
    pub(super) fn disperse(&mut self, turn: &mut Turn) {
        if self.kept.phase != Phase::Ended {
            return;
        }
        self.after = None;
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.shut(turn, session);
        }
    }

    /// Whether the event is over, or about to be.
    pub(super) fn is_over(&self) -> bool {
        self.ending || self.kept.phase == Phase::Ended
    }

    /// Whether somebody is among those who talk on.
    pub(super) fn talks_on(&self, participant: ParticipantId) -> bool {
        self.after.as_ref().is_some_and(|after| after.who.contains(&participant))
    }

    /// What those who talk on may still do.
    pub(super) const fn is_for_after(&self, action: &Action) -> bool {
        self.after.is_some()
            && matches!(action, Action::Mute { .. } | Action::MuteAll | Action::Rename { .. } | Action::Leave | Action::Remove { .. })
    }
}
