//! The square as programs meet it.

use crate::testing::{Town, path_of};
use serde_json::Value;
use store::testing::on_both;

const EVENTS: &str = "/api/townsquare/v1/events";

/// Ids and tickets are other ones each time.
fn plain(value: &Value, id: &str) -> Value {
    let mut text = value.to_string().replace(id, "ID");
    for class in ["https://square.example/stage/", "\"token\":\"", "/t/"] {
        let parts: Vec<&str> = text.split(class).collect();
        let rest = parts[1..].iter().map(|part| {
            let end = part.find(['"', '/', '.']).unwrap_or(part.len());
            format!("{class}TICKET{}", &part[end..])
        });
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn an_event_has_these_keys() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let event = town.announce("Town meeting", "private").await;
        let id = event["id"].as_str().expect("an id");
        let stage = path_of(event["stage"].as_str().expect("a stage"));
        let console = town.ask(&format!("GET {stage}"), &[("accept", "application/json")], "").await.json();
        let pretty = |value: &Value| serde_json::to_string_pretty(&plain(value, id)).expect("JSON");
        insta::allow_duplicates! {
            insta::assert_snapshot!("created", pretty(&event));
            insta::assert_snapshot!("stage", pretty(&console));
        }
    });
}

#[test]
fn the_public_gets_no_stage_links() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        for visibility in ["public", "unlisted", "private"] {
            town.announce(visibility, visibility).await;
        }
        let public = town.ask(&format!("GET {EVENTS}"), &[], "").await.json();
        let events = public["events"].as_array().expect("a list");
        assert_eq!(events.len(), 1, "{public}");
        for key in ["stage", "speakers", "whip"] {
            assert!(events[0].get(key).is_none(), "{key}");
        }
        let all = town.operate(&format!("GET {EVENTS}"), "").await.json();
        assert_eq!(all["events"].as_array().map(Vec::len), Some(3));
        let page = path_of(events[0]["page"].as_str().expect("a page"));
        let same = town.ask(&format!("GET {page}"), &[("accept", "application/json")], "").await.json();
        assert_eq!(same, events[0], "the page's address answers programs too");
    });
}

#[test]
fn a_script_of_a_signed_in_page_shows_the_word() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let word = town.get("/", &ada).await.word();
        let headers = [("cookie", ada.as_str()), ("x-csrf-token", word.as_str()), ("content-type", "application/json")];
        let created = town.ask(&format!("POST {EVENTS}"), &headers, "{\"title\":\"Town meeting\"}").await;
        assert_eq!(created.status, 201, "{created:?}");
        let made = town.ask("POST /api/townsquare/v1/accounts", &headers, "{\"name\":\"Grace\",\"role\":\"moderator\"}").await.json();
        assert_eq!((made["name"].as_str(), made["role"].as_str()), (Some("Grace"), Some("moderator")));
        let grace = town.submit(&path_of(made["link"].as_str().expect("a link")), "", "").await.cookie();
        assert!(town.get("/", &grace).await.text().contains(">Grace</span>"));
        assert_eq!(town.get("/events/new", &grace).await.status, 200);
        let again = town.ask("POST /api/townsquare/v1/accounts/grace/links", &headers, "").await;
        assert_eq!(again.status, 201, "{again:?}");
    });
}
