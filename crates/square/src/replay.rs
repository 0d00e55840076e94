//! Replays: who hears one, who changes it, what may be cut off, and clips of it.

use crate::event::{find, may_run};
use crate::{Actor, Fault, words};
use base::limit::CLIP_SECONDS_MIN;
use base::{EventId, FaultKind, FragmentNumber};
use std::ops::Range;
use store::{Event, Phase, Replay, Store};

/// How much of an event's replay somebody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audible {
    /// All of it.
    Yes,
    /// It is hidden, and they run the event.
    ForWhoRunsIt,
    /// Nothing.
    No,
}

/// THE rule of who hears a replay, among those whom the event reaches.
#[must_use]
pub fn audible(actor: &Actor, event: &Event, replay: Option<&Replay>) -> Audible {
    let is_empty = replay.is_some_and(|replay| replay.is_read && replay.heard.is_empty());
    match replay {
        _ if !event.has_replay() || is_empty => Audible::No,
        Some(replay) if replay.deleted.is_some() => Audible::No,
        Some(replay) if replay.hidden_at.is_some() && may_run(actor, event).is_ok() => Audible::ForWhoRunsIt,
        Some(replay) if replay.hidden_at.is_some() => Audible::No,
        Some(_) | None => Audible::Yes,
    }
}

/// An ended event and its replay, for somebody who runs it and wants to change what became of it.
///
/// # Errors
/// There is no such event for them, they may not, [`FaultKind::NoReplay`], or the database fails.
pub async fn find_to_change(store: &Store, actor: &Actor, id: EventId) -> Result<(Event, Replay), Fault> {
    let event = find(store, actor, id, false).await?;
    may_run(actor, &event)?;
    let replay = store.replay(id).await?.unwrap_or(Replay::unread(id));
    if event.phase() != Phase::Ended || !event.has_replay() || replay.deleted.is_some() {
        return Err(FaultKind::NoReplay.into());
    }
    Ok((event, replay))
}

/// The fragments from one typed time to another: times of the replay, at least [`CLIP_SECONDS_MIN`] apart.
///
/// # Errors
/// [`FaultKind::RangeUnusable`].
pub fn range(replay: &Replay, from: &str, to: &str) -> Result<Range<FragmentNumber>, FaultKind> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place that was read is no more than seven digits of hours"
    )]
    let slot =
        |typed: &str, round: fn(f64) -> f64| words::place(typed).map(|seconds| round(seconds * 5.0) as u64).ok_or(FaultKind::RangeUnusable);
    let all = replay.heard.end.0.saturating_sub(replay.heard.start.0);
    let (from, to) = (slot(from, f64::floor)?, slot(to, f64::ceil)?);
    // Who types the replay's whole seconds may be a part of one behind its end.
    let to = if to < all + 5 { to.min(all) } else { return Err(FaultKind::RangeUnusable) };
    if to < from + CLIP_SECONDS_MIN * 5 {
        return Err(FaultKind::RangeUnusable);
    }
    Ok(FragmentNumber(replay.heard.start.0 + from)..FragmentNumber(replay.heard.start.0 + to))
}

/// What is to be cut so that only a range is left; nothing when that is all there is.
#[must_use]
pub fn outside(replay: &Replay, left: &Range<FragmentNumber>) -> Vec<Range<FragmentNumber>> {
    let ends = [replay.heard.start..left.start, left.end..replay.heard.end];
    ends.into_iter().filter(|range| !range.is_empty()).collect()
}

#[cfg(test)]
mod tests;
