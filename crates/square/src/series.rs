//! Series: when the events come that come again.

use crate::event::wanted::{Again, Until};
use base::limit::SERIES_EVENTS_MAX;
use base::{FaultKind, UnixMillis};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use store::Repeats;

/// When the events of a series begin. They keep the hour of the first on the clocks of `zone`, whatever these do in between.
///
/// # Errors
/// [`FaultKind::SeriesUnusable`] when these are fewer than two or more than [`SERIES_EVENTS_MAX`].
pub fn starts(first: UnixMillis, again: &Again, zone: &TimeZone) -> Result<Vec<UnixMillis>, FaultKind> {
    let first = Timestamp::from_millisecond(first.0).map_err(|_| FaultKind::SeriesUnusable)?.to_zoned(zone.clone());
    let mut starts = Vec::new();
    // One more than may be, so that it is seen when they are too many.
    for place in 0..=SERIES_EVENTS_MAX {
        let at = nth(&first, again.repeats, place).ok_or(FaultKind::SeriesUnusable)?;
        let is_over = match again.until {
            Until::Times(times) => place >= times,
            Until::Day(day) => at.date() > day,
        };
        if is_over {
            break;
        }
        starts.push(UnixMillis(at.timestamp().as_millisecond()));
    }
    if (2..=SERIES_EVENTS_MAX).contains(&starts.len()) { Ok(starts) } else { Err(FaultKind::SeriesUnusable) }
}

fn nth(first: &Zoned, repeats: Repeats, place: usize) -> Option<Zoned> {
    let place = i64::try_from(place).ok()?;
    match repeats {
        Repeats::Weekly => first.checked_add((7 * place).days()).ok(),
        Repeats::Fortnightly => first.checked_add((14 * place).days()).ok(),
        Repeats::Monthly => {
            let month = first.date().first_of_month().checked_add(place.months()).ok()?;
            let day = same_weekday(month, first.date())?;
            first.with().date(day).build().ok()
        }
    }
}

/// The day of `month` that is to it what `day` is to its own: the third Tuesday; a fifth is the last.
fn same_weekday(month: Date, day: Date) -> Option<Date> {
    let weekday: Weekday = day.weekday();
    match (day.day() - 1) / 7 + 1 {
        5 => month.nth_weekday_of_month(-1, weekday).ok(),
        nth => month.nth_weekday_of_month(nth, weekday).ok(),
    }
}

#[cfg(test)]
mod tests;
