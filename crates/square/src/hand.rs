//! Raised hands: who wants to speak says what about; listeners vote; a host admits or declines.

use crate::{Fault, words};
use base::limit::{HANDS_WAITING_MAX, HANDS_WAITING_PER_ADDRESS_MAX, STAGE_NAME_CHARS_MAX, TOPIC_CHARS_MAX};
use base::{EventId, FaultKind, Speak, UnixMillis};
use store::{Ballot, Event, Hand, Phase, Standing, Store};

/// Raises a visitor's hand, or lets one that waits say something else. `network`: the number of the network from which they come, unless
/// they are known; one network may fill a part of the queue alone.
///
/// # Errors
/// The event is over or takes no hands, what was typed can't be said, as many wait as may, or the database fails.
pub async fn raise(
    store: &Store,
    event: &Event,
    ticket: u64,
    network: Option<u64>,
    name: &str,
    topic: &str,
    now: UnixMillis,
) -> Result<Hand, Fault> {
    is_time(event)?;
    if !may_raise(event) {
        return Err(FaultKind::HandsClosed.into());
    }
    let (name, topic) = (words::line(name, STAGE_NAME_CHARS_MAX)?, words::line(topic, TOPIC_CHARS_MAX)?);
    let hand = Hand { ticket, name, topic, standing: Standing::Waiting, spoke: false, raised_at: now, votes: 0 };
    let share = network.map(|network| (network, HANDS_WAITING_PER_ADDRESS_MAX));
    if !store.raise_hand(event.id, &hand, share, HANDS_WAITING_MAX).await? {
        has_room(store, event.id, network).await?;
        return Err(FaultKind::HandsFull.into());
    }
    Ok(store.hand(event.id, ticket).await?.unwrap_or(hand))
}

/// Whether one more hand of the network of this number may wait.
///
/// # Errors
/// [`FaultKind::HandsOfNetworkFull`], or the database fails.
pub async fn has_room(store: &Store, event: EventId, network: Option<u64>) -> Result<(), Fault> {
    let Some(network) = network else { return Ok(()) };
    let waiting = usize::try_from(store.hands_waiting_of(event, network).await?).unwrap_or(usize::MAX);
    if waiting < HANDS_WAITING_PER_ADDRESS_MAX { Ok(()) } else { Err(FaultKind::HandsOfNetworkFull.into()) }
}

/// Whether hands are raised in this event at all.
#[must_use]
pub const fn may_raise(event: &Event) -> bool {
    matches!(event.plan.speak, Speak::Hands)
}

/// What became of a hand, and its place in the queue while it waits: 1 is next.
///
/// # Errors
/// [`FaultKind::NotFound`], or the database fails.
pub async fn standing(store: &Store, event: EventId, ticket: u64) -> Result<(Hand, Option<usize>), Fault> {
    let hand = store.hand(event, ticket).await?.ok_or(FaultKind::NotFound)?;
    let waits = hand.standing == Standing::Waiting;
    let queue = if waits { store.hands_waiting(event).await? } else { Vec::new() };
    let place = queue.iter().position(|other| other.ticket == ticket).map(|place| place + 1);
    Ok((hand, place))
}

/// Takes a hand down that waits; one that does not stays as it is.
///
/// # Errors
/// The database fails.
pub async fn lower(store: &Store, event: EventId, ticket: u64) -> Result<(), Fault> {
    store.settle_hand(event, ticket, Standing::Gone).await?;
    Ok(())
}

/// Notes a vote for a hand that waits. Nobody votes for their own.
///
/// # Errors
/// [`FaultKind::NotFound`]: it does not wait; [`FaultKind::Forbidden`]: it is theirs; or the database fails.
pub async fn vote(store: &Store, event: &Event, hand: u64, voter: u64) -> Result<(), Fault> {
    is_time(event)?;
    if hand == voter {
        return Err(FaultKind::Forbidden.into());
    }
    match store.hand(event.id, hand).await? {
        Some(Hand { standing: Standing::Waiting, .. }) => store.vote(event.id, Ballot::Hand(hand), voter, 0).await?,
        Some(_) | None => return Err(FaultKind::NotFound.into()),
    };
    Ok(())
}

/// Whether an audience still takes part.
///
/// # Errors
/// [`FaultKind::EventEnded`].
pub const fn is_time(event: &Event) -> Result<(), FaultKind> {
    match event.phase() {
        Phase::Announced | Phase::Live => Ok(()),
        Phase::Ended => Err(FaultKind::EventEnded),
    }
}

#[cfg(test)]
mod tests;
