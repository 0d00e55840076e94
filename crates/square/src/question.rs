//! Listeners' questions to the stage.

use crate::hand::is_time;
use crate::{Fault, words};
use base::limit::{QUESTION_CHARS_MAX, QUESTIONS_PER_EVENT_MAX, STAGE_NAME_CHARS_MAX};
use base::{FaultKind, UnixMillis};
use store::{Ballot, Event, Store};

/// Asks; gives the question's number. `name` may be empty: then nobody is named.
///
/// # Errors
/// The event is over, what was typed can't be said, as many were asked as may be, or the database fails.
pub async fn ask(store: &Store, event: &Event, ticket: u64, name: &str, text: &str, now: UnixMillis) -> Result<i64, Fault> {
    is_time(event)?;
    let name = if name.trim().is_empty() { String::new() } else { words::line(name, STAGE_NAME_CHARS_MAX)? };
    let text = words::line(text, QUESTION_CHARS_MAX)?;
    let number = store.insert_question(event.id, ticket, (&name, &text), now, QUESTIONS_PER_EVENT_MAX).await?;
    Ok(number.ok_or(FaultKind::QuestionsFull)?)
}

/// Notes a vote for an open question.
///
/// # Errors
/// The event is over, there is no such question, or the database fails.
pub async fn vote(store: &Store, event: &Event, number: i64, voter: u64) -> Result<(), Fault> {
    is_time(event)?;
    if !store.has_question(event.id, number).await? {
        return Err(FaultKind::NotFound.into());
    }
    store.vote(event.id, Ballot::Question(number), voter, 0).await?;
    Ok(())
}

/// Takes a question off the list.
///
/// # Errors
/// There is no such question, or the database fails.
pub async fn settle(store: &Store, event: &Event, number: i64) -> Result<(), Fault> {
    if store.settle_question(event.id, number).await? { Ok(()) } else { Err(FaultKind::NotFound.into()) }
}

#[cfg(test)]
mod tests;
