//! Clocks, names and what can't be read.

use super::{Moments, clock};

#[test]
fn clocks() {
    for (seconds, text) in [(0.0, "0:00"), (65.9, "1:05"), (3_665.0, "1:01:05"), (-3.0, "0:00"), (36_000.2, "10:00:00")] {
        assert_eq!(clock(seconds), text, "{seconds}");
    }
}

#[test]
fn speakers_come_by_how_long_they_spoke() {
    let moments = Moments::read(
        br#"{"people":[{"id":1,"name":"Ada","spoke_ms":5},{"id":2,"name":"","spoke_ms":90},{"id":3,"name":"Cy","spoke_ms":0}],"new":1}"#,
    );
    let names: Vec<String> = moments.speakers().iter().map(|person| person.called()).collect();
    assert_eq!(names, ["Speaker 2", "Ada"]);
    assert!(Moments::read(b"junk").people.is_empty());
}
