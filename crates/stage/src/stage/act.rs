//! What people on stage may do, and what comes of it.

use super::place::shown;
use super::{Stage, Turn};
use crate::kept::Phase;
use crate::words::{Action, Mix, Output, SessionId, SessionKind, Who};
use base::journal::{MutedBy, Role, What};
use base::limit::{BARRED_TICKETS_MAX, CUT_SECONDS_MAX, SPEAKERS_PER_EVENT_MAX};
use base::{FaultKind, FragmentNumber, ParticipantId};

type Done = Result<(), FaultKind>;

impl Stage {
    pub(super) fn act(&mut self, turn: &mut Turn, who: &Who, action: Action) -> Done {
        if self.is_over() && !self.is_for_after(&action) {
            return if action == Action::End && self.role_of(who) != Role::Speaker { Ok(()) } else { Err(FaultKind::EventEnded) };
        }
        // Whoever was removed or banned does nothing here any more.
        self.known(who)?;
        let me = self.place_of(who);
        match action {
            Action::GoLive { yes } => self.go_live(turn, who, yes),
            Action::Ready { ready, yes } => self.ready(turn, who, ready, yes),
            Action::End => self.close(turn, who),
            Action::Mute { participant, muted } => self.mute(turn, who, me, participant, muted),
            Action::MuteAll => self.mute_all(turn, who),
            Action::Rename { name } => {
                let participant = me.ok_or(FaultKind::Forbidden)?;
                let name = Some(shown(&name)).filter(|name| !name.is_empty()).ok_or(FaultKind::BadRequest)?;
                self.decide(turn, What::Renamed { participant, name });
                Ok(())
            }
            Action::Leave => {
                let participant = me.ok_or(FaultKind::Forbidden)?;
                self.give_up(turn, What::Left { participant }, participant);
                Ok(())
            }
            Action::Step { participant, backstage } => self.step(turn, who, me, participant, backstage),
            Action::Lock { locked } => {
                self.must_rule(who)?;
                if self.kept.locked != locked {
                    self.decide(turn, What::Locked { locked });
                }
                Ok(())
            }
            Action::Remove { participant } => {
                self.over(who, participant)?;
                self.give_up(turn, What::Removed { participant }, participant);
                Ok(())
            }
            Action::Ban { participant } => self.ban(turn, who, participant),
            Action::Bar { ticket } => self.bar(turn, who, ticket),
            Action::Promote { participant, role } => self.promote(turn, who, participant, role),
            Action::HandOver { participant } => self.hand_over(turn, who, participant),
            Action::Succession { order } => self.set_succession(turn, who, order),
            Action::Admit { hand } => self.answer_hand(turn, who, hand, true),
            Action::Decline { hand } => self.answer_hand(turn, who, hand, false),
            Action::Clock { mode, seconds, sides } => self.set_clock(turn, who, mode, seconds, sides),
            Action::Turn { participant } => self.give_turn(turn, who, participant),
            Action::Cut { seconds } => {
                self.must_rule(who)?;
                if seconds == 0 || seconds > CUT_SECONDS_MAX {
                    return Err(FaultKind::BadRequest);
                }
                if !self.on_air() {
                    return Err(FaultKind::EventNotLive);
                }
                turn.out.push(Output::Cut { seconds });
                Ok(())
            }
        }
    }

    pub(super) fn must_rule(&self, who: &Who) -> Done {
        if self.rules(who) { Ok(()) } else { Err(FaultKind::Forbidden) }
    }

    /// Who rules does as they like with everybody but a host; a host also with other hosts.
    fn over(&self, who: &Who, participant: ParticipantId) -> Done {
        self.must_rule(who)?;
        let theirs = self.placed(participant)?.role();
        if theirs == Role::Host && self.role_of(who) != Role::Host { Err(FaultKind::Forbidden) } else { Ok(()) }
    }

    fn close(&mut self, turn: &mut Turn, who: &Who) -> Done {
        self.must_rule(who)?;
        self.finish(turn);
        Ok(())
    }

    /// The event is over, once what was spoken is sealed.
    pub(super) fn finish(&mut self, turn: &mut Turn) {
        self.ending = true;
        match self.kept.phase {
            Phase::Live | Phase::Doors => {
                self.note_spoken(turn);
                turn.out.push(Output::CloseProgramme);
            }
            Phase::Backstage | Phase::Ended => self.end(turn, FragmentNumber(0)),
        }
    }

    /// Oneself both ways; who rules may silence others but never open their microphone.
    fn mute(&mut self, turn: &mut Turn, who: &Who, me: Option<ParticipantId>, participant: ParticipantId, muted: bool) -> Done {
        if me != Some(participant) && !(muted && self.rules(who)) {
            return Err(FaultKind::Forbidden);
        }
        if self.placed(participant)?.muted.is_some() == muted {
            return Ok(());
        }
        if !muted && self.time_is_spent(participant) {
            return Err(FaultKind::TimeSpent);
        }
        let by = if me == Some(participant) { MutedBy::Themselves } else { MutedBy::Host };
        self.set_muted(turn, participant, muted.then_some(by));
        Ok(())
    }

    fn set_muted(&mut self, turn: &mut Turn, participant: ParticipantId, by: Option<MutedBy>) {
        self.decide(turn, What::Muted { participant, by });
        if let Some(session) = self.microphone(participant) {
            turn.out.push(Output::Mix(Mix::Mute { session, muted: by.is_some() }));
        }
    }

    fn mute_all(&mut self, turn: &mut Turn, who: &Who) -> Done {
        self.must_rule(who)?;
        let speaks = |(id, person): &(ParticipantId, &crate::Participant)| {
            person.muted.is_none() && person.role() == Role::Speaker && self.kept.in_charge != Some(*id)
        };
        for participant in self.kept.on_stage().filter(speaks).map(|(id, _)| id).collect::<Vec<_>>() {
            self.set_muted(turn, participant, Some(MutedBy::Host));
        }
        Ok(())
    }

    /// Oneself both ways. Who rules sends others back and calls them on stage, where they open their microphone themselves.
    fn step(&mut self, turn: &mut Turn, who: &Who, me: Option<ParticipantId>, whom: Option<ParticipantId>, backstage: bool) -> Done {
        let participant = whom.or(me).ok_or(FaultKind::Forbidden)?;
        if Some(participant) == me {
            if !backstage && self.kept.locked && !self.rules(who) {
                return Err(FaultKind::StageLocked);
            }
        } else {
            self.over(who, participant)?;
        }
        let person = self.placed(participant)?;
        if person.backstage != backstage {
            if Some(participant) != me && !backstage && person.muted.is_none() {
                // Opening it is up to them, and nobody silenced them.
                self.set_muted(turn, participant, Some(MutedBy::Themselves));
            }
            self.decide(turn, What::Stepped { participant, backstage });
        }
        Ok(())
    }

    /// Removes somebody and bars their ticket. Whoever came with the same ticket and holds a place keeps it.
    fn ban(&mut self, turn: &mut Turn, who: &Who, participant: ParticipantId) -> Done {
        self.over(who, participant)?;
        let person = self.placed(participant)?;
        if person.ticket_role == Role::Host {
            // It would bar every host who has the same link.
            return Err(FaultKind::Forbidden);
        }
        let ticket = person.ticket;
        self.note_ban(turn, ticket)?;
        self.give_up(turn, What::Removed { participant }, participant);
        self.shut_bearers(turn, ticket);
        Ok(())
    }

    /// Bars a ticket; everybody who came with it leaves, those who hold a place too.
    fn bar(&mut self, turn: &mut Turn, who: &Who, ticket: u64) -> Done {
        self.must_rule(who)?;
        self.bar_all_with(turn, ticket)
    }

    /// The square knows these as tickets of somebody who was banned. A host has none of them.
    pub(super) fn bar_too(&mut self, turn: &mut Turn, tickets: &[u64]) {
        if self.ending || self.kept.phase == Phase::Ended {
            return;
        }
        for ticket in tickets {
            if self.bar_all_with(turn, *ticket).is_err() {
                // As many are banned as may be; those whom a host named are among them.
                return;
            }
        }
    }

    fn bar_all_with(&mut self, turn: &mut Turn, ticket: u64) -> Done {
        self.note_ban(turn, ticket)?;
        let theirs: Vec<ParticipantId> =
            self.kept.on_stage().filter(|(_, person)| ticket != 0 && person.ticket == ticket).map(|(id, _)| id).collect();
        for participant in theirs {
            self.give_up(turn, What::Removed { participant }, participant);
        }
        self.shut_bearers(turn, ticket);
        Ok(())
    }

    fn note_ban(&mut self, turn: &mut Turn, ticket: u64) -> Done {
        if ticket == 0 || self.kept.banned.contains(&ticket) {
            return Ok(());
        }
        if self.kept.banned.len() >= BARRED_TICKETS_MAX {
            return Err(FaultKind::BanFull);
        }
        self.journal(turn, What::Banned { ticket });
        Ok(())
    }

    /// Whoever is at no place and has the ticket is the same guest in another window, as far as anybody can tell.
    fn shut_bearers(&mut self, turn: &mut Turn, ticket: u64) {
        let same = |session: &super::Session| ticket != 0 && session.who.ticket == ticket && self.owner(session).is_none();
        let theirs: Vec<SessionId> = self.sessions.iter().filter(|(_, session)| same(session)).map(|(id, _)| *id).collect();
        for session in theirs {
            self.shut(turn, session);
        }
    }

    fn promote(&mut self, turn: &mut Turn, who: &Who, participant: ParticipantId, role: Role) -> Done {
        self.over(who, participant)?;
        let person = self.placed(participant)?;
        if role == Role::Host || person.ticket_role == Role::Host {
            return Err(FaultKind::Forbidden);
        }
        if person.role() != role {
            self.decide(turn, What::Promoted { participant, role });
        }
        Ok(())
    }

    /// Puts somebody in charge: a co-host from now on, and the first in the order of succession.
    fn hand_over(&mut self, turn: &mut Turn, who: &Who, participant: ParticipantId) -> Done {
        self.must_rule(who)?;
        if self.placed(participant)?.role() == Role::Speaker {
            self.decide(turn, What::Promoted { participant, role: Role::CoHost });
        }
        let rest = self.kept.succession.iter().copied().filter(|one| *one != participant);
        let order: Vec<_> = std::iter::once(participant).chain(rest).take(SPEAKERS_PER_EVENT_MAX).collect();
        if order != self.kept.succession {
            self.decide(turn, What::Succession { order });
        }
        if self.kept.in_charge != Some(participant) {
            self.decide(turn, What::InCharge { participant: Some(participant) });
        }
        Ok(())
    }

    fn set_succession(&mut self, turn: &mut Turn, who: &Who, mut order: Vec<ParticipantId>) -> Done {
        self.must_rule(who)?;
        if order.len() > SPEAKERS_PER_EVENT_MAX {
            return Err(FaultKind::BadRequest);
        }
        let mut seen = std::collections::BTreeSet::new();
        order.retain(|one| seen.insert(*one));
        order.iter().try_for_each(|one| self.placed(*one).map(drop))?;
        if order != self.kept.succession {
            self.decide(turn, What::Succession { order });
        }
        Ok(())
    }

    /// Whether a session is a console of who holds this place.
    #[must_use]
    pub fn is_console_of(&self, session: SessionId, participant: ParticipantId) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.kind == SessionKind::Console && self.owner(session) == Some(participant))
    }
}
