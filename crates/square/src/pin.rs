//! Pins: a text and a link that who runs an event holds up for everybody.

use crate::hand::is_time;
use crate::{Fault, words};
use base::limit::{PIN_ADDRESS_CHARS_MAX, PIN_CHARS_MAX, PINS_PER_EVENT_MAX};
use base::{FaultKind, UnixMillis};
use store::{Event, Store};

/// Hangs a pin up; gives its number.
///
/// # Errors
/// The event is over, what was typed is no pin, as many are up as fit, or the database fails.
pub async fn hang(store: &Store, event: &Event, text: &str, address: &str, now: UnixMillis) -> Result<i64, Fault> {
    is_time(event)?;
    let address = read_address(address)?;
    let number = store.insert_pin(event.id, &words::line(text, PIN_CHARS_MAX)?, &address, now, PINS_PER_EVENT_MAX).await?;
    Ok(number.ok_or(FaultKind::PinsFull)?)
}

/// Takes a pin down.
///
/// # Errors
/// There is no such pin, or the database fails.
pub async fn take(store: &Store, event: &Event, number: i64, now: UnixMillis) -> Result<(), Fault> {
    if store.take_pin(event.id, number, now).await? { Ok(()) } else { Err(FaultKind::NotFound.into()) }
}

/// A link as it was typed; nothing is no link. Only what leads to a page: a script in an address would run where it is shown.
///
/// # Errors
/// [`FaultKind::PinAddress`].
pub fn read_address(typed: &str) -> Result<String, FaultKind> {
    let typed = typed.trim();
    let scheme = typed.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let leads = match &scheme {
        Some((scheme, rest)) => {
            matches!(scheme.as_str(), "http" | "https")
                && rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'[')
        }
        None => typed.is_empty(),
    };
    let plain = typed.chars().count() <= PIN_ADDRESS_CHARS_MAX && !typed.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_shown = base::text::shown(typed) == typed;
    if leads && plain && is_shown { Ok(typed.to_owned()) } else { Err(FaultKind::PinAddress) }
}

#[cfg(test)]
mod tests;
