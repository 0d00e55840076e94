//! Reactions added up.

use super::{Tally, kind};
use base::FaultKind;

#[test]
fn reactions_are_added_up_and_taken_once() {
    let mut tally = Tally::default();
    // (kind, of, listeners): one who says that they stand for others is believed as far as listeners bear it out.
    for (kind, of, listeners) in [(0, 1, 0), (0, 1, 0), (3, 8, 1_000), (7, 1_000, 100), (5, 0, 0)] {
        tally.add(kind, of, listeners).expect("a kind");
    }
    assert_eq!(tally.add(8, 1, 0), Err(FaultKind::BadRequest));
    assert_eq!(tally.take(), [(0, 2), (3, 8), (5, 1), (7, 5)]);
    assert_eq!(tally.take(), []);
}

#[test]
fn a_kind_has_a_name_and_a_number() {
    for (text, read) in [("clap", Some(0)), ("fire", Some(7)), ("7", Some(7)), ("8", None), ("", None), ("-1", None)] {
        assert_eq!(kind(text).ok(), read, "{text:?}");
    }
}
