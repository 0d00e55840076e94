//! Raised hands: in which order to take them, what became of them, and what the other roles know of it.

use super::{Stage, Turn};
use crate::words::{Output, Who};
use base::FaultKind;
use base::fact::{Fact, Hand};
use base::journal::What;
use base::limit::HANDS_WAITING_MAX;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Who has talked this long has spoken; less is a cough.
const SPOKE_MILLIS: u64 = 1_000;

/// What the square said last, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Hands {
    raised: Vec<Hand>,
    barred: Vec<u64>,
    seats: Seats,
}

/// What of [`Fact::Seats`] was told.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Seats {
    admitted: Vec<u64>,
    declined: Vec<u64>,
    spoke: Vec<u64>,
    in_charge: bool,
}

impl Stage {
    pub(super) fn raised(&mut self, turn: &mut Turn, mut hands: Vec<Hand>) {
        hands.truncate(HANDS_WAITING_MAX);
        if hands != self.hands.raised {
            self.hands.raised = hands;
            turn.out.push(Output::StateChanged);
        }
    }

    /// The hands that wait for an answer: first who has not spoken, then by votes, then by time.
    pub(super) fn waiting_hands(&self) -> Vec<Hand> {
        let spoke = self.who_spoke();
        let waits = |hand: &&Hand| {
            let answered = self.kept.hands.get(&hand.id).is_some_and(|answer| hand.since <= answer.at);
            !answered && !self.kept.banned.contains(&hand.id)
        };
        let mut hands: Vec<Hand> = self.hands.raised.iter().filter(waits).cloned().collect();
        for hand in &mut hands {
            hand.spoke |= spoke.contains(&hand.id);
        }
        hands.sort_by_key(|hand| (hand.spoke, Reverse(hand.votes), hand.since, hand.id));
        hands
    }

    pub(super) fn answer_hand(&mut self, turn: &mut Turn, who: &Who, hand: u64, admit: bool) -> Result<(), FaultKind> {
        self.must_rule(who)?;
        let hand = self.waiting_hands().into_iter().find(|one| one.id == hand).ok_or(FaultKind::NotFound)?;
        let what = if admit { What::Admitted { ticket: hand.id, name: hand.name } } else { What::Declined { ticket: hand.id } };
        self.decide(turn, what);
        Ok(())
    }

    /// The tickets of those who have spoken.
    fn who_spoke(&self) -> BTreeSet<u64> {
        let people = self.kept.participants.iter().filter(|(_, person)| person.ticket != 0);
        people.filter(|(id, _)| self.air.spoken_by(**id) >= SPOKE_MILLIS).map(|(_, person)| person.ticket).collect()
    }

    /// Tells square and relays what has changed for them.
    pub(super) fn tell_roles(&mut self, turn: &mut Turn) {
        if !self.kept.banned.iter().eq(&self.hands.barred) {
            self.hands.barred = self.kept.banned.iter().copied().collect();
            turn.out.push(Output::Tell(Fact::Barred { event: self.event, tickets: self.hands.barred.clone() }));
        }
        let seats = self.seats();
        if seats != self.hands.seats {
            self.hands.seats = seats.clone();
            let Seats { admitted, declined, spoke, in_charge } = seats;
            turn.out.push(Output::Tell(Fact::Seats { event: self.event, admitted, declined, spoke, in_charge }));
        }
    }

    fn seats(&self) -> Seats {
        let answered = |admitted: bool| self.kept.hands.iter().filter(move |(_, answer)| answer.name.is_some() == admitted);
        // Who raised their hand again is waiting.
        let waits = |ticket: u64| self.hands.raised.iter().any(|hand| hand.id == ticket && hand.since > self.kept.hands[&ticket].at);
        Seats {
            admitted: answered(true).map(|(ticket, _)| *ticket).collect(),
            declined: answered(false).map(|(ticket, _)| *ticket).filter(|ticket| !waits(*ticket)).collect(),
            spoke: self.who_spoke().into_iter().collect(),
            in_charge: self.is_ruled(),
        }
    }
}
