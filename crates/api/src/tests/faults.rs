//! Bad input: each kind gets its own clear answer, a page for people, problem+json for programs.

use crate::testing::Town;
use base::limit::BODY_BYTES_MAX;
use store::testing::on_both;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const EVENTS: &str = "/api/townsquare/v1/events";

/// A request (method and path, headers, body) and its answer (status, code).
type Row<'a> = (String, Vec<(&'static str, &'a str)>, &'a str, u16, &'a str);

#[test]
fn every_fault_has_its_code() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let cookie = ("cookie", ada.as_str());
        let word = town.get("/", &ada).await.word();
        let signed = [cookie, ("x-csrf-token", word.as_str()), JSON];
        let large = "x".repeat(BODY_BYTES_MAX + 1);
        let rows: Vec<Row<'_>> = vec![
            ("GET /nowhere".into(), vec![], "", 404, "not-found"),
            ("GET /api/nowhere".into(), vec![], "", 404, "not-found"),
            ("DELETE /".into(), vec![], "", 405, "method-not-allowed"),
            ("GET /events/new".into(), vec![], "", 401, "not-signed-in"),
            ("GET /events/nonsense".into(), vec![], "", 404, "event-unknown"),
            ("GET /events/%ff".into(), vec![], "", 400, "bad-request"),
            ("GET /events/0123456789ab".into(), vec![], "", 404, "event-unknown"),
            ("GET /stage/forged".into(), vec![], "", 401, "bad-ticket"),
            ("GET /sign-in/short".into(), vec![], "", 410, "link-spent"),
            ("GET /assets/0/css/nothing.css".into(), vec![], "", 404, "not-found"),
            ("GET /assets/0/..%2f..%2fCargo.toml".into(), vec![], "", 404, "not-found"),
            (format!("GET {EVENTS}/0123456789ab"), vec![], "", 404, "event-unknown"),
            (format!("POST {EVENTS}"), vec![JSON], "{\"title\":\"A\"}", 401, "not-signed-in"),
            (format!("POST {EVENTS}"), vec![cookie, JSON], "{\"title\":\"A\"}", 403, "bad-csrf"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":", 400, "bad-request"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":\"A\",\"colour\":1}", 400, "bad-request"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":\" \"}", 422, "title-missing"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":\"A\",\"start_at\":\"soon\"}", 422, "bad-time"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":\"A\",\"start_at\":\"1999-01-01T00:00:00Z\"}", 422, "start-past"),
            (format!("POST {EVENTS}"), signed.to_vec(), "{\"title\":\"A\",\"start_at\":\"9999-01-01T00:00:00Z\"}", 422, "start-far"),
            (format!("POST {EVENTS}"), signed.to_vec(), &large, 413, "body-too-large"),
            (format!("POST {EVENTS}"), vec![cookie, signed[1], FORM], "title=A", 415, "wrong-media-type"),
            (format!("POST {EVENTS}/0123456789ab/end"), signed.to_vec(), "", 404, "event-unknown"),
            ("POST /api/townsquare/v1/accounts".into(), signed.to_vec(), "{\"name\":\"ada\"}", 409, "name-taken"),
            ("POST /api/townsquare/v1/accounts".into(), signed.to_vec(), "{\"name\":\"a b\"}", 422, "name-unusable"),
            ("POST /api/townsquare/v1/accounts".into(), signed.to_vec(), "{\"name\":\"b\",\"role\":\"root\"}", 400, "bad-request"),
            ("POST /api/townsquare/v1/operator/first-link".into(), signed.to_vec(), "", 403, "forbidden"),
            ("POST /events".into(), vec![cookie, FORM], "title=A", 403, "bad-csrf"),
            ("POST /events".into(), vec![cookie, JSON], "{}", 415, "wrong-media-type"),
            ("POST /events".into(), vec![cookie, FORM], &large, 413, "body-too-large"),
            ("POST /events/0123456789ab/end".into(), vec![FORM], "", 404, "event-unknown"),
        ];
        for (line, headers, body, status, code) in rows {
            let program = town.ask(&line, &[&headers[..], &[("accept", "application/json")]].concat(), body).await;
            assert_eq!((program.status, program.header("content-type")), (status, "application/problem+json"), "{line} {headers:?}");
            let problem = program.json();
            assert_eq!((problem["code"].as_str(), problem["status"].as_u64()), (Some(code), Some(u64::from(status))), "{line}");
            assert_eq!(problem["type"], "about:blank");
            let person = town.ask(&line, &[&headers[..], &[("accept", "text/html,*/*")]].concat(), body).await;
            assert_eq!(person.status, status, "{line}");
            let page = if line.contains("/api/") { "application/problem+json" } else { "text/html; charset=utf-8" };
            assert_eq!((person.header("content-type"), person.text().contains(code)), (page, true), "{line}");
        }
    });
}

#[test]
fn who_is_refused_is_told_what_helps() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let private = town.announce("Board", "private").await;
        let forged = format!("/events/{}/t/forged", private["id"].as_str().expect("an id"));
        for (path, heading, sign_in) in [
            ("/events/new", "Sign in first", true),
            ("/stage/forged", "This link does not work", false),
            (&forged, "This link does not work", false),
        ] {
            let page = town.get(path, "").await;
            let main = super::main_of(page.text());
            assert!(main.contains(&format!("<h1>{heading}</h1>")), "{path}: {main}");
            assert_eq!(
                (main.contains("href=\"/sign-in\""), main.matches("Sign in first").count()),
                (sign_in, usize::from(sign_in)),
                "{path}: {main}"
            );
        }
    });
}

#[test]
fn a_database_that_is_gone_is_our_own_fault() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        town.store.close().await;
        let answer = town.get("/", "").await;
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains("internal") && !answer.text().to_lowercase().contains("pool"), "{}", answer.text());
        assert_eq!(town.app.counts().by_class(), [0, 0, 0, 0, 1]);
    });
}
