//! What every answer carries.

use crate::asset;
use crate::testing::{Town, path_of};
use store::testing::on_both;

#[test]
fn answers_are_locked_down() {
    on_both(|store| async move {
        let town = Town::new(store.clone(), super::SQUARE);
        let event = town.announce("Town meeting", "public").await;
        let stage = path_of(event["stage"].as_str().expect("a stage"));
        let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             media-src 'self' blob: https://live.example; connect-src 'self' https://live.example https://stage.example; \
             manifest-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        for (path, microphone) in [("/", "microphone=()"), ("/nowhere", "microphone=()"), (&stage, "microphone=(self)")] {
            let answer = town.get(path, "").await;
            assert_eq!(answer.header("content-security-policy"), policy, "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("strict-transport-security"), "max-age=15552000", "{path}");
            assert!(answer.header("permissions-policy").starts_with(microphone), "{path}");
        }
        let plain = Town::new(store, "http://127.0.0.1:8080");
        assert_eq!(plain.get("/", "").await.header("strict-transport-security"), "");
    });
}

#[test]
fn pages_are_asked_for_again_and_files_never() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let style = format!("{}/css/square.css", asset::prefix());
        // The end of the true address, which the next version's may have too.
        let end = format!("/assets/{}/css/square.css", &asset::prefix()[asset::prefix().len() - 1..]);
        for (path, kept, kind) in [
            ("/", "private, no-cache", "text/html; charset=utf-8"),
            ("/nowhere", "no-store", "text/html; charset=utf-8"),
            ("/openapi.json", "public, max-age=300", "application/openapi+json;version=3.1"),
            (&style, "public, max-age=31536000, immutable", "text/css; charset=utf-8"),
            ("/assets/0123456789abcdef/css/square.css", "no-cache", "text/css; charset=utf-8"),
            (&end, "no-cache", "text/css; charset=utf-8"),
        ] {
            let answer = town.get(path, "").await;
            assert_eq!((answer.header("cache-control"), answer.header("content-type")), (kept, kind), "{path}");
            assert_eq!(answer.header("vary").contains("Cookie"), kept.starts_with("private"), "{path}: a cache keeps one for all");
        }
    });
}
