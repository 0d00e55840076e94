//! Pages are small on the wire.

use crate::page::home::EVENTS_SHOWN_MAX;
use crate::testing::{Town, path_of};
use store::testing::on_both;

/// What fits into a first flight of packets (RFC 6928: ten segments).
const PAGE_BYTES_MAX: usize = 14_000;

#[test]
fn the_fullest_pages_fit_into_one_flight() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let mut last = String::new();
        for number in 0..EVENTS_SHOWN_MAX {
            let title = format!(
                "{number} Der Titel einer Versammlung, die so lange heißt, wie es überhaupt nur geht, und noch ein wenig mehr {number}"
            );
            last = path_of(town.announce(&title, "unlisted").await["page"].as_str().expect("a page"));
        }
        let rehearsal = format!("{last}/rehearsal");
        for path in ["/", &last, &rehearsal, "/events/new", "/sign-in", "/nowhere"] {
            let headers = [("accept", "text/html"), ("accept-encoding", "gzip"), ("cookie", &ada)];
            let answer = town.ask(&format!("GET {path}"), &headers, "").await;
            assert_eq!(answer.header("content-encoding"), "gzip", "{path}");
            assert!(answer.body.len() <= PAGE_BYTES_MAX, "{path} has {} bytes", answer.body.len());
        }
    });
}
