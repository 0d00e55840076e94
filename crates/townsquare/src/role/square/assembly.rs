//! The audience beside the stage: what it sent is told once a second, what changed is read from the rows and told whole; and what the
//! stage says of hands is taken in.

use super::outside::Outside;
use crate::link::Link;
use anyhow::Context as _;
use base::fact::{Fact, Hand, Pin, Poll, Question};
use base::{EventId, Rung};
use square::assembly::Due;
use store::{Phase, Standing, Store};

/// Questions that the stage is told of: those with the most votes.
const QUESTIONS_TOLD_MAX: u32 = 20;

/// Tells the stage what is due.
pub(super) async fn tell(outside: &Outside, link: &Link) {
    for fact in due(outside).await {
        link.tell(fact);
    }
}

/// What the stage is to be told now; what can't be read from the rows is tried again a second later.
async fn due(outside: &Outside) -> Vec<Fact> {
    let due = outside.assembly().due();
    let mut facts = Vec::new();
    for Due { event, reactions, hands, board } in due {
        if !reactions.is_empty() {
            facts.push(Fact::Reacted { event, counts: reactions });
        }
        match whole(outside.store(), event, hands, board).await {
            Ok(whole) => facts.extend(whole),
            Err(error) => {
                tracing::error!(%event, error = format!("{error:#}"), "what an audience does could not be told");
                let mut assembly = outside.assembly();
                if hands {
                    assembly.hands_changed(event);
                }
                if board {
                    assembly.board_changed(event);
                }
            }
        }
    }
    facts
}

async fn whole(store: &Store, event: EventId, is_hands: bool, is_board: bool) -> anyhow::Result<Vec<Fact>> {
    let mut facts = Vec::new();
    if is_hands {
        facts.push(hands(store, event).await?);
    }
    if is_board {
        facts.push(board(store, event).await?);
    }
    Ok(facts)
}

async fn hands(store: &Store, event: EventId) -> anyhow::Result<Fact> {
    let hands = store.hands_waiting(event).await?.into_iter().map(|hand| Hand {
        id: hand.ticket,
        name: hand.name,
        topic: hand.topic,
        votes: hand.votes,
        spoke: hand.spoke,
        since: hand.raised_at,
    });
    Ok(Fact::Hands { event, hands: hands.collect() })
}

async fn board(store: &Store, event: EventId) -> anyhow::Result<Fact> {
    let pin = |pin: store::Pin| Pin { id: pin.number.cast_unsigned(), text: pin.text, url: pin.address };
    let question = |one: store::Question| Question { id: one.number.cast_unsigned(), text: one.text, votes: one.votes };
    let poll = |poll: store::Poll| Poll {
        id: poll.number.cast_unsigned(),
        question: poll.text,
        answers: poll.answers.into_iter().zip(poll.votes).collect(),
        open: poll.open,
    };
    Ok(Fact::Board {
        event,
        pins: store.pins(event).await?.into_iter().map(pin).collect(),
        poll: store.newest_poll(event).await?.map(poll),
        questions: store.questions(event, QUESTIONS_TOLD_MAX).await?.into_iter().map(question).collect(),
    })
}

/// What stands is said again: a square that has just started knows nothing of what was told.
pub(super) async fn tell_again(outside: &Outside) -> anyhow::Result<()> {
    let open = outside.store().open_events().await.context("can't read the open events")?;
    let mut assembly = outside.assembly();
    for event in open.iter().filter(|event| event.phase() == Phase::Live) {
        assembly.hands_changed(event.id);
        assembly.board_changed(event.id);
    }
    Ok(())
}

/// How many listen.
pub(super) fn listening(outside: &Outside, event: EventId, by_rung: &[(Rung, u32)]) {
    let all = by_rung.iter().fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
    outside.assembly().listening(event, all);
}

/// What became of hands.
pub(super) async fn seats(outside: &Outside, event: EventId, admitted: &[u64], declined: &[u64]) -> Result<(), store::Error> {
    let settled = outside.assembly().seat(event, admitted, declined);
    let news = settled.admitted.into_iter().map(|ticket| (ticket, Standing::Admitted));
    for (ticket, standing) in news.chain(settled.declined.into_iter().map(|ticket| (ticket, Standing::Declined))) {
        if outside.store().settle_hand(event, ticket, standing).await? {
            outside.assembly().hands_changed(event);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
