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
            let about = format!("{}: was sonst noch dazu gehört, das steht hier; ", u64::from(number) * 7_919).repeat(60);
            let body =
                serde_json::json!({"title": title, "description": about, "visibility": "unlisted", "start_at": "2026-11-21T18:00:00Z"});
            let event = town.operate("POST /api/townsquare/v1/events", &body.to_string()).await.json();
            let id = event["id"].as_str().expect("an id").parse().expect("an id");
            town.store.set_picture(id, Some(&format!("{:016x}", id.to_i64()))).await.expect("noted");
            last = path_of(event["page"].as_str().expect("a page"));
        }
        for number in 0..40 {
            let mut event = store::testing::event(number, base::Visibility::Public, 1);
            event.title =
                format!("{number} Was diese Stadt im vergangenen Jahr beschlossen hat und was aus ihren Beschlüssen wurde {number}");
            town.store.insert_event(&event).await.expect("free");
            town.store.mark_live(event.id, base::UnixMillis(1)).await.expect("noted");
            let at = base::UnixMillis(i64::try_from(number).expect("small"));
            town.store.mark_ended(event.id, at, base::FragmentNumber(9)).await.expect("noted");
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
