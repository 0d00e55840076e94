//! The page is whole in itself and safe with any text.

use super::*;
use crate::Tally;
use crate::verdict::{Server, forecast};

#[test]
fn the_page_is_whole_and_nothing_in_it_is_loaded_or_run() {
    let tally = Tally { asked: 420_000, joined: 420_000, hearing: 420_000, ..Tally::default() };
    let moment =
        |second: u32| Moment { second: second.into(), joined: 100 * u64::from(second), cadence_p50_ms: Some(6_000), ..Moment::default() };
    let moments: Vec<Moment> = (0..60).map(moment).collect();
    let page = render(&Report {
        stream: "http://a.example/live/<script>.mp4?a&b",
        sentence: "Holds 420,000 listeners.",
        summary: &Summary::of(&tally, 120.0, Server::default()),
        moments: &moments,
        forecast: &forecast(420_000, 0.02),
    });
    assert!(page.starts_with("<!doctype html>") && page.contains("&lt;script&gt;.mp4?a&amp;b"));
    for foreign in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<svg").count(), 6);
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("Holds 420,000 listeners.") && page.contains("(not seen)"));
    let opened = |tag: &str| page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
    for tag in ["figure", "table", "svg", "div", "main", "tr"] {
        assert_eq!(opened(tag), page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn an_empty_run_makes_a_page() {
    let page = render(&Report {
        stream: "",
        sentence: "",
        summary: &Summary::of(&Tally::default(), 0.0, Server::default()),
        moments: &[],
        forecast: &forecast(0, 0.02),
    });
    assert!(!page.contains("NaN"), "{page}");
}
