//! What is announced: by members, with all it says, changed, taken back, behind a passphrase, for guests by name, again and again.

use super::{SQUARE, main_of};
use crate::testing::{Town, path_of};
use square::event::Policy;
use store::testing::on_both;

/// Signs a member in; gives the cookie.
pub(super) async fn member(town: &Town, name: &str) -> String {
    let made = town.operate("POST /api/townsquare/v1/accounts", &serde_json::json!({ "name": name }).to_string()).await.json();
    town.submit(&path_of(made["link"].as_str().expect("a link")), "", "").await.cookie()
}

#[test]
fn a_member_announces_changes_and_takes_back() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let (bob, eve) = (member(&town, "bob").await, member(&town, "eve").await);
        let word = town.get("/events/new", &bob).await.word();
        let fields = format!(
            "csrf={word}&title=%D8%B3%D9%84%D8%A7%D9%85&language=AR&description=One%0D%0A%0D%0ASee+https%3A%2F%2Fexample.org%2Fx.&\
             record_tracks=yes&delay=5&speak=invited&start=2026-11-21T18%3A00"
        );
        let opened = town.submit("/events", &bob, &fields).await;
        assert_eq!(opened.status, 303, "{opened:?}");
        let path = opened.header("location").to_owned();
        let page = town.get(&path, "").await;
        for wanted in [
            "<h1 lang=\"ar\" dir=\"rtl\">",
            "<a href=\"https://example.org/x\" rel=\"nofollow ugc noopener\">https://example.org/x</a>.</p>",
            "recorded on a track of their own",
            "5 seconds after it is said",
        ] {
            assert!(page.text().contains(wanted), "{wanted}: {}", page.text());
        }
        assert!(!page.text().contains("/edit"));
        let mine = town.get(&path, &bob).await;
        let (_, stage) = mine.text().split_once("https://square.example/stage/").expect("the speakers' link");
        let stage = town.get(&format!("/stage/{}", stage.split('"').next().expect("a ticket")), "").await;
        assert!(stage.text().contains("recorded on a track of their own"), "{}", stage.text());
        assert!(mine.text().contains(&format!("href=\"{path}/edit\"")));
        assert_eq!(town.get(&format!("{path}/edit"), &eve).await.status, 403);
        let form = town.get(&format!("{path}/edit"), &bob).await;
        assert!(form.text().contains("value=\"2026-11-21T18:00\"") && form.text().contains("One\n\nSee https"), "{}", form.text());
        let wrong = town.submit(&format!("{path}/edit"), &bob, &format!("csrf={word}&title=&description=kept")).await;
        assert!(wrong.status == 422 && wrong.text().contains("kept</textarea>"), "{}", wrong.text());
        let saved = town.submit(&format!("{path}/edit"), &bob, &format!("csrf={word}&title=Hello&start=2026-11-21T18%3A00")).await;
        assert_eq!((saved.status, saved.header("location")), (303, path.as_str()));
        assert!(town.get(&path, "").await.text().contains("<h1 dir=\"auto\">Hello</h1>"));
        assert_eq!(town.submit(&format!("{path}/delete"), &eve, &format!("csrf={}", town.get("/", &eve).await.word())).await.status, 403);
        assert_eq!(town.submit(&format!("{path}/delete"), &bob, &format!("csrf={word}")).await.status, 303);
        assert_eq!(town.get(&path, &bob).await.status, 404);
        assert!(town.stagehand.announced.lock().expect("whole").is_empty());
    });
}

#[test]
fn what_has_begun_is_not_changed() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let ada = town.administrator().await;
        let event = town.announce("Town meeting", "public").await;
        let id = event["id"].as_str().expect("an id");
        town.operate(&format!("POST /api/townsquare/v1/events/{id}/go-live"), "").await;
        assert_eq!(town.get(&format!("/events/{id}/edit"), &ada).await.status, 409);
        for (line, code) in [("PATCH", "event-begun"), ("DELETE", "event-begun")] {
            let answer = town.operate(&format!("{line} /api/townsquare/v1/events/{id}"), "").await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (409, Some(code)), "{line}");
        }
    });
}

#[test]
fn programs_change_one_thing_and_leave_the_rest() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let body = serde_json::json!({"title": "A", "description": "B", "start_at": "2026-11-21T18:00:30Z", "delay_seconds": 10, "language": "de"});
        let made = town.operate("POST /api/townsquare/v1/events", &body.to_string()).await.json();
        let path = format!("/api/townsquare/v1/events/{}", made["id"].as_str().expect("an id"));
        let changed = town.operate(&format!("PATCH {path}"), r#"{"title":"C"}"#).await.json();
        for (key, wanted) in
            [("title", "C"), ("description", "B"), ("start_at", "2026-11-21T18:00:30Z"), ("language", "de"), ("speak", "hands")]
        {
            assert_eq!(changed[key], wanted, "{key}");
        }
        assert_eq!(changed["delay_seconds"], 10);
        assert_eq!(town.operate(&format!("PATCH {path}"), r#"{"delay_seconds":7}"#).await.status, 400);
        assert_eq!(town.operate(&format!("DELETE {path}"), "").await.status, 204);
        assert_eq!(town.operate(&format!("GET {path}"), "").await.status, 404);
    });
}

#[test]
fn a_passphrase_opens_the_door_and_the_door_tells_nothing() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let body = serde_json::json!({"title": "Board", "visibility": "private", "passphrase": "the old bridge"});
        let event = town.operate("POST /api/townsquare/v1/events", &body.to_string()).await.json();
        let path = format!("/events/{}", event["id"].as_str().expect("an id"));
        let door = town.get(&path, "").await;
        assert!(door.status == 403 && door.text().contains("name=\"passphrase\""), "{}", door.text());
        assert!(!door.text().contains("Board") && !main_of(door.text()).contains("/t/"));
        let program = town.ask(&format!("GET {path}"), &[("accept", "application/json")], "").await;
        assert_eq!((program.status, program.json()["code"].as_str()), (403, Some("passphrase-needed")));
        let wrong = town.submit(&format!("{path}/passphrase"), "", "passphrase=the+new+bridge").await;
        assert!(wrong.status == 403 && wrong.text().contains("passphrase-error"));
        let inside = town.submit(&format!("{path}/passphrase"), "", "passphrase=the+old+bridge").await;
        assert_eq!((inside.status, inside.header("location")), (303, path_of(event["page"].as_str().expect("a page")).as_str()));
        let form = ("content-type", "application/x-www-form-urlencoded");
        let tried = async |address: &str, typed: &str| {
            town.ask_from(address, &format!("POST {path}/passphrase"), &[form], &format!("passphrase={typed}")).await.status
        };
        for _ in 0..base::limit::PASSPHRASE_TRIES_PER_ADDRESS_MINUTE_MAX {
            assert_eq!(tried("192.0.2.1", "guess+guess").await, 403);
        }
        assert_eq!(tried("192.0.2.1", "guess+guess").await, 429);
        // Whoever guesses keeps nobody else out.
        assert_eq!(tried("192.0.2.2", "the+old+bridge").await, 303);
        assert_eq!(tried("2001:db8::1", "the+old+bridge").await, 303);
        // An event without one says the same as none at all.
        let bare = town.announce("Other", "private").await;
        let bare = format!("/events/{}/passphrase", bare["id"].as_str().expect("an id"));
        assert_eq!(town.submit(&bare, "", "passphrase=the+old+bridge").await.status, 404);
    });
}

#[test]
fn guests_find_a_private_event_listed() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let (bob, eve) = (member(&town, "bob").await, member(&town, "eve").await);
        let body = serde_json::json!({"title": "Board", "visibility": "private", "guests": ["Bob"]});
        let event = town.operate("POST /api/townsquare/v1/events", &body.to_string()).await.json();
        let path = format!("/events/{}", event["id"].as_str().expect("an id"));
        assert!(town.get("/", &bob).await.text().contains("Board") && !town.get("/", &eve).await.text().contains("Board"));
        assert_eq!((town.get(&path, &bob).await.status, town.get(&path, &eve).await.status), (200, 404));
    });
}

#[test]
fn a_series_is_announced_as_its_events() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let body = serde_json::json!({"title": "Council", "start_at": "2026-11-21T18:00:00Z", "repeats": {"every": "weekly", "times": 3}});
        assert_eq!(town.operate("POST /api/townsquare/v1/events", &body.to_string()).await.status, 201);
        let listed = town.operate("GET /api/townsquare/v1/events", "").await.json();
        let starts: Vec<_> = listed["events"].as_array().expect("events").iter().map(|event| event["start_at"].clone()).collect();
        assert_eq!(starts, ["2026-11-21T18:00:00Z", "2026-11-28T18:00:00Z", "2026-12-05T18:00:00Z"]);
        assert_eq!(town.stagehand.announced.lock().expect("whole").len(), 3);
    });
}

#[test]
fn members_announce_unless_the_operator_says_no() {
    on_both(|store| async move {
        let town = Town::new(store.clone(), SQUARE);
        let bob = member(&town, "bob").await;
        let strict = Town::under(store, Policy { members_open: false });
        for (town, status, offered) in [(&town, 200, true), (&strict, 403, false)] {
            assert_eq!(town.get("/events/new", &bob).await.status, status);
            assert_eq!(town.get("/", &bob).await.text().contains("/events/new"), offered);
        }
    });
}
