//! A rehearsal as who runs the event sees it, and nobody else does.

use crate::testing::{Town, path_of};
use serde_json::Value;
use store::testing::on_both;

#[test]
fn a_crowd_is_sent_from_the_page_and_called_back() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let event = path_of(town.announce("Town meeting", "public").await["page"].as_str().expect("a page"));
        let path = format!("{event}/rehearsal");
        let link = format!("href=\"{path}\"");
        assert!(town.get(&event, &ada).await.text().contains(&link), "who runs the event finds it");
        assert!(!town.get(&event, "").await.text().contains(&link), "nobody else does");

        let page = town.get(&path, &ada).await;
        let word = page.word();
        for (numbers, status) in
            [("listeners=0&seconds=30", 422), ("listeners=1000&seconds=301", 422), ("listeners=20000&seconds=300", 303)]
        {
            let answer = town.submit(&path, &ada, &format!("csrf={word}&{numbers}")).await;
            assert_eq!(answer.status, status, "{numbers}: {answer:?}");
            let is_told = answer.text().contains("id=\"crowd-error\"") && answer.text().contains("1 to 20,000 listeners");
            assert_eq!(is_told, status == 422, "{numbers}: {answer:?}");
        }
        let running = town.get(&path, &ada).await;
        assert!(running.text().contains("899 of 20,000 hear the test sound"), "{}", running.text());
        assert!(running.text().contains("Everybody listens for 12 more seconds. 2 gaps"), "{}", running.text());
        assert!(running.text().contains("<noscript><meta http-equiv=\"refresh\""), "it goes on without script");
        assert!(!running.text().contains("name=\"listeners\""), "one at a time");
        let again = town.submit(&path, &ada, &format!("csrf={word}&listeners=1&seconds=1")).await;
        assert!(again.status == 409 && again.text().contains("A rehearsal is running on this server."), "{again:?}");

        let other = path_of(town.announce("Another", "public").await["page"].as_str().expect("a page"));
        assert!(town.get(&format!("{other}/rehearsal"), &ada).await.text().contains("rehearses another event now"));

        let ended = town.submit(&format!("{path}/end"), &ada, &format!("csrf={word}")).await;
        assert_eq!((ended.status, ended.header("location")), (303, path.as_str()));
        let over = town.get(&path, &ada).await;
        assert!(over.text().contains("<h2 id=\"last\">holds 20000 listeners</h2>"), "{}", over.text());
        assert!(over.text().contains(&format!("src=\"{path}/report#plots\" title=\"The report\" sandbox")), "{}", over.text());
    });
}

#[test]
fn the_report_can_do_nothing() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let event = path_of(town.announce("Town meeting", "public").await["page"].as_str().expect("a page"));
        let (path, report) = (format!("{event}/rehearsal"), format!("{event}/rehearsal/report"));
        assert_eq!(town.get(&report, &ada).await.status, 404, "there is none yet");
        let word = town.get(&path, &ada).await.word();
        town.submit(&path, &ada, &format!("csrf={word}")).await;
        town.submit(&format!("{path}/end"), &ada, &format!("csrf={word}")).await;
        let answer = town.get(&report, &ada).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'; sandbox";
        assert_eq!(answer.header("content-security-policy"), policy);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    });
}

#[test]
fn nobody_else_rehearses() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let headers = [("cookie", ada.as_str()), ("content-type", "application/json")];
        let word = town.get("/", &ada).await.word();
        let worded = [headers[0], headers[1], ("x-csrf-token", word.as_str())];
        let made = town.ask("POST /api/townsquare/v1/accounts", &worded, "{\"name\":\"Grace\",\"role\":\"moderator\"}").await.json();
        let grace = town.submit(&path_of(made["link"].as_str().expect("a link")), "", "").await.cookie();
        let graces = town.get("/", &grace).await.word();
        let id = town.announce("Town meeting", "public").await["id"].as_str().expect("an id").to_owned();
        let path = format!("/events/{id}/rehearsal");
        for (cookie, word, status) in [("", "", 401), (&*grace, &*graces, 403)] {
            for page in [&path, &format!("{path}/report"), &format!("/api/townsquare/v1{path}")] {
                assert_eq!(town.get(page, cookie).await.status, status, "{page} for {cookie:?}");
            }
            for form in [&path, &format!("{path}/end")] {
                assert_eq!(town.submit(form, cookie, &format!("csrf={word}")).await.status, status, "{form} for {cookie:?}");
            }
        }
        let forged = town.submit(&path, &ada, "csrf=wrong&listeners=1&seconds=1").await;
        assert_eq!(forged.status, 403, "{forged:?}");
        let wordless = town.ask(&format!("POST /api/townsquare/v1{path}"), &headers, "{}").await;
        assert_eq!(wordless.status, 403, "{wordless:?}");
        assert_eq!(town.ask(&format!("GET /api/townsquare/v1{path}"), &headers, "").await.json()["running"], Value::Null);
    });
}

#[test]
fn programs_rehearse_too() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let id = town.announce("Town meeting", "private").await["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/townsquare/v1/events/{id}/rehearsal");
        let none = town.operate(&format!("GET {path}"), "").await.json();
        assert_eq!(none, serde_json::json!({"running": null, "last": null, "elsewhere": false}));
        for (body, status, code) in [
            ("{\"listeners\":20001}", 422, "rehearsal-too-large"),
            ("{\"listeners\":500,\"seconds\":20}", 202, ""),
            ("", 409, "rehearsal-running"),
        ] {
            let answer = town.operate(&format!("POST {path}"), body).await;
            assert_eq!((answer.status, answer.json()["code"].as_str().unwrap_or_default()), (status, code), "{body}");
        }
        let running = town.operate(&format!("GET {path}"), "").await.json();
        assert_eq!(running["running"]["listeners"], 500, "{running}");
        assert_eq!(running["running"]["words"], "Everybody listens for 12 more seconds.");
        let over = town.operate(&format!("DELETE {path}"), "").await.json();
        assert_eq!((&over["running"], &over["last"]["end"]), (&Value::Null, &"verdict".into()), "{over}");
        assert_eq!(over["last"]["report"], format!("/events/{id}/rehearsal/report"));
        town.operate(&format!("POST /api/townsquare/v1/events/{id}/go-live"), "").await;
        let late = town.operate(&format!("POST {path}"), "").await;
        assert_eq!((late.status, late.json()["code"].as_str()), (409, Some("rehearsal-late")), "{late:?}");
        let unknown = town.operate("GET /api/townsquare/v1/events/000000000000/rehearsal", "").await;
        assert_eq!(unknown.status, 404, "{unknown:?}");
    });
}
