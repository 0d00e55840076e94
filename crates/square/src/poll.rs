//! Polls: a question to everybody, with answers to choose from; one is open at a time.

use crate::hand::is_time;
use crate::{Fault, words};
use base::limit::{POLL_ANSWER_CHARS_MAX, POLL_ANSWERS_MAX, POLL_ANSWERS_MIN, POLL_QUESTION_CHARS_MAX, POLLS_PER_EVENT_MAX};
use base::{FaultKind, UnixMillis};
use store::{Ballot, Event, Store};

/// Opens a poll; gives its number. Answers that are empty are left out.
///
/// # Errors
/// The event is over, what was typed makes no poll, another one is open, there were as many as may be, or the database fails.
pub async fn open(store: &Store, event: &Event, text: &str, answers: &[String], now: UnixMillis) -> Result<i64, Fault> {
    is_time(event)?;
    let (text, answers) = (words::line(text, POLL_QUESTION_CHARS_MAX)?, read(answers)?);
    match store.insert_poll(event.id, &text, &answers, now, POLLS_PER_EVENT_MAX).await? {
        Some(number) => Ok(number),
        None if store.newest_poll(event.id).await?.is_some_and(|poll| poll.open) => Err(FaultKind::PollOpen.into()),
        None => Err(FaultKind::PollsFull.into()),
    }
}

/// The answers that were typed.
///
/// # Errors
/// [`FaultKind::PollAnswers`] or [`FaultKind::TextTooLong`].
pub fn read(typed: &[String]) -> Result<Vec<String>, FaultKind> {
    let mut answers = Vec::new();
    for answer in typed.iter().filter(|answer| !answer.trim().is_empty()) {
        let answer = words::line(answer, POLL_ANSWER_CHARS_MAX)?;
        if answers.len() == POLL_ANSWERS_MAX || answers.contains(&answer) {
            return Err(FaultKind::PollAnswers);
        }
        answers.push(answer);
    }
    if answers.len() < POLL_ANSWERS_MIN { Err(FaultKind::PollAnswers) } else { Ok(answers) }
}

/// Closes the poll.
///
/// # Errors
/// [`FaultKind::PollClosed`], or the database fails.
pub async fn close(store: &Store, event: &Event, number: i64) -> Result<(), Fault> {
    if store.close_poll(event.id, number).await? { Ok(()) } else { Err(FaultKind::PollClosed.into()) }
}

/// Notes a vote; the first of a voter stands.
///
/// # Errors
/// The poll is closed, has no such answer, or the database fails.
pub async fn vote(store: &Store, event: &Event, number: i64, answer: u8, voter: u64) -> Result<(), Fault> {
    is_time(event)?;
    let poll = store.newest_poll(event.id).await?.filter(|poll| poll.open && poll.number == number).ok_or(FaultKind::PollClosed)?;
    if usize::from(answer) >= poll.answers.len() {
        return Err(FaultKind::BadRequest.into());
    }
    store.vote(event.id, Ballot::Poll(number), voter, answer).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
