//! The audience of every event at this moment: what it sends is added up here and told once a second.
//!
//! Nothing of it is kept: reactions are of the second, and what changed is read from the rows again.

use crate::rate::{Rate, household};
use crate::reaction::Tally;
use base::limit::{
    HANDS_PER_ADDRESS_MINUTE_MAX, PARTS_PER_ADDRESS_MINUTE_MAX, PARTS_PER_VISITOR_MINUTE_MAX, RATES_COUNTED_MAX,
    REACTIONS_PER_ADDRESS_SECOND_MAX, REACTIONS_PER_VISITOR_SECOND_MAX, VISITORS_PER_ADDRESS_HOUR_MAX,
};
use base::{EventId, FaultKind, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Who does something: the number of their ticket, and the network address that they come from, when it is known.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// Their number in the event. Who has none is one with all others of their address who have none.
    pub ticket: Option<u64>,
    /// Whether they have an account.
    pub is_member: bool,
    /// Where they come from.
    pub address: Option<IpAddr>,
}

impl Who {
    /// The network that they are counted to. Who has an account, which nobody makes in passing, is counted alone.
    #[must_use]
    pub fn household(&self) -> Option<u128> {
        self.address.filter(|_| !self.is_member).map(household)
    }
}

/// What is to be told of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The event.
    pub event: EventId,
    /// Reactions since the last time, by kind.
    pub reactions: Vec<(u8, u32)>,
    /// The hands are others now.
    pub hands: bool,
    /// Pins, poll or questions are others now.
    pub board: bool,
}

/// What became of hands, as the stage says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Newly admitted.
    pub admitted: Vec<u64>,
    /// Newly declined.
    pub declined: Vec<u64>,
}

/// All audiences.
#[derive(Debug)]
pub struct Assembly {
    events: BTreeMap<EventId, Gathering>,
    reactions_by_visitor: Rate,
    reactions_by_address: Rate,
    parts_by_visitor: Rate,
    parts_by_address: Rate,
    hands_by_address: Rate,
    /// Who has taken part, and how many of them are new from each address.
    visitors: Rate,
    visitors_by_address: Rate,
}

#[derive(Debug, Default)]
struct Gathering {
    reactions: Tally,
    listeners: u32,
    hands: bool,
    board: bool,
    admitted: BTreeSet<u64>,
    declined: BTreeSet<u64>,
}

impl Default for Assembly {
    fn default() -> Self {
        const SECOND: i64 = 1_000;
        let rate = |millis| Rate::new(millis, RATES_COUNTED_MAX);
        Self {
            events: BTreeMap::new(),
            reactions_by_visitor: rate(SECOND),
            reactions_by_address: rate(SECOND),
            parts_by_visitor: rate(60 * SECOND),
            parts_by_address: rate(60 * SECOND),
            hands_by_address: rate(60 * SECOND),
            visitors: rate(3_600 * SECOND),
            visitors_by_address: rate(3_600 * SECOND),
        }
    }
}

impl Assembly {
    /// Somebody reacted; `of` as in [`Tally::add`].
    ///
    /// # Errors
    /// There is no such kind, or they do it too often.
    pub fn react(&mut self, event: EventId, who: Who, kind: usize, of: u32, now: UnixMillis) -> Result<(), FaultKind> {
        let by_visitor = key(event, who).is_none_or(|key| self.reactions_by_visitor.allows(key, REACTIONS_PER_VISITOR_SECOND_MAX, now));
        let by_address =
            who.address.is_none_or(|address| self.reactions_by_address.allows(household(address), REACTIONS_PER_ADDRESS_SECOND_MAX, now));
        if !by_visitor || !by_address {
            return Err(FaultKind::TooManyRequests);
        }
        let gathering = self.events.entry(event).or_default();
        gathering.reactions.add(kind, of, gathering.listeners)
    }

    /// Whether somebody may raise a hand, ask or vote once more.
    ///
    /// # Errors
    /// [`FaultKind::TooManyRequests`]; [`FaultKind::VisitorsFull`]: as many visitors of their address do as are counted.
    pub fn may_take_part(&mut self, event: EventId, who: Who, now: UnixMillis) -> Result<(), FaultKind> {
        let by_visitor = key(event, who).is_none_or(|key| self.parts_by_visitor.allows(key, PARTS_PER_VISITOR_MINUTE_MAX, now));
        let from = who.household();
        let by_address = from.is_none_or(|from| self.parts_by_address.allows(from, PARTS_PER_ADDRESS_MINUTE_MAX, now));
        if !by_visitor || !by_address {
            return Err(FaultKind::TooManyRequests);
        }
        let (Some(ticket), Some(from)) = (who.ticket, from) else { return Ok(()) };
        let visitor = number(event, ticket);
        if !self.visitors.has_counted(visitor, now) {
            if !self.visitors_by_address.allows(from, VISITORS_PER_ADDRESS_HOUR_MAX, now) {
                return Err(FaultKind::VisitorsFull);
            }
            self.visitors.allows(visitor, 1, now);
        }
        Ok(())
    }

    /// Whether somebody may raise one more hand that does not wait yet.
    ///
    /// # Errors
    /// [`FaultKind::TooManyRequests`].
    pub fn may_raise(&mut self, who: Who, now: UnixMillis) -> Result<(), FaultKind> {
        let from = who.household();
        let may = from.is_none_or(|from| self.hands_by_address.allows(from, HANDS_PER_ADDRESS_MINUTE_MAX, now));
        if may { Ok(()) } else { Err(FaultKind::TooManyRequests) }
    }

    /// The hands of an event are others now.
    pub fn hands_changed(&mut self, event: EventId) {
        self.events.entry(event).or_default().hands = true;
    }

    /// Pins, poll or questions of an event are others now.
    pub fn board_changed(&mut self, event: EventId) {
        self.events.entry(event).or_default().board = true;
    }

    /// How many listen.
    pub fn listening(&mut self, event: EventId, listeners: u32) {
        self.events.entry(event).or_default().listeners = listeners;
    }

    /// What the stage says became of hands; gives what is new in it.
    pub fn seat(&mut self, event: EventId, admitted: &[u64], declined: &[u64]) -> Settled {
        let gathering = self.events.entry(event).or_default();
        let news = |now: &[u64], before: &BTreeSet<u64>| now.iter().copied().filter(|ticket| !before.contains(ticket)).collect();
        let settled = Settled { admitted: news(admitted, &gathering.admitted), declined: news(declined, &gathering.declined) };
        gathering.admitted = admitted.iter().copied().collect();
        gathering.declined = declined.iter().copied().collect();
        settled
    }

    /// The event is over.
    pub fn end(&mut self, event: EventId) {
        self.events.remove(&event);
    }

    /// What is to be told, once a second.
    pub fn due(&mut self) -> Vec<Due> {
        let due = self.events.iter_mut().map(|(event, gathering)| Due {
            event: *event,
            reactions: gathering.reactions.take(),
            hands: std::mem::take(&mut gathering.hands),
            board: std::mem::take(&mut gathering.board),
        });
        let due = due.filter(|due| due.hands || due.board || !due.reactions.is_empty()).collect();
        self.events.retain(|_, gathering| !gathering.is_empty());
        due
    }
}

impl Gathering {
    /// Whether nothing is lost when it is forgotten.
    fn is_empty(&self) -> bool {
        self.listeners == 0 && self.admitted.is_empty() && self.declined.is_empty()
    }
}

/// A visitor of one event among those of all.
fn number(event: EventId, ticket: u64) -> u128 {
    u128::from(event.to_i64().cast_unsigned()) << 64 | u128::from(ticket)
}

/// By what somebody is counted: their number, else their address, shared with all others there who have none.
fn key(event: EventId, who: Who) -> Option<u128> {
    who.ticket.map(|ticket| number(event, ticket)).or_else(|| who.address.map(household))
}

#[cfg(test)]
mod tests;
