//! When they come.

use super::starts;
use crate::event::wanted::{Again, Until};
use base::{FaultKind, UnixMillis};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use store::Repeats::{Fortnightly, Monthly, Weekly};

fn berlin() -> TimeZone {
    // Without a database of zones: Central European Time by its rule (POSIX).
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone")
}

#[test]
fn they_keep_the_hour_and_the_weekday() {
    let rows = [
        ("2026-10-20T16:00:00Z", Weekly, Until::Times(2), &["2026-10-20T16:00:00Z", "2026-10-27T17:00:00Z"][..]),
        (
            "2026-10-20T16:00:00Z",
            Fortnightly,
            Until::Day(date(2026, 11, 17)),
            &["2026-10-20T16:00:00Z", "2026-11-03T17:00:00Z", "2026-11-17T17:00:00Z"],
        ),
        ("2026-11-17T17:00:00Z", Monthly, Until::Times(3), &["2026-11-17T17:00:00Z", "2026-12-15T17:00:00Z", "2027-01-19T17:00:00Z"]),
        ("2026-08-31T16:00:00Z", Monthly, Until::Times(3), &["2026-08-31T16:00:00Z", "2026-09-28T16:00:00Z", "2026-10-26T17:00:00Z"]),
    ];
    for (first, repeats, until, wanted) in rows {
        let at = |text: &str| UnixMillis(text.parse::<Timestamp>().expect("a time").as_millisecond());
        let found = starts(at(first), &Again { repeats, until }, &berlin()).expect("a series");
        assert_eq!(found, wanted.iter().map(|text| at(text)).collect::<Vec<_>>(), "{first} {repeats:?}");
    }
}

#[test]
fn they_are_two_at_least_and_a_year_at_most() {
    for (until, fits) in [
        (Until::Times(1), false),
        (Until::Times(52), true),
        (Until::Times(53), false),
        (Until::Times(usize::MAX), false),
        (Until::Day(date(2026, 11, 20)), false),
        (Until::Day(date(9999, 12, 31)), false),
    ] {
        let found = starts(crate::testing::NOW, &Again { repeats: Weekly, until }, &TimeZone::UTC);
        assert_eq!(found.map(drop), if fits { Ok(()) } else { Err(FaultKind::SeriesUnusable) }, "{until:?}");
    }
}
