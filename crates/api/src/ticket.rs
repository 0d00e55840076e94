//! Tickets that the square hands out, and the links made of them.

use crate::app::App;
use base::{EventId, FaultKind, UnixMillis, Visibility};
use gate::ticket::{Claims, Class, admit, sign};
use square::Actor;
use square::visitor::{self, Known};
use store::{Event, Guest, Invite};

const SECOND: i64 = 1_000;
const DAY: i64 = 24 * 3_600 * SECOND;

/// How long a link in somebody's hands stays good after the event was to begin.
const GOOD_FOR: i64 = 30 * DAY;

/// A link that is handed out now is good for at least this long, however old the event is.
const GOOD_FOR_AT_LEAST: i64 = 7 * DAY;

/// How far the clocks of this machine may go back after a ticket was signed.
const CLOCK_MAY_JUMP: i64 = DAY;

/// The ticket of this class for this event. The same words every time within weeks, so that a link shown twice is one link.
pub(crate) fn for_event(app: &App, event: &Event, class: Class) -> String {
    sign(app.keys(), &claims(event, class, app.now()))
}

/// The ticket of an invite: as a stage link's, with a number of its own.
pub(crate) fn for_invite(app: &App, event: &Event, invite: &Invite) -> String {
    let class = match invite.guest {
        Guest::Speaker => Class::Speaker,
        Guest::CoHost => Class::CoHost,
    };
    sign(app.keys(), &Claims { id: invite.id, ..claims(event, class, app.now()) })
}

/// What the encoder of who runs the event shows: a speaker's ticket with a number of its own, so that a ban of whoever comes with the ticket
/// that all speakers share does not keep it out.
pub(crate) fn for_encoder(app: &App, event: &Event, actor: &Actor) -> String {
    let id = visitor::ticket(event.id, Known::Encoder(actor.id()));
    sign(app.keys(), &Claims { id, ..claims(event, Class::Speaker, app.now()) })
}

/// The ticket that listeners need: private events ask for one.
pub(crate) fn for_listeners(app: &App, event: &Event) -> Option<String> {
    (event.visibility == Visibility::Private).then(|| for_event(app, event, Class::Listener))
}

/// A listener's own ticket, with this number.
pub(crate) fn own(app: &App, event: &Event, id: u64) -> String {
    sign(app.keys(), &Claims { id, ..claims(event, Class::Listener, app.now()) })
}

/// Whether a ticket with this number is one that everybody who has the event's link shares.
pub(crate) fn is_shared(event: EventId, id: u64) -> bool {
    id >> 2 == event.to_i64().cast_unsigned()
}

/// Somebody came with this ticket for this event.
///
/// # Errors
/// It is no good ticket, or for another event.
pub(crate) fn check(app: &App, ticket: &str, event: EventId) -> Result<(), FaultKind> {
    Ok(admit(app.keys(), ticket, app.now(), event, Class::Listener).map(drop)?)
}

fn claims(event: &Event, class: Class, now: UnixMillis) -> Claims {
    let begins = event.start_at.unwrap_or(event.created_at).0.max(event.created_at.0);
    let short = now.0 + GOOD_FOR_AT_LEAST - (begins + GOOD_FOR);
    // Whole periods, so that the words change once in a while and not with every page.
    let longer = (short.max(0) + GOOD_FOR - 1) / GOOD_FOR * GOOD_FOR;
    Claims {
        event: event.id,
        class,
        id: number(event, class),
        not_before: second(event.created_at.0 - CLOCK_MAY_JUMP),
        not_after: second(begins + GOOD_FOR + longer),
    }
}

/// One number for each class of one event: what a revocation names.
fn number(event: &Event, class: Class) -> u64 {
    let place = match class {
        Class::Listener => 1,
        Class::Speaker => 2,
        Class::Host => 3,
        Class::Relay | Class::CoHost => 0,
    };
    event.id.to_i64().cast_unsigned() << 2 | place
}

fn second(millis: i64) -> u32 {
    u32::try_from((millis / SECOND).clamp(0, i64::from(u32::MAX))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
