//! What stands beside an event's page: calendars, previews, pictures, reminders, series; and the front page by pages.

use super::SQUARE;
use super::announcement::member;
use crate::testing::{NOW, Town, path_of};
use base::{FragmentNumber, UnixMillis, Visibility};
use serde_json::{Value, json};
use store::testing::on_both;

async fn open(town: &Town, body: &Value) -> Value {
    let answer = town.operate("POST /api/townsquare/v1/events", &body.to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn page(event: &Value) -> String {
    path_of(event["page"].as_str().expect("a page"))
}

#[test]
fn an_event_goes_into_calendars_and_changes_there() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let event = open(&town, &json!({"title": "Bread, salt", "start_at": "2026-11-21T18:00:00Z"})).await;
        let path = format!("{}/calendar.ics", page(&event));
        let file = town.get(&path, "").await;
        assert_eq!((file.header("content-type"), file.header("cache-control")), ("text/calendar; charset=utf-8", "public, max-age=300"));
        let wanted =
            ["SEQUENCE:0\r\n", "DTSTART:20261121T180000Z", "SUMMARY:Bread\\, salt", "TRIGGER:-PT15M", &format!("URL:{SQUARE}/events/")];
        for wanted in wanted {
            assert!(file.text().contains(wanted), "{wanted}: {}", file.text());
        }
        let line = |text: &str| text.lines().find(|line| line.starts_with("UID:")).expect("an identity").to_owned();
        let change = format!("PATCH /api/townsquare/v1/events/{}", event["id"].as_str().expect("an id"));
        town.operate(&change, r#"{"start_at":"2026-11-22T18:00:00Z"}"#).await;
        let moved = town.get(&path, "").await;
        assert!(moved.text().contains("SEQUENCE:1\r\n") && moved.text().contains("DTSTART:20261122T180000Z"));
        assert_eq!(line(file.text()), line(moved.text()));
        let undated = open(&town, &json!({"title": "Some day"})).await;
        assert_eq!(town.get(&format!("{}/calendar.ics", page(&undated)), "").await.status, 404);
        open(&town, &json!({"title": "Hidden", "start_at": "2026-11-21T18:00:00Z", "visibility": "unlisted"})).await;
        let all = town.get("/calendar.ics", "").await;
        assert!(all.text().contains("Bread") && !all.text().contains("Hidden") && !all.text().contains("VALARM"), "{}", all.text());
    });
}

#[test]
fn what_is_beside_a_private_event_needs_its_ticket() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let body = json!({"title": "Board", "visibility": "private", "passphrase": "the old bridge", "start_at": "2026-11-21T18:00:00Z"});
        let event = open(&town, &body).await;
        let (inside, outside) = (page(&event), format!("/events/{}", event["id"].as_str().expect("an id")));
        for name in ["calendar.ics", "card.png"] {
            let found = town.get(&format!("{inside}/{name}"), "").await;
            assert!(found.status == 200 && found.text().contains("Board"), "{name}: {found:?}");
            assert!(found.header("cache-control").starts_with("private"), "{name}: {found:?}");
            let refused = town.get(&format!("{outside}/{name}"), "").await;
            assert!(refused.status == 403 && !refused.text().contains("Board"), "{name}: {refused:?}");
        }
        for (path, status) in [(&inside, 200), (&outside, 403)] {
            let url = url::form_urlencoded::byte_serialize(format!("{SQUARE}{path}").as_bytes()).collect::<String>();
            let preview = town.get(&format!("/oembed?url={url}"), "").await;
            assert_eq!((preview.status, preview.text().contains("Board")), (status, status == 200), "{preview:?}");
        }
    });
}

#[test]
fn a_link_has_a_preview() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let bob = member(&town, "bob").await;
        let word = town.get("/events/new", &bob).await.word();
        let fields = format!("csrf={word}&title=Salt+%26+%3Cbread%3E&description=All+about+it.&start=2026-11-21T18%3A00");
        let path = town.submit("/events", &bob, &fields).await.header("location").to_owned();
        let shown = town.get(&path, "").await;
        let content = |property: &str| {
            let (_, rest) = shown.text().split_once(&format!("{property}\" content=\"")).unwrap_or_else(|| panic!("{property}"));
            rest.split('"').next().expect("a value").to_owned()
        };
        assert_eq!(content("og:description"), "Begins 21 November 2026, 18:00 UTC. All about it.");
        let card = content("og:image");
        assert_eq!(card, content("twitter:image"));
        let found = town.get(card.strip_prefix(SQUARE).expect("ours"), "").await;
        assert_eq!((found.header("content-type"), found.header("cache-control")), ("image/png", "public, max-age=31536000, immutable"));
        assert_eq!(found.text(), "card of Salt & <bread>, 21 November 2026, 18:00 UTC");
        let other = town.get(&format!("{path}/card.png?v=other"), "").await;
        assert_eq!((other.status, other.header("cache-control")), (200, "public, max-age=300"));
        let (_, rest) = shown.text().split_once("application/json+oembed\" href=\"").expect("where to ask");
        let asked = rest.split('"').next().expect("an address").replace("&#38;", "&");
        let json = town.get(asked.strip_prefix(SQUARE).expect("ours"), "").await.json();
        for (key, wanted) in
            [("type", json!("link")), ("title", json!("Salt & <bread>")), ("author_name", json!("bob")), ("thumbnail_width", json!(1200))]
        {
            assert_eq!(json[key], wanted, "{key}");
        }
        assert_eq!(json["thumbnail_url"], card.as_str());
        let xml = town.get(&asked.replace("format=json", "format=xml").replace(SQUARE, ""), "").await;
        assert!(xml.text().contains("<title>Salt &amp; &lt;bread&gt;</title>") && xml.header("content-type").starts_with("text/xml"));
        assert_eq!(town.get(&asked.replace("format=json", "format=yaml").replace(SQUARE, ""), "").await.status, 501);
        for url in ["https://evil.example/events/0123456789ab", SQUARE, "nonsense"] {
            assert_eq!(town.get(&format!("/oembed?url={url}"), "").await.status, 404, "{url}");
        }
    });
}

/// A form with a file, as a browser sends it.
async fn upload(town: &Town, path: &str, cookie: &str, fields: &[(&str, &str)], picture: &str) -> crate::testing::Answer {
    let part = |(name, value): &(&str, &str)| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{picture}\r\n"
    );
    let body = fields.iter().map(part).collect::<String>() + &file + "--edge--\r\n";
    let kind = ("content-type", "multipart/form-data; boundary=edge");
    town.ask(&format!("POST {path}"), &[("accept", "text/html"), ("cookie", cookie), ("sec-fetch-site", "same-origin"), kind], &body).await
}

#[test]
fn a_picture_is_shown_kept_and_taken_away() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let bob = member(&town, "bob").await;
        let word = town.get("/events/new", &bob).await.word();
        let fields = [("csrf", word.as_str()), ("title", "With a face")];
        // The stand-in takes what begins like this for a picture; text keeps it whole on the way.
        let broken = upload(&town, "/events", &bob, &fields, "no picture").await;
        assert!(broken.status == 422 && broken.text().contains("picture-error") && broken.text().contains("value=\"With a face\""));
        assert!(town.stagehand.announced.lock().expect("whole").is_empty(), "nothing was opened");
        let large = upload(&town, "/events", &bob, &fields, &"x".repeat(base::limit::PICTURE_BYTES_MAX + 1)).await;
        assert!(large.status == 422 && large.text().contains("picture-error"));
        let larger = upload(&town, "/events", &bob, &fields, &"x".repeat(4 * base::limit::PICTURE_BYTES_MAX)).await;
        assert!(larger.status == 422 && larger.text().contains("picture-error") && larger.text().contains("value=\"With a face\""));
        let huge = upload(&town, "/events", &bob, &fields, &"x".repeat(base::limit::PICTURE_UPLOAD_BYTES_MAX)).await;
        assert_eq!(huge.status, 413);
        let wordy = "x".repeat(base::limit::BODY_BYTES_MAX);
        assert_eq!(upload(&town, "/events", &bob, &[fields[0], ("title", &wordy)], "").await.status, 413);
        let names: Vec<String> = (0..2_000).map(|number| format!("n{number}")).collect();
        let many: Vec<_> = [fields[0], fields[1]].into_iter().chain(names.iter().map(|name| (name.as_str(), ""))).collect();
        assert_eq!(upload(&town, "/events", &bob, &many, "").await.status, 413, "fields without a word");
        assert_eq!(upload(&town, "/events", "", &fields, "no picture").await.status, 401);
        assert_eq!(upload(&town, "/events", &bob, &[("csrf", "forged"), ("title", "A")], "").await.status, 403);
        let opened = upload(&town, "/events", &bob, &fields, "").await;
        let path = opened.header("location").to_owned();
        assert!(opened.status == 303 && !town.get(&path, "").await.text().contains("class=\"picture\""), "no file was chosen");
        let id: base::EventId = path.rsplit('/').next().expect("an id").parse().expect("an id");
        town.stagehand.pictures.lock().expect("whole").insert(id, b"a face".to_vec());
        town.store.set_picture(id, Some("abcd")).await.expect("noted");
        let shown = town.get(&path, "").await;
        assert!(shown.text().contains(&format!("src=\"{path}/picture?v=abcd\"")), "{}", shown.text());
        let picture = town.get(&format!("{path}/picture?v=abcd"), "").await;
        assert_eq!((picture.text(), picture.header("content-type")), ("a face", "image/jpeg"));
        assert_eq!(picture.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(town.get("/", "").await.text().contains("/picture?v=abcd"));
        let gone = upload(&town, &format!("{path}/edit"), &bob, &[fields[0], fields[1], ("no_picture", "yes")], "").await;
        assert_eq!((gone.status, town.get(&format!("{path}/picture"), "").await.status), (303, 404));
        assert!(town.stagehand.pictures.lock().expect("whole").is_empty());
    });
}

#[test]
fn a_member_is_reminded_on_the_front_page() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let bob = member(&town, "bob").await;
        let soon = page(&open(&town, &json!({"title": "Soon", "start_at": "2026-11-21T01:10:00Z"})).await);
        let later = page(&open(&town, &json!({"title": "Later", "start_at": "2026-11-21T02:00:00Z"})).await);
        let word = town.get(&soon, &bob).await.word();
        assert!(!town.get(&soon, "").await.text().contains("Remind me"), "a visitor has the calendar file");
        for path in [&soon, &later] {
            let answer = town.submit(&format!("{path}/reminder"), &bob, &format!("csrf={word}&wanted=yes")).await;
            assert_eq!((answer.status, answer.header("location")), (303, path.as_str()));
            assert!(town.get(path, &bob).await.text().contains("data-reminded"));
        }
        let front = town.get("/", &bob).await;
        let told: Vec<&str> = front.text().lines().filter(|line| line.contains("You wanted to be reminded")).collect();
        assert!(told.len() == 1 && told[0].contains("Soon") && told[0].contains("data-countdown"), "{told:?}");
        town.submit(&format!("{soon}/reminder"), &bob, &format!("csrf={word}&wanted=no")).await;
        assert!(!town.get("/", &bob).await.text().contains("You wanted to be reminded"));
        assert_eq!(town.submit(&format!("{soon}/reminder"), "", "wanted=yes").await.status, 401);
    });
}

#[test]
fn a_series_has_a_page_and_a_calendar() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let body = |visibility: &str| {
            let repeats = json!({"every": "monthly", "times": 3});
            json!({"title": "Council", "start_at": "2026-11-21T18:00:00Z", "visibility": visibility, "repeats": repeats})
        };
        let first = page(&open(&town, &body("public")).await);
        let shown = town.get(&first, "").await;
        let (_, rest) = shown.text().split_once("href=\"/series/").expect("a link");
        let path = format!("/series/{}", rest.split('"').next().expect("its end"));
        let series = town.get(&path, "").await;
        assert!(series.text().matches("<strong dir=\"auto\">Council</strong>").count() == 3 && series.text().contains("every month"));
        let home = town.get("/", "").await;
        assert_eq!(home.text().matches("<strong dir=\"auto\">Council</strong>").count(), 1, "the next one stands for all of them");
        let calendar = town.get(&format!("{path}/calendar.ics"), "").await;
        for start in ["20261121T180000Z", "20261219T180000Z", "20270116T180000Z"] {
            assert!(calendar.text().contains(start), "{start}: {}", calendar.text());
        }
        assert!(calendar.text().contains("X-WR-CALNAME:Council"));
        let hidden = open(&town, &body("private")).await;
        let hidden =
            town.store.event(hidden["id"].as_str().expect("an id").parse().expect("an id")).await.expect("answers").expect("there");
        let hidden = crate::page::series::path(hidden.series.expect("a series"));
        let ada = town.administrator().await;
        assert_eq!((town.get(&hidden, "").await.status, town.get(&hidden, &ada).await.status), (404, 200));
        assert_eq!(town.get("/series/nonsense", "").await.status, 404);
    });
}

#[test]
fn a_long_series_hides_nobody_else_s_events() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        let weekly = json!({"every": "weekly", "times": base::limit::SERIES_EVENTS_MAX});
        open(&town, &json!({"title": "Council", "start_at": "2026-11-21T18:00:00Z", "repeats": weekly})).await;
        open(&town, &json!({"title": "Far ahead", "start_at": "2028-11-21T18:00:00Z"})).await;
        let home = town.get("/", "").await;
        for title in ["Council", "Far ahead"] {
            assert_eq!(home.text().matches(&format!("<strong dir=\"auto\">{title}</strong>")).count(), 1, "{title}");
        }
    });
}

#[test]
fn what_should_have_begun_is_said_to_be_late() {
    on_both(|store| async move {
        let body = json!({"title": "Council", "start_at": "2026-11-21T18:00:00Z", "visibility": "public"});
        let announced = page(&open(&Town::new(store.clone(), SQUARE), &body).await);
        let later = Town::at(store, SQUARE, || UnixMillis(NOW.0 + 86_400_000));
        let shown = later.get(&announced, "").await;
        assert!(shown.text().contains("Was to begin") && !shown.text().contains("data-countdown"), "{}", shown.text());
        let home = later.get("/", "").await;
        assert!(home.text().contains("Was to begin") && !home.text().contains("data-countdown"), "{}", home.text());
    });
}

#[test]
fn what_is_over_is_read_page_by_page() {
    on_both(|store| async move {
        let town = Town::new(store, SQUARE);
        for place in 0..45u64 {
            let mut event = store::testing::event(place + 1, Visibility::Public, NOW.0);
            event.title = format!("No. {place} ends here");
            town.store.insert_event(&event).await.expect("free");
            town.store.mark_live(event.id, NOW).await.expect("noted");
            // Two at a time end at the same moment.
            town.store
                .mark_ended(event.id, UnixMillis(NOW.0 + i64::try_from(place / 2).expect("small")), FragmentNumber(5))
                .await
                .expect("noted");
        }
        let (mut path, mut seen) = ("/".to_owned(), 0);
        for shown in [20, 20, 5] {
            let page = town.get(&path, "").await;
            assert_eq!(page.text().matches("ends here</strong>").count(), shown, "{path}");
            seen += shown;
            match page.text().split_once("href=\"/?before=") {
                Some((_, rest)) => path = format!("/?before={}", rest.split('"').next().expect("its end")),
                None => assert_eq!(seen, 45),
            }
        }
        assert_eq!(town.get("/?before=nonsense", "").await.status, 400);
    });
}
