//! Invites as who runs an event makes them, as guests open them, and as they are taken back.

use crate::testing::{Town, path_of};
use serde_json::json;
use std::sync::atomic::Ordering;
use store::testing::on_both;

#[test]
fn an_invite_opens_the_stage_until_it_is_taken_back() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let event = town.announce("Town meeting", "private").await;
        let (id, page) = (event["id"].as_str().expect("an id"), path_of(event["page"].as_str().expect("a page")));
        let list = format!("/events/{id}/invites");
        assert!(town.get(&page, &ada).await.text().contains(&format!("href=\"{list}\"")));
        assert_eq!(town.get(&list, "").await.status, 404, "for who runs it alone");

        let word = town.get(&list, &ada).await.word();
        let nameless = town.submit(&list, &ada, &format!("csrf={word}&name=+&role=co-host&note=Bridges")).await;
        assert_eq!(nameless.status, 422);
        assert!(nameless.text().contains("id=\"invite-error\"") && nameless.text().contains("value=\"Bridges\""));
        let made = town.submit(&list, &ada, &format!("csrf={word}&name=Grace+%3CHopper%3E&role=co-host&note=Bridges")).await;
        assert_eq!((made.status, made.header("location")), (303, list.as_str()));

        let shown = town.get(&list, &ada).await;
        let (_, link) = shown.text().split_once("https://square.example/stage/").expect("a link");
        let guest = format!("/stage/{}", link.split('"').next().expect("a ticket"));
        // A preview looks at it, and looks again.
        for line in ["HEAD", "GET", "GET"] {
            assert_eq!(town.ask(&format!("{line} {guest}"), &[("accept", "text/html")], "").await.status, 200);
        }
        let console = town.get(&guest, "").await;
        assert!(
            console.text().contains("You are co-host") && console.text().contains("name=\"Grace &#60;Hopper&#62;\""),
            "{}",
            console.text()
        );

        let (_, form) = shown.text().split_once(&format!("action=\"{list}/")).expect("a form");
        let invite = form.split('/').next().expect("an id").to_owned();
        let revoke = format!("{list}/{invite}/revoke");
        town.stagehand.down.store(true, Ordering::Relaxed);
        assert_eq!(town.submit(&revoke, &ada, &format!("csrf={word}")).await.status, 503);
        assert_eq!(town.get(&guest, "").await.status, 200, "what the stage does not know is not done");
        town.stagehand.down.store(false, Ordering::Relaxed);
        for _ in 0..2 {
            assert_eq!(town.submit(&revoke, &ada, &format!("csrf={word}")).await.status, 303);
        }
        let barred = town.stagehand.barred.lock().expect("whole").clone();
        assert_eq!(barred, [u64::from_str_radix(&invite, 16).expect("hex")], "told once");
        let gone = town.get(&guest, "").await;
        assert_eq!(gone.status, 401);
        assert!(gone.text().contains("invite-revoked") && gone.text().contains("taken back"), "{}", gone.text());
        assert!(town.get(&list, &ada).await.text().contains("The link opens nothing any more."));
    });
}

#[test]
fn programs_invite_too() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let event = town.announce("Town meeting", "public").await;
        let root = format!("/api/townsquare/v1/events/{}/invites", event["id"].as_str().expect("an id"));
        for (body, status) in [
            (json!({"name": "Grace"}), 201),
            (json!({"name": "Ben", "role": "co-host", "note": "late"}), 201),
            (json!({"name": "Eve", "role": "host"}), 400),
            (json!({"name": ""}), 422),
        ] {
            assert_eq!(town.operate(&format!("POST {root}"), &body.to_string()).await.status, status, "{body}");
        }
        let all = town.operate(&format!("GET {root}"), "").await.json();
        let invites = all["invites"].as_array().expect("a list");
        assert_eq!(invites.len(), 2, "{all}");
        let grace = invites.iter().find(|one| one["name"] == "Grace").expect("is there");
        assert_eq!((grace["role"].as_str(), grace["note"].as_str()), (Some("speaker"), Some("")));
        let stage = path_of(grace["link"].as_str().expect("a link"));
        let console = town.ask(&format!("GET {stage}"), &[("accept", "application/json")], "").await.json();
        assert_eq!(console["role"], "speaker");
        let path = format!("{root}/{}", grace["id"].as_str().expect("an id"));
        let gone = town.operate(&format!("DELETE {path}"), "").await.json();
        assert!(gone["link"].is_null() && gone["revoked_at"].is_string(), "{gone}");
        assert_eq!(town.operate(&format!("DELETE {root}/nothing"), "").await.status, 404);
        assert_eq!(town.ask(&format!("GET {root}"), &[], "").await.status, 401);
        town.operate(&format!("POST /api/townsquare/v1/events/{}/end", event["id"].as_str().expect("an id")), "").await;
        assert_eq!(town.operate(&format!("POST {root}"), &json!({"name": "Late"}).to_string()).await.status, 410);
    });
}
