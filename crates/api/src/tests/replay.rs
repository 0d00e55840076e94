//! What becomes of a recording, on its page.

use crate::testing::{NOW, Town, path_of};
use crate::{Track, Withhold};
use base::{ClipId, EventId, FragmentNumber, ParticipantId, UnixMillis};
use square::Secret;
use square::visitor::{self, Known};
use store::Clip;
use store::testing::on_both;

const MOMENTS: &str = r#"{"version":1,"first":50,"end":650,"cuts":0,"seconds":120.0,
    "people":[{"id":1,"name":"Ada <b>","spoke_ms":61000},{"id":2,"name":"Ben","spoke_ms":0}],"turns":[[1,0.0,61.0]],"step":1.0,"listeners":[3],
    "reactions":[],"reactions_by_kind":[0,0,0,0,0,0,0,0],
    "pins":[{"at":83.4,"text":"The plan","url":"https://plan.example"},{"at":90.0,"text":"","url":"javascript:alert(1)"}]}"#;

/// An event that is over; its page and its id.
async fn over(town: &Town, visibility: &str) -> (String, EventId) {
    let event = town.announce("Town meeting", visibility).await;
    let id = event["id"].as_str().expect("an id");
    for verb in ["go-live", "end"] {
        town.operate(&format!("POST /api/townsquare/v1/events/{id}/{verb}"), "").await;
    }
    *town.stagehand.moments.lock().expect("whole") = MOMENTS.as_bytes().to_vec();
    (path_of(event["page"].as_str().expect("a page")), id.parse().expect("an id"))
}

async fn read(town: &Town, id: EventId) {
    town.store.note_replay(id, &(FragmentNumber(50)..FragmentNumber(650)), 0, NOW).await.expect("noted");
}

#[test]
fn a_replay_has_chapters_speakers_and_moments() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (page, id) = over(&town, "public").await;
        assert_eq!(town.get(&format!("{page}/moments.json"), "").await.status, 404, "nothing was read yet");
        assert!(town.get(&page, "").await.text().contains(" moments=\"\" again=\"5\">"));
        read(&town, id).await;
        let shown = town.get(&page, "").await;
        let main = super::main_of(shown.text());
        let src = format!("https://live.example/replay/{id}.m4a?cuts=0");
        assert!(main.contains(&format!("src=\"{src}\" duration=\"120\"")), "{main}");
        assert!(
            main.contains(&format!("href=\"{src}#t=83.4\" data-seek=\"83.4\"")) && main.contains("href=\"https://plan.example\""),
            "{main}"
        );
        assert!(!main.contains("href=\"javascript"), "{main}");
        assert!(main.contains("1 min 1 s") && !main.contains("Ada <b>") && !main.contains("Ben"), "{main}");
        assert!(!main.contains("You run this event") && !main.contains("MP3"), "{main}");
        let moments = town.get(&format!("{page}/moments.json"), "").await;
        assert_eq!((moments.status, moments.header("content-type")), (200, "application/json"));
        assert_eq!(town.get(&format!("{page}/replay.mp3"), "").await.status, 404);
        town.store.note_mp3(id, 0, 5).await.expect("noted");
        let mp3 = town.get(&format!("{page}/replay.mp3"), "").await;
        assert_eq!((mp3.status, mp3.header("location")), (307, format!("https://live.example/replay/{id}.mp3").as_str()));
        let whole = town.get(&page, "").await;
        assert!(whole.text().contains("Download as MP3") && !whole.text().contains(" again="), "{}", whole.text());
    });
}

#[test]
fn whoever_waits_for_the_rest_is_told_how_long() {
    on_both(|store| async move {
        // Two hours of sound are two minutes of work, and a hundred thousand who ask take a hundred seconds.
        for (seconds, most, ended, wanted) in [
            (7_200, 3, NOW.0, Some("again=\"125\"")),
            (60, 3, NOW.0, Some("again=\"6\"")),
            (60, 100_000, NOW.0, Some("again=\"100\"")),
            (60, 3, NOW.0 - 3_600_001, None),
        ] {
            let town = Town::new(store.clone(), super::SQUARE);
            let event = town.announce("Town meeting", "unlisted").await;
            let id: EventId = event["id"].as_str().expect("an id").parse().expect("an id");
            town.store.mark_live(id, UnixMillis(1)).await.expect("live");
            town.store.mark_ended(id, UnixMillis(ended), FragmentNumber(seconds * 5)).await.expect("over");
            let moments = serde_json::json!({"version": 1, "seconds": seconds, "step": 1.0, "listeners": [1, most, 2]}).to_string();
            *town.stagehand.moments.lock().expect("whole") = moments.into_bytes();
            town.store.note_replay(id, &(FragmentNumber(0)..FragmentNumber(seconds * 5)), 0, NOW).await.expect("noted");
            let page = town.get(&path_of(event["page"].as_str().expect("a page")), "").await;
            match wanted {
                Some(again) => assert!(page.text().contains(again), "{seconds} s, {most}: {}", page.text()),
                None => assert!(!page.text().contains(" again=")),
            }
        }
    });
}

#[test]
fn a_private_replay_s_moments_need_its_ticket() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (page, id) = over(&town, "private").await;
        read(&town, id).await;
        assert!(page.contains("/t/"), "{page}");
        assert_eq!(town.get(&format!("{page}/moments.json"), "").await.status, 200);
        for path in
            [format!("/events/{id}/moments.json"), format!("/events/{id}/t/forged/moments.json"), format!("/events/{id}/replay.mp3")]
        {
            assert_eq!(town.get(&path, "").await.status, 404, "{path}");
        }
    });
}

#[test]
fn who_is_barred_gets_nothing_of_a_private_replay() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (page, id) = over(&town, "private").await;
        read(&town, id).await;
        town.store.note_mp3(id, 0, 5).await.expect("noted");
        let clip = Clip {
            id: ClipId::from_random(3),
            event: id,
            title: "The bridge".into(),
            range: FragmentNumber(100)..FragmentNumber(200),
            created_by: None,
            created_at: NOW,
        };
        town.store.insert_clip(&clip).await.expect("free");
        let ticket = page.rsplit('/').next().expect("a ticket");
        let paths = [page.clone(), format!("{page}/moments.json"), format!("/clips/{}/t/{ticket}", clip.id)];
        let sam = town.get(&page, "").await.cookie();
        for path in &paths {
            let shown = town.get(path, &sam).await;
            assert_eq!(shown.status, 200, "{path}");
            assert!(!shown.text().contains(&format!("/replay/{id}/t/{ticket}")), "each has a ticket of their own: {path}");
        }
        let number = visitor::ticket(id, Known::Cookie(&Secret::read(sam.split_once('=').expect("a cookie").1).expect("a secret")));
        town.store.ban(id, &[number]).await.expect("noted");
        for path in &paths {
            let refused = town.get(path, &sam).await;
            assert!(refused.status == 403 && refused.text().contains("A host has excluded you"), "{path}: {}", refused.text());
            assert_eq!(town.get(path, "").await.status, 200, "another visitor: {path}");
        }
    });
}

#[test]
fn who_runs_an_event_trims_its_replay_once_they_are_sure() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let (page, id) = over(&town, "public").await;
        read(&town, id).await;
        let word = town.get(&page, &ada).await.word();
        let path = format!("/events/{id}/replay/trim");
        let asked = town.submit(&path, &ada, &format!("csrf={word}&from=0:10&to=1:40")).await;
        assert!(asked.status == 200 && town.stagehand.cut.lock().expect("whole").is_empty(), "{asked:?}");
        assert!(asked.text().contains(&format!("https://live.example/replay/{id}/clip/100-550.m4a?cuts=0")), "{}", asked.text());
        assert!(asked.text().contains("1:30"));
        let done = town.submit(&path, &ada, &format!("csrf={word}&from=0:10&to=1:40&sure=yes")).await;
        assert_eq!((done.status, done.header("location")), (303, page.as_str()));
        let cut = town.stagehand.cut.lock().expect("whole").clone();
        let wanted = [(50, 100), (550, 650)].map(|(from, to)| (id, FragmentNumber(from)..FragmentNumber(to)));
        assert_eq!(cut, wanted);
        for fields in ["from=0:10&to=0:12", "from=&to=1:00", "from=0&to=9:00:00"] {
            assert_eq!(town.submit(&path, &ada, &format!("csrf={word}&{fields}&sure=yes")).await.status, 422, "{fields}");
        }
        assert_eq!(town.submit(&path, "", "from=0:10&to=1:40&sure=yes").await.status, 401);
        assert_eq!(town.submit(&path, &ada, "from=0:10&to=1:40&sure=yes").await.status, 403);
        assert_eq!(town.stagehand.cut.lock().expect("whole").len(), 2);
    });
}

#[test]
fn a_hidden_replay_is_its_owner_s_and_a_deleted_one_nobody_s() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let (page, id) = over(&town, "public").await;
        read(&town, id).await;
        let word = town.get(&page, &ada).await.word();
        let act =
            async |verb: &str, more: &str| town.submit(&format!("/events/{id}/replay/{verb}"), &ada, &format!("csrf={word}{more}")).await;
        let api = async || town.ask(&format!("GET /api/townsquare/v1/events/{id}"), &[], "").await.json();
        assert_eq!(api().await["replay"], format!("https://live.example/replay/{id}.m4a"));
        assert_eq!(act("hide", "").await.status, 303);
        assert!(town.get(&page, "").await.text().contains("The recording of this event is not public."));
        assert!(api().await["replay"].is_null());
        assert_eq!(town.get(&format!("{page}/moments.json"), "").await.status, 404);
        let home = town.get("/", "").await;
        assert!(!home.text().contains("Replays") && home.text().contains("Over, without a recording"), "{}", home.text());
        let own = town.get(&page, &ada).await;
        assert!(own.text().contains("This replay is hidden") && own.text().contains(&format!("/replay/{id}/t/")), "{}", own.text());
        assert_eq!(act("hide", "&hidden=no").await.status, 303);
        assert!(town.get(&page, "").await.text().contains("<town-replay"));
        let asked = act("delete", "").await;
        assert!(asked.status == 200 && asked.text().contains("Delete the recording?"), "{asked:?}");
        assert_eq!(act("delete", "&sure=yes").await.status, 303);
        assert_eq!(
            town.stagehand.withheld.lock().expect("whole").iter().map(|(_, what)| *what).collect::<Vec<_>>(),
            [Withhold::Hide, Withhold::Show, Withhold::Delete]
        );
        assert!(
            town.get(&page, &ada)
                .await
                .text()
                .contains("The recording was deleted on <time datetime=\"2026-11-21T01:00:00Z\">21 November 2026")
        );
        assert_eq!(act("trim", "&from=0&to=1:00&sure=yes").await.status, 409);
    });
}

#[test]
fn a_clip_has_a_page_with_a_preview() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        for visibility in ["public", "private"] {
            let (page, id) = over(&town, visibility).await;
            read(&town, id).await;
            let shown = town.get(&page, &ada).await;
            assert!(shown.text().contains("Make a clip") && !town.get(&page, "").await.text().contains("Make a clip"));
            let (word, path) = (shown.word(), format!("/events/{id}/clips"));
            let made = town.submit(&path, &ada, &format!("csrf={word}&from=0:10&to=0:30&title=The+%3Cplan%3E")).await;
            assert_eq!(made.status, 303, "{made:?}");
            let clip = made.header("location").to_owned();
            let own = town.get(&clip, "").await;
            let text = own.text();
            assert!(own.status == 200 && text.contains("The &#60;plan&#62;"), "{text}");
            assert!(text.contains("#t=0:10\"") && text.contains("Clip · 0:20"), "{text}");
            assert!(text.contains("/clip/100-200.m4a?cuts=0\""), "{text}");
            assert_eq!(text.contains("og:audio"), visibility == "public", "a private clip's sound is in no preview");
            assert_eq!(clip.contains("/t/"), visibility == "private");
            let bare = clip.split("/t/").next().expect("a path");
            assert_eq!(town.get(bare, "").await.status, if visibility == "public" { 200 } else { 404 });
            assert!(town.get(&page, "").await.text().contains(&format!("href=\"{clip}\"")));
            assert_eq!(town.submit(&path, "", "from=0:10&to=0:30").await.status, 401);
            assert_eq!(town.submit(&path, &ada, &format!("csrf={word}&from=0:10&to=0:11")).await.status, 422);
            assert_eq!(town.submit(&format!("{bare}/delete"), "", "").await.status, if visibility == "public" { 401 } else { 404 });
            let trimmed = FragmentNumber(50)..FragmentNumber(160);
            town.store.note_replay(id, &trimmed, 0, NOW).await.expect("noted");
            let (own, listed) = (town.get(&clip, "").await, town.get(&page, "").await);
            assert!(own.text().contains("Clip · 0:12") && !listed.text().contains("0:20"), "what is left of it: {}", listed.text());
            town.submit(&format!("/events/{id}/replay/hide"), &ada, &format!("csrf={word}")).await;
            assert!(town.get(&clip, "").await.text().contains("is not public any more"));
            assert_eq!(town.submit(&format!("{bare}/delete"), &ada, &format!("csrf={word}")).await.status, 303);
            assert_eq!(town.get(&clip, "").await.status, 404);
        }
    });
}

#[test]
fn a_feed_has_what_was_said_and_what_comes() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (_, id) = over(&town, "public").await;
        let (_, private) = over(&town, "private").await;
        for id in [id, private] {
            read(&town, id).await;
        }
        assert!(!town.get("/feeds/events.xml", "").await.text().contains("<item>"), "its MP3 is not there yet");
        for id in [id, private] {
            town.store.note_mp3(id, 0, 960_000).await.expect("noted");
        }
        let comes = town.announce("Tom & Jerry", "public").await;
        let feed = town.get("/feeds/events.xml", "").await;
        assert_eq!((feed.status, feed.header("content-type")), (200, "application/rss+xml; charset=utf-8"));
        let text = feed.text();
        assert!(!text.contains(&private.to_string()), "{text}");
        assert_eq!((text.starts_with("<?xml "), text.matches("<?xml").count()), (true, 1), "{text}");
        for part in [
            format!("<enclosure url=\"https://live.example/replay/{id}.mp3\" length=\"960000\" type=\"audio/mpeg\"/>"),
            format!("<guid isPermaLink=\"false\">townsquare:{id}</guid>"),
            "<itunes:duration>120</itunes:duration>".to_owned(),
            "<podcast:person>Ada &lt;b&gt;</podcast:person>".to_owned(),
            format!("url=\"https://square.example/events/{id}/chapters.json\""),
            "xmlns:podcast=\"https://podcastindex.org/namespace/1.0\"".to_owned(),
            "status=\"pending\"".to_owned(),
            "start=\"2026-11-21T18:00:00Z\"".to_owned(),
            "<title>Tom &amp; Jerry</title>".to_owned(),
            format!("href=\"https://square.example/events/{}\"", comes["id"].as_str().expect("an id")),
        ] {
            assert!(text.contains(&part), "{part} is not in {text}");
        }
        let same = town.ask("GET /feeds/events.xml", &[("if-none-match", feed.header("etag"))], "").await;
        assert_eq!((same.status, same.body.len()), (304, 0));
        let chapters = town.get(&format!("/events/{id}/chapters.json"), "").await;
        assert_eq!(chapters.json()["chapters"][0]["startTime"], 83.4);
        assert_eq!(chapters.header("content-type"), "application/json+chapters");
        assert_eq!(town.get(&format!("/events/{private}/chapters.json"), "").await.status, 404);
        let ada = town.administrator().await;
        assert!(!ada.is_empty());
        let own = town.get("/accounts/ada/events.xml", "").await;
        assert!(own.status == 200 && own.text().contains("Ada on Townsquare") && !own.text().contains("<item>"), "{}", own.text());
        assert_eq!(town.get("/accounts/nobody/events.xml", "").await.status, 404);
        town.submit(&format!("/events/{id}/replay/hide"), &ada, &format!("csrf={}", town.get("/", &ada).await.word())).await;
        assert!(!town.get("/feeds/events.xml", "").await.text().contains("<item>"));
    });
}

#[test]
fn a_report_is_for_who_runs_the_event() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let (_, id) = over(&town, "public").await;
        let path = format!("/events/{id}/report");
        assert!(town.get(&path, &ada).await.text().contains("The recording is being read."));
        read(&town, id).await;
        for ending in ["", ".json", ".csv"] {
            assert_eq!(town.get(&format!("{path}{ending}"), "").await.status, 401, "{ending}");
        }
        let page = town.get(&path, &ada).await;
        let text = page.text();
        assert!(text.contains("3 listened at most") && text.contains("<bdi>1 min 1 s</bdi>") && text.contains("Nobody reacted."), "{text}");
        let json = town.get(&format!("{path}.json"), &ada).await.json();
        assert_eq!((json["most"].as_u64(), json["speakers"][0]["spoke_ms"].as_u64()), (Some(3), Some(61_000)));
        let csv = town.get(&format!("{path}.csv"), &ada).await;
        assert_eq!(csv.text(), "seconds,listeners,reactions,speaking\r\n0,3,0,\"Ada <b>\"\r\n");
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    });
}

#[test]
fn each_speaker_is_saved_by_who_runs_the_event_alone() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let body = r#"{"title": "Town: \"meeting\"", "record_tracks": true}"#;
        let id = town.operate("POST /api/townsquare/v1/events", body).await.json()["id"].as_str().expect("an id").to_owned();
        for verb in ["go-live", "end"] {
            town.operate(&format!("POST /api/townsquare/v1/events/{id}/{verb}"), "").await;
        }
        let track = |number: u16, name: &str| Track {
            participant: ParticipantId(number),
            name: name.to_owned(),
            bytes: 5_200_000,
            first_ms: 12_400,
            end_ms: 843_000,
        };
        *town.stagehand.tracks.lock().expect("whole") = vec![track(1, "Ada <b>"), track(2, ""), track(7, "Ada <b>")];
        let page = format!("/events/{id}");
        for path in [page.clone(), format!("{page}/report")] {
            let own = town.get(&path, &ada).await;
            let text = own.text();
            assert!(text.contains("Each speaker by themselves"), "{text}");
            let listed = format!("<a href=\"/events/{id}/tracks/7.m4a\" download><bdi>Ada &#60;b&#62;</bdi>, 2 of 2</a>");
            assert!(text.contains(&listed) && text.contains("Speaker 2") && text.contains("14:03") && text.contains("0:12"), "{text}");
        }
        assert!(!town.get(&page, "").await.text().contains("/tracks/"));
        let path = format!("{page}/tracks/7.m4a");
        assert_eq!(town.get(&path, "").await.status, 401);
        let whole = town.ask(&format!("GET {path}"), &[("cookie", &ada), ("accept-encoding", "gzip")], "").await;
        assert_eq!((whole.status, whole.header("content-type"), whole.header("content-encoding")), (200, "audio/mp4", ""));
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        let named = "attachment; filename=\"speaker-7.m4a\"; filename*=UTF-8''town-meeting_ada-b_2.m4a";
        assert_eq!((whole.header("content-disposition"), whole.header("cache-control")), (named, "private, no-cache"));
        let part = town.ask(&format!("GET {path}"), &[("cookie", &ada), ("range", "bytes=2-5")], "").await;
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[2..6]));
        for file in ["3.m4a", "7", "7.mp4", "%2e%2e%2fjournal", "70000.m4a"] {
            assert_eq!(town.get(&format!("{page}/tracks/{file}"), &ada).await.status, 404, "{file}");
        }
        let word = town.get(&page, &ada).await.word();
        let hidden = town.submit(&format!("{page}/replay/hide"), &ada, &format!("csrf={word}")).await;
        assert_eq!((hidden.status, town.get(&path, &ada).await.status), (303, 200), "hidden is not from who runs it");
        let asked = town.submit(&format!("{page}/replay/delete"), &ada, &format!("csrf={word}")).await;
        assert!(asked.text().contains("own track"), "{}", asked.text());
        town.submit(&format!("{page}/replay/delete"), &ada, &format!("csrf={word}&sure=yes")).await;
        assert_eq!(town.get(&path, &ada).await.status, 409, "what is deleted is there for nobody");
    });
}
