//! The square as people and programs meet it, on both databases.

mod announcement;
mod beside;
mod faults;
mod headers;
mod invite;
mod part;
mod programs;
mod rehearsal;
mod replay;
mod weight;

use crate::testing::{NOW, Town, path_of};
use base::UnixMillis;
use std::sync::atomic::Ordering;
use store::testing::on_both;

const SQUARE: &str = "https://square.example";

#[test]
fn an_administrator_opens_and_ends_an_event() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let ada = town.administrator().await;
        assert!(town.get("/", &ada).await.text().contains("href=\"/events/new\""));

        let form = town.get("/events/new", &ada).await;
        let fields = format!("csrf={}&title=Town+meeting&start=2026-11-21T18%3A00&visibility=public", form.word());
        let opened = town.submit("/events", &ada, &fields).await;
        assert_eq!(opened.status, 303, "{opened:?}");
        let path = opened.header("location").to_owned();
        assert_eq!(town.stagehand.announced.lock().expect("whole").len(), 1);

        let page = town.get(&path, &ada).await;
        assert!(page.text().contains("<h1 dir=\"auto\">Town meeting</h1>"), "{}", page.text());
        assert!(
            page.text().contains("<time datetime=\"2026-11-21T18:00:00Z\" data-countdown data-refresh>21 November 2026, 18:00 UTC</time>")
        );
        let (_, stage) = page.text().split_once("https://square.example/stage/").expect("the host's link");
        let ticket = stage.split('"').next().expect("a ticket");
        let console = town.get(&format!("/stage/{ticket}"), "").await;
        assert!(console.text().contains("as=\"speaker\""), "the speakers' link stands first: {}", console.text());

        let ended = town.submit(&format!("{path}/end"), &ada, &format!("csrf={}", page.word())).await;
        assert_eq!((ended.status, ended.header("location")), (303, path.as_str()));
        assert!(town.get(&path, "").await.text().contains("There is no recording of this event."), "it never was live");
        let again = town.submit(&format!("{path}/end"), &ada, &format!("csrf={}", page.word())).await;
        assert_eq!(again.status, 410);
        let home = town.get("/", "").await;
        assert!(home.text().contains("Over, without a recording") && !home.text().contains("Replays"), "{}", home.text());
        assert!(town.get(&format!("/stage/{ticket}"), "").await.text().contains("There is no recording of it."));
    });
}

#[test]
fn the_public_sees_an_event_become_live_and_over() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let event = town.announce("Town meeting", "public").await;
        let (id, path) = (event["id"].as_str().expect("an id"), path_of(event["page"].as_str().expect("a page")));
        let shown = async || without_chance(&town.get(&path, "").await.text().replace(id, "ID"));
        let announced = shown().await;
        town.operate(&format!("POST /api/townsquare/v1/events/{id}/go-live"), "").await;
        let live = shown().await;
        assert!(town.get("/", "").await.text().contains("Live now"));
        town.operate(&format!("POST /api/townsquare/v1/events/{id}/end"), "").await;
        let over = shown().await;
        insta::allow_duplicates! {
            insta::assert_snapshot!("event_announced", main_of(&announced));
            insta::assert_snapshot!("event_live", main_of(&live));
            insta::assert_snapshot!("event_over", main_of(&over));
        }
        let home = town.get("/", "").await;
        assert!(home.text().contains("Replays") && !home.text().contains("without a recording"), "{}", home.text());
    });
}

#[test]
fn looking_at_a_link_never_spends_it() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let link = town.operate("POST /api/townsquare/v1/operator/first-link", "").await.json();
        let path = path_of(link["link"].as_str().expect("a link"));
        for line in ["GET", "HEAD", "GET"] {
            assert_eq!(town.ask(&format!("{line} {path}"), &[], "").await.status, 200);
        }
        assert!(town.get(&path, "").await.text().contains("Become administrator"));
        let nameless = town.submit(&path, "", "name=no+spaces").await;
        assert_eq!(nameless.status, 422);
        assert!(nameless.text().contains("id=\"name-error\"") && nameless.text().contains("value=\"no spaces\""));
        let forged = [("sec-fetch-site", "cross-site"), ("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(town.ask(&format!("POST {path}"), &forged, "name=Eve").await.status, 403);
        let entered = town.submit(&path, "", "name=Ada").await;
        assert_eq!((entered.status, entered.header("location")), (303, "/"));
        let cookie = entered.header("set-cookie");
        assert!(
            cookie.starts_with("__Host-townsquare=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000; Secure"),
            "{cookie}"
        );
        for answer in [town.get(&path, "").await, town.submit(&path, "", "name=Ada").await] {
            assert_eq!(answer.status, 410);
            assert!(answer.text().contains("link-spent"));
        }
        let first = town.operate("POST /api/townsquare/v1/operator/first-link", "").await.json();
        assert!(first["link"].is_null(), "there is an administrator now");
    });
}

#[test]
fn a_session_ends_when_its_owner_says_so() {
    on_both(|store| async move {
        let town = Town::new(store, "http://127.0.0.1:8080");
        let ada = town.administrator().await;
        assert!(ada.starts_with("townsquare="), "plain http has no secure cookies: {ada}");
        let home = town.get("/", &ada).await;
        assert!(home.text().contains(">Ada</span>"));
        assert_eq!(town.submit("/sign-out", &ada, "csrf=wrong").await.status, 403);
        let out = town.submit("/sign-out", &ada, &format!("csrf={}", home.word())).await;
        assert_eq!((out.status, out.cookie().as_str()), (303, "townsquare="));
        assert!(!town.get("/", &ada).await.text().contains(">Ada</span>"));
    });
}

#[test]
fn a_private_event_opens_with_its_ticket_alone() {
    on_both(|store| async move {
        let town = Town::new(store.clone(), SQUARE);
        let event = town.announce("Board", "private").await;
        let id = event["id"].as_str().expect("an id");
        let page = path_of(event["page"].as_str().expect("a page"));
        let stream = event["listen"]["stream"].as_str().expect("a stream");
        assert!(page.starts_with(&format!("/events/{id}/t/")) && stream.starts_with(&format!("https://live.example/live/{id}/t/")));
        assert_eq!(town.get(&format!("/events/{id}"), "").await.status, 404);
        assert!(!town.get("/", "").await.text().contains("Board"));
        let shown = town.get(&page, "").await;
        assert_eq!(shown.status, 200);
        assert!(shown.text().contains("noindex") && !shown.text().contains(stream), "each listener has a ticket of their own");
        assert!(shown.text().contains(&format!("stream=\"https://live.example/live/{id}/t/")), "{}", shown.text());
        let cookie = shown.cookie();
        assert!(cookie.starts_with("__Host-townsquare-visitor="), "{cookie}");
        let own = |page: &str| page.split_once("stream=\"").expect("a stream").1.split('"').next().expect("its end").to_owned();
        assert_eq!(own(town.get(&page, &cookie).await.text()), own(shown.text()), "the same when they come again");
        assert_ne!(own(town.get(&page, "").await.text()), own(shown.text()), "somebody else has another");
        assert_eq!(town.get(&format!("/events/{id}/t/forged"), "").await.status, 401);
        let other = town.announce("Other", "private").await;
        let swapped = page.replace(id, other["id"].as_str().expect("an id"));
        assert_eq!(town.get(&swapped, "").await.status, 401, "a ticket is for one event");
        let later = Town::at(store, SQUARE, || UnixMillis(NOW.0 + 61 * 24 * 3_600_000));
        assert!(later.get(&page, "").await.text().contains("ticket-expired"));
        let ada = town.administrator().await;
        assert_eq!(town.get(&format!("/events/{id}"), &ada).await.status, 200, "who runs the square needs no ticket");
    });
}

#[test]
fn what_is_typed_wrong_is_said_beside_it_and_the_rest_is_kept() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let ada = town.administrator().await;
        let word = town.get("/events/new", &ada).await.word();
        let rows = [
            ("title=&start=&visibility=private", 422, "title-error"),
            ("title=A&start=soon&visibility=private", 422, "Choose a day and an hour"),
            ("title=A&start=1999-01-01T00:00&visibility=private", 422, "This time has passed."),
            ("title=A&start=9999-01-01T00:00&visibility=private", 422, "ten years ahead at most"),
            ("title=%3Cb%3E%22&start=soon&visibility=private", 422, "value=\"&#60;b&#62;&#34;\""),
            ("title=A&visibility=private&passphrase=short", 422, "passphrase-error"),
            ("title=A&visibility=private&guests=nobody", 422, "guests-error"),
            ("title=A&visibility=private&language=de_DE", 422, "language-error"),
            ("title=A&visibility=private&empty_minutes=0", 422, "empty_minutes-error"),
            ("title=A&visibility=private&repeats=weekly&times=3", 422, "repeats-error"),
            ("title=A&visibility=secret", 400, "bad-request"),
            ("title=A&delay=7", 400, "bad-request"),
        ];
        for (fields, status, said) in rows {
            let answer = town.submit("/events", &ada, &format!("csrf={word}&{fields}")).await;
            assert_eq!(answer.status, status, "{fields}");
            assert!(answer.text().contains(said), "{fields}: {}", answer.text());
            assert!(status != 422 || answer.text().contains("value=\"private\" checked"), "{fields}");
        }
        assert!(town.stagehand.announced.lock().expect("whole").is_empty());
    });
}

#[test]
fn nothing_typed_becomes_markup() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let event = town.announce("\"><script>alert(1)</script>", "public").await;
        let path = path_of(event["page"].as_str().expect("a page"));
        for path in ["/", &path, &path_of(event["stage"].as_str().expect("a stage"))] {
            let page = town.get(path, "").await;
            assert!(!page.text().contains("<script>alert"), "{path}: {}", page.text());
            assert!(page.text().contains("&#60;script&#62;"), "{path}");
        }
    });
}

#[test]
fn without_https_the_stage_says_why_there_is_no_microphone() {
    on_both(|store| async move {
        for (square, warned) in [(SQUARE, false), ("http://localhost:8080", false), ("http://192.168.1.5:8080", true)] {
            let town = Town::new(store.clone(), square);
            let event = town.announce("Town meeting", "public").await;
            let stage = town.get(&path_of(event["stage"].as_str().expect("a stage")), "").await;
            assert_eq!(stage.text().contains("over https alone"), warned, "{square}");
            let (recorded, opens) = (stage.text().find("This event is recorded"), stage.text().find("<town-console"));
            assert!(recorded.is_some() && recorded < opens, "said before the microphone opens");
        }
    });
}

#[test]
fn a_stage_that_is_down_hurts_nothing_else() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let event = town.announce("Town meeting", "public").await;
        town.stagehand.down.store(true, Ordering::Relaxed);
        let id = event["id"].as_str().expect("an id");
        let answer = town.operate(&format!("POST /api/townsquare/v1/events/{id}/go-live"), "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
        assert_eq!(answer.json()["code"], "role-down");
        assert_eq!(town.get(&format!("/events/{id}"), "").await.status, 200);
    });
}

/// A page without the words that are another each time.
fn without_chance(page: &str) -> String {
    const ONCE: &str = "name=\"once\" value=\"";
    let mut parts = page.split(ONCE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + ONCE + part.split_once('"').map_or(part, |(word, _)| &part[word.len()..]))
}

/// What stands in a page's `<main>`.
fn main_of(page: &str) -> &str {
    let (_, rest) = page.split_once("<main").expect("a main");
    rest.split_once("</main>").expect("its end").0
}
