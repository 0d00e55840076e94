//! Bad input: what is wrong is refused with its own code by stage, relay and square, commands say it in one line, and the
//! running event's sound goes on.

mod support;

use base::EventId;
use base::limit::{BODY_BYTES_MAX, SDP_BYTES_MAX};
use gate::ticket::{Claims, Class};
use std::process::Command;
use support::event::Event;
use support::people::{Listener, ask, speaks, tone_file, wait_for_tone};
use support::{Server, scratch, townsquare};

const OPUS_OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";

/// One wrong request and the code it gets. `at` is a path below the role's address.
struct Wrong<'a> {
    method: &'a str,
    at: String,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    status: u16,
    code: &'a str,
}

fn check(role: &str, rows: &[Wrong<'_>]) {
    for row in rows {
        let answer = ask(row.method, &format!("{role}{}", row.at), &row.headers, row.body);
        let said = answer.json();
        let what = format!("{} {role}{} {:?}: {answer:?}", row.method, row.at, row.headers);
        assert_eq!((answer.status, said["code"].as_str()), (row.status, Some(row.code)), "{what}");
        assert_eq!((answer.kind.as_str(), said["status"].as_u64()), ("application/problem+json", Some(u64::from(row.status))), "{what}");
        assert!(said["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{what}");
    }
}

/// Tickets of every wrong kind for one event.
struct Tickets {
    expired: String,
    of_listener: String,
    forged: String,
}

fn tickets(server: &Server, event: &Event) -> Tickets {
    let keys = gate::Keys::parse(&std::fs::read_to_string(server.data().join("keys/tickets")).expect("keys")).expect("a key");
    let id: EventId = event.id.parse().expect("an id");
    let hour = 3_600;
    let now = u32::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()).expect("a time");
    let made = |class, not_before, not_after| gate::ticket::sign(&keys, &Claims { class, event: id, id: 7, not_before, not_after });
    let mut forged = made(Class::Host, now - hour, now + hour);
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    Tickets { expired: made(Class::Host, now - 2 * hour, now - hour), of_listener: made(Class::Listener, now - hour, now + hour), forged }
}

fn bearer(ticket: &str) -> String {
    format!("Bearer {ticket}")
}

fn wrong_at_the_stage(server: &Server, live: &Event, ended: &Event) {
    let wrong = tickets(server, live);
    let [good, over] = [live, ended].map(|event| bearer(&event.token));
    let [expired, listener, forged] = [&wrong.expired, &wrong.of_listener, &wrong.forged].map(|ticket| bearer(ticket));
    let sdp = ("Content-Type", "application/sdp");
    let offer = |codec: &str, name: &str| OPUS_OFFER.replace("111", codec).replace("opus/48000/2", name);
    let (pcmu, vp8) = (offer("0", "PCMU/8000"), offer("96", "VP8/90000").replace("m=audio", "m=video"));
    let (large, larger) = (vec![b' '; SDP_BYTES_MAX + 1], vec![b' '; BODY_BYTES_MAX + 1]);
    let (whip, whep, console) = (format!("/whip/{}", live.id), format!("/whep/{}", live.id), format!("/console/{}", live.id));
    let post = |at: &str, ticket, kind, body, status, code| Wrong {
        method: "POST",
        at: at.to_owned(),
        headers: vec![("Authorization", ticket), kind],
        body,
        status,
        code,
    };
    let json = ("Content-Type", "application/json");
    let opus = OPUS_OFFER.as_bytes();
    let rows = [
        post(&whip, &good, sdp, b"v=what", 400, "bad-sdp"),
        post(&whip, &good, sdp, b"\xff\xfe", 400, "bad-sdp"),
        post(&whep, &good, sdp, b"", 400, "bad-sdp"),
        post(&whip, &good, sdp, pcmu.as_bytes(), 422, "no-common-codec"),
        post(&whip, &good, sdp, vp8.as_bytes(), 422, "no-common-codec"),
        post(&whip, &good, sdp, &large, 413, "body-too-large"),
        post(&whip, &good, ("Content-Type", "text/plain"), opus, 415, "wrong-media-type"),
        post(&whip, &expired, sdp, opus, 401, "ticket-expired"),
        post(&whip, &forged, sdp, opus, 401, "bad-ticket"),
        post(&whip, &listener, sdp, opus, 403, "forbidden"),
        post(&whip, &over, sdp, opus, 401, "bad-ticket"),
        post("/whip/zzzzzzzzzzzz", &good, sdp, opus, 401, "bad-ticket"),
        post("/whip/nonsense", &good, sdp, opus, 404, "event-unknown"),
        post("/whip/%ff", &good, sdp, opus, 400, "bad-request"),
        post(&format!("{whip}?name=a&name=b"), &good, sdp, opus, 400, "bad-request"),
        post(&format!("{whip}?key=short"), &good, sdp, opus, 400, "bad-request"),
        post(&format!("/whip/{}", ended.id), &over, sdp, opus, 410, "event-ended"),
        post(&console, &good, json, b"{\"do\":\"dance\"}", 400, "bad-request"),
        post(&console, &good, json, b"{\"do\":\"end\"}", 403, "forbidden"),
        post(&console, &good, json, &larger, 413, "body-too-large"),
        Wrong {
            method: "PUT",
            at: whip.clone(),
            headers: vec![("Authorization", &good)],
            body: b"",
            status: 405,
            code: "method-not-allowed",
        },
        Wrong { method: "POST", at: whip.clone(), headers: vec![sdp], body: opus, status: 401, code: "not-signed-in" },
        Wrong { method: "GET", at: "/else".into(), headers: vec![], body: b"", status: 404, code: "not-found" },
    ];
    check(&server.stage_url(), &rows);
}

fn wrong_at_the_relay(server: &Server, live: &Event, private: &Event, ended: &Event) {
    let wrong = tickets(server, private);
    let get = |at: String, status, code| Wrong { method: "GET", at, headers: vec![], body: b"", status, code };
    let (live, private, ended) = (&live.id, &private.id, &ended.id);
    let long = "a".repeat(9_000);
    let rows = [
        get("/live/zzzzzzzzzzzz.mp4".into(), 404, "event-unknown"),
        get("/live/nonsense/main.m3u8".into(), 404, "event-unknown"),
        get(format!("/live/{ended}.mp4"), 410, "event-ended"),
        get(format!("/live/{live}.mp4?rung=9"), 400, "bad-request"),
        get(format!("/live/{live}.mp4?from=soon"), 400, "bad-request"),
        get(format!("/live/{private}.mp4"), 401, "bad-ticket"),
        get(format!("/live/{private}/main.m3u8"), 401, "bad-ticket"),
        get(format!("/live/{private}/t/{}.mp4", wrong.forged), 401, "bad-ticket"),
        get(format!("/live/{private}/t/{}.mp4", wrong.expired), 401, "ticket-expired"),
        get(format!("/replay/{private}.m4a"), 401, "bad-ticket"),
        get("/else".into(), 404, "not-found"),
        Wrong { method: "POST", ..get(format!("/live/{live}.mp4"), 405, "method-not-allowed") },
        Wrong { headers: vec![("X-Long", &long)], ..get("/".into(), 431, "head-too-large") },
    ];
    check(&server.relay_url(), &rows);
}

fn wrong_at_the_square(server: &Server, live: &Event) {
    let wrong = tickets(server, live);
    let get = |at: String, status, code| Wrong { method: "GET", at, headers: vec![], body: b"", status, code };
    let json = ("Content-Type", "application/json");
    let events = "/api/townsquare/v1/events";
    let post = |kind, body, status, code| Wrong { method: "POST", at: events.into(), headers: vec![kind], body, status, code };
    let large = vec![b' '; BODY_BYTES_MAX + 1];
    let rows = [
        get("/events/zzzzzzzzzzzz".into(), 404, "event-unknown"),
        get("/events/%ff".into(), 400, "bad-request"),
        get(format!("/stage/{}", wrong.forged), 401, "bad-ticket"),
        get(format!("/stage/{}", wrong.expired), 401, "ticket-expired"),
        get("/sign-in/nothing".into(), 410, "link-spent"),
        get("/api/townsquare/v1/else".into(), 404, "not-found"),
        post(json, b"{", 400, "bad-request"),
        post(json, b"{\"title\":\"A\"}", 401, "not-signed-in"),
        post(("Content-Type", "text/plain"), b"title", 415, "wrong-media-type"),
        post(json, &large, 413, "body-too-large"),
        Wrong { method: "PUT", ..get(events.into(), 405, "method-not-allowed") },
    ];
    check(&server.square_url(), &rows);
}

#[test]
fn bad_input_is_refused_by_its_code_and_hurts_nobody_else() {
    let server = Server::start();
    let event = server.create_event("Going on");
    let ended = server.create_event("Over");
    let private = server.create_event_with("Among us", &["--visibility", "private"]);
    server.end(&ended);
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let before = server.roles();
    let listener = Listener::new(&format!("{}?from=-1", event.stream), &[]);
    wrong_at_the_stage(&server, &event, &ended);
    wrong_at_the_relay(&server, &event, &private, &ended);
    wrong_at_the_square(&server, &event);
    server.end(&event);
    listener.heard_only_the_tone();
    assert_eq!(server.roles(), before, "nobody died of it");
}

/// Exit code and the one line that a failing command says.
fn failure(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the binary runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.starts_with("townsquare: ") && text.trim_end().lines().count() == 1, "not one line: {text}");
    assert!(output.stdout.is_empty(), "{text}");
    (output.status.code(), text)
}

#[test]
fn speak_and_listen_say_in_one_line_what_is_wrong() {
    let server = Server::start();
    let (waiting, over) = (server.create_event("To come"), server.create_event("Over"));
    server.end(&over);
    let live = server.create_event("Live");
    let _speaking = speaks(&server, &live, &[]);
    wait_for_tone(&live, &[]);
    let tone = tone_file(&server.data()).display().to_string();
    let data = server.data().display().to_string();
    let no_sound = server.data().join("notes.wav");
    std::fs::write(&no_sound, "one, two, three").expect("a file");
    let no_sound = no_sound.display().to_string();
    let (square, relay) = (server.square_url(), server.relay_url());
    let rows: [(&[&str], &str); 17] = [
        (&["speak", &waiting.stage, &no_sound], "is no sound"),
        (&["speak", &waiting.stage, "/nowhere.wav"], "/nowhere.wav can't be read"),
        (&["speak", &square, &tone], "no stage behind"),
        (&["speak", &format!("{square}/stage/forged"), &tone], "not valid here"),
        (&["speak", &over.stage, &tone], "is over"),
        (&["speak", "http://127.0.0.1:1/stage/x", &tone], "can't be reached"),
        (&["listen", &square], "nothing to hear"),
        (&["listen", "http://127.0.0.1:1/"], "can't be reached"),
        (&["listen", &format!("{relay}/live/zzzzzzzzzzzz.mp4")], "no such event"),
        (&["listen", &waiting.stream], "has not begun"),
        (&["listen", &over.stream], "is over"),
        (&["listen", &over.page], "is over"),
        (&["listen", &live.hls], "is an HLS playlist"),
        (&["rehearse", &waiting.stream], "has not begun"),
        (&["rehearse", &over.page], "is over"),
        (&["rehearse", "http://127.0.0.1:1/live/zzzzzzzzzzzz.mp4"], "can't be reached"),
        (&["account", "link", "nobody", "--data", &data], "no account \"nobody\""),
    ];
    for (words, expected) in rows {
        let (code, line) = failure(townsquare().args(words));
        assert_eq!(code, Some(1), "{words:?}: {line}");
        assert!(line.contains(expected), "{words:?}: {line}");
    }
    for (words, expected) in [
        (&["listen", &waiting.stream, "--seconds", "-1"][..], "-1"),
        (&["speak", &waiting.stage], "<FILE>"),
        (&["listen", "--loud"], "--loud"),
        (&["speak", "stage", &tone], "is no stage link"),
        (&["listen", "here"], "is no link"),
        (&["listen", "ftp://localhost/live"], "is no link"),
    ] {
        let (code, line) = failure(townsquare().args(words));
        assert_eq!(code, Some(2), "{words:?}: {line}");
        assert!(line.contains(expected), "{words:?}: {line}");
    }
}

#[test]
fn how_far_behind_a_listener_is_is_said() {
    let server = Server::start();
    let event = server.create_event("Behind");
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let (success, at_the_edge, _) = Listener::new(&event.stream, &["--seconds", "6"]).heard();
    assert!(success, "{at_the_edge}");
    let (success, report, _) = Listener::new(&format!("{}?from=0", event.stream), &["--seconds", "1"]).heard();
    let behind = report["behind_live_ms"].as_u64().expect("a number");
    assert!(success && (3_000..).contains(&behind), "heard the first second of at least five: {report}");
}

#[test]
fn looking_makes_no_data_directory() {
    let nowhere = scratch();
    let data = nowhere.join("typo");
    for words in [&["event", "list"][..], &["event", "show", "0123456789ab"], &["account", "link", "ada"]] {
        let (code, line) = failure(townsquare().args(words).arg("--data").arg(&data));
        assert_eq!(code, Some(1), "{words:?}: {line}");
        assert!(line.contains("no data directory") && line.contains("--data"), "{words:?}: {line}");
        assert!(!data.exists());
    }
    std::fs::remove_dir_all(nowhere).expect("removed");
}

#[test]
fn commands_on_data_work_without_a_server_and_orders_need_one() {
    let server = Server::prepared(&[]);
    let event = server.create_event("Before anything runs");
    assert!(server.succeeds(&["event", "list"]).contains(&event.id));
    assert!(server.succeeds(&["event", "show", &event.id]).contains("Before anything runs"));
    for verb in ["go-live", "end"] {
        let (code, line) = failure(townsquare().args(["event", verb, &event.id, "--data"]).arg(server.data()));
        assert_eq!(code, Some(1));
        assert!(line.contains("no server runs") && line.contains("townsquare serve"), "{line}");
    }
    // Who works on the data is alone with it.
    let lock = std::fs::File::open(server.data().join("lock")).expect("the lock");
    lock.lock().expect("nobody else has it");
    let (code, line) = failure(townsquare().args(["event", "list", "--data"]).arg(server.data()));
    assert_eq!(code, Some(1));
    assert!(line.contains("does not answer"), "{line}");
    let (code, line) = failure(townsquare().args(server.words()));
    assert_eq!(code, Some(1));
    assert!(line.contains("another townsquare command"), "{line}");
}

#[test]
fn commands_say_what_was_typed_wrong() {
    let server = Server::prepared(&[]);
    let rows: [(&[&str], &str); 10] = [
        (&["event", "create"], "--title"),
        (&["event", "create", "--title", " "], "needs a title"),
        (&["event", "create", "--title", &"a".repeat(121)], "120 characters"),
        (&["event", "create", "--title", "A", "--start-at", "tomorrow"], "2026-11-21T18:00:00Z"),
        (&["event", "create", "--title", "A", "--start-at", "1999-01-01T00:00:00Z"], "has passed"),
        (&["event", "create", "--title", "A", "--visibility", "secret"], "secret"),
        (&["event", "show", "nonsense"], "nonsense"),
        (&["event", "dance"], "dance"),
        (&["account", "create", "a b"], "letters"),
        (&["account", "create", "ada", "--role", "king"], "king"),
    ];
    for (words, expected) in rows {
        let (code, line) = failure(townsquare().args(words).arg("--data").arg(server.data()));
        assert_eq!(code, Some(2), "{words:?}: {line}");
        assert!(line.contains(expected), "{words:?}: {line}");
    }
    assert!(!server.data().exists(), "wrong usage touches nothing");
}

/// The keys of a JSON object, in order.
fn keys(value: &serde_json::Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn json_has_the_promised_keys_and_no_other() {
    let server = Server::start();
    let printed = server.succeeds(&["event", "create", "--title", "Keys", "--json"]);
    let made: serde_json::Value = serde_json::from_str(&printed).expect("one line of JSON");
    assert_eq!(printed.lines().count(), 1);
    assert_eq!(keys(&made), ["id", "listen", "page", "stage", "whip"]);
    assert_eq!(keys(&made["whip"]), ["token", "url"]);
    assert_eq!(keys(&made["listen"]), ["hls", "stream"]);
    let account = server.succeeds(&["account", "create", "ada", "--role", "moderator", "--json"]);
    assert_eq!(keys(&serde_json::from_str(&account).expect("JSON")), ["link", "name", "role"]);
    let event = server.create_event("Heard");
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let (success, report, _) = Listener::new(&event.page, &["--seconds", "1"]).heard();
    assert!(success);
    assert_eq!(keys(&report), ["behind_live_ms", "bytes", "first_audio_ms", "fragments", "gaps", "seconds"]);
    assert!(report.as_object().expect("an object").values().all(serde_json::Value::is_number), "{report}");
}

#[test]
fn unlisted_is_not_shown_and_private_asks_for_its_ticket() {
    let server = Server::start();
    let public = server.create_event("Everybody");
    let unlisted = server.create_event_with("Who has the link", &["--visibility", "unlisted"]);
    let private = server.create_event_with("Invited", &["--visibility", "private"]);
    let home = ask("GET", &server.square_url(), &[("Accept", "text/html")], b"").text;
    assert!(home.contains(&public.id) && !home.contains(&unlisted.id) && !home.contains(&private.id));
    assert_eq!(ask("GET", &unlisted.page, &[], b"").status, 200);
    let without_ticket = format!("{}/events/{}", server.square_url(), private.id);
    assert!(private.page.starts_with(&format!("{without_ticket}/t/")) && private.stream.contains("/t/") && private.hls.contains("/t/"));
    assert!(matches!(ask("GET", &without_ticket, &[], b"").status, 401 | 404));
    assert_eq!(ask("GET", &private.page, &[], b"").status, 200);
    let _speaking = speaks(&server, &private, &[]);
    wait_for_tone(&private, &[]);
    let refused = ask("GET", &format!("{}/live/{}.mp4", server.relay_url(), private.id), &[], b"");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("bad-ticket")));
    let by_page = Listener::new(&private.page, &["--seconds", "1"]);
    assert!(by_page.heard().0, "the page's link leads to the sound");
}
