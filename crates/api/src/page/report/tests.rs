//! Drops, cells, and a chart of nothing.

use super::{average, cell, chart, drops, rows};
use crate::replay::Moments;

fn moments() -> Moments {
    Moments::read(
        br#"{"seconds":50,"step":10,"listeners":[5,90,30,31,0],"people":[{"id":1,"name":"Ada","spoke_ms":9},{"id":2,"name":"","spoke_ms":1}],
            "turns":[[1,0,25],[2,15,21]]}"#,
    )
}

#[test]
fn where_they_left() {
    let named: Vec<_> = drops(&moments()).into_iter().map(|drop| (drop.clock, drop.left, drop.speaking)).collect();
    assert_eq!(named, [("0:20".to_owned(), 60, "Ada, Speaker 2".to_owned()), ("0:40".to_owned(), 31, String::new())]);
    assert!(drops(&Moments::default()).is_empty());
}

#[test]
fn a_chart_ends_where_the_sound_does() {
    let (line, area) = chart(&moments(), 90);
    assert!(line.starts_with("100.0,189.4 300.0,10.0 ") && line.ends_with("900.0,200.0 "), "{line}");
    assert!(area.starts_with("0,200 ") && area.ends_with(" 1000,200"));
    assert_eq!(chart(&Moments::default(), 0).0, "");
    assert_eq!((average(&[]), average(&[1, 1, 0, 1]), average(&moments().listeners)), (0, 1, 31));
    assert_eq!(rows(&moments()).len(), 5);
}

#[test]
fn a_cell_is_no_formula() {
    for (text, written) in [("Ada", "\"Ada\""), ("a \"b\"", "\"a \"\"b\"\"\""), ("=1+1", "\"'=1+1\""), ("", "\"\"")] {
        assert_eq!(cell(text), written);
    }
}
