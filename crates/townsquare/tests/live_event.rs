//! A live event through real processes: what was decided sticks, and what nobody decides happens by itself.

mod support;

use base::UnixMillis;
use base::journal::{Role, What};
use gate::ticket::{Claims, Class, sign, verify};
use programme::journal::Journal;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::SystemTime;
use support::event::Event;
use support::people::{Answer, Running, TONE_HZ, ask, console, speaks, tone_file};
use support::relay::Relay;
use support::sound::{RATE, tone};
use support::voice::Voice;
use support::{Server, townsquare, until};

/// A ticket of the event with a number of its own, as the square signs them.
fn ticket(server: &Server, event: &Event, class: Class, id: u64) -> String {
    sign(&keys(server), &Claims { event: event.id.parse().expect("an id"), class, id, not_before: 0, not_after: u32::MAX })
}

/// The number in a ticket.
fn number_of(server: &Server, ticket: &str) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_millis();
    verify(&keys(server), ticket, UnixMillis(i64::try_from(now).expect("a time"))).expect("a good ticket").id
}

fn keys(server: &Server) -> gate::Keys {
    gate::Keys::parse(&std::fs::read_to_string(server.data().join("keys/tickets")).expect("the ticket keys")).expect("keys")
}

/// The ticket in the link that all speakers share.
fn speakers_ticket(server: &Server, event: &Event) -> String {
    let shown: Value = serde_json::from_str(&server.succeeds(&["event", "show", &event.id, "--json"])).expect("JSON");
    shown["speakers"].as_str().and_then(|link| link.rsplit('/').next()).expect("a link").to_owned()
}

fn host_ticket(event: &Event) -> &str {
    event.stage.rsplit('/').next().expect("a ticket")
}

/// An action on the stage.
fn act(server: &Server, event: &Event, ticket: &str, query: &str, action: &Value) -> Answer {
    let url = format!("{}/console/{}{query}", server.stage_url(), event.id);
    let bearer = format!("Bearer {ticket}");
    ask("POST", &url, &[("Authorization", &bearer), ("Content-Type", "application/json")], action.to_string().as_bytes())
}

/// A speaker of their own, by the command that a person types.
fn speaker(server: &Server, ticket: &str) -> Running {
    let file = tone_file(&server.data());
    let link = format!("{}/stage/{ticket}", server.square_url());
    let child = townsquare().args(["speak", &link, "--loop"]).arg(file).stderr(std::process::Stdio::null()).spawn();
    Running(child.expect("a speaker"))
}

/// The number of somebody with this role whose microphone is connected, as soon as a console sees one.
fn on_stage(lines: &mut impl Iterator<Item = Value>, role: &str) -> u64 {
    let here = |line: &Value| {
        let people = line["state"]["stage"].as_array()?;
        people.iter().find(|one| one["role"] == role && one["here"] == true)?["id"].as_u64()
    };
    lines.find_map(|line| here(&line)).expect("the control stream goes on")
}

fn journal(server: &Server, event: &Event) -> Journal {
    Journal::read(&std::fs::read(server.data().join("events").join(&event.id).join("journal")).unwrap_or_default())
}

/// A microphone without a program around it.
fn microphone(whip: &str, ticket: &str, name: &str) -> Voice {
    let mut samples = tone(TONE_HZ, 0.4, RATE).into_iter().cycle();
    let speak = move |_, frame: &mut support::voice::Tick| frame.fill_with(|| samples.next().unwrap_or_default());
    Voice::call(whip, ticket, name, Box::new(speak), Box::new(|_, _| {}))
}

#[test]
fn a_ban_outlives_a_stage_that_is_killed_right_after() {
    let mut server = Server::start();
    let event = server.create_event("Ban");
    let guest = ticket(&server, &event, Class::Speaker, 77);
    let _speaker = speaker(&server, &guest);
    let participant = on_stage(&mut console(&server, &event), "speaker");
    let banned = act(&server, &event, host_ticket(&event), "", &json!({"do": "ban", "participant": participant}));
    let stage = server.signal("stage", Signal::KILL);
    assert_eq!(banned.status, 200, "{}", banned.text);
    server.wait_replaced("stage", stage);
    let knock = || act(&server, &event, &guest, "?key=another-key-of-theirs", &json!({"do": "rename", "name": "Eve"}));
    let answer = until("the stage answers", || Some(knock()).filter(|answer| answer.status != 503));
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("barred")), "{}", answer.text);
    // Who has another ticket comes in.
    let _other = speaker(&server, &ticket(&server, &event, Class::Speaker, 78));
    let other = on_stage(&mut console(&server, &event), "speaker");
    assert_ne!(other, participant);
}

/// A browser that opens a stage link, with these cookies already; gives its cookies.
fn opens(server: &Server, ticket: &str, cookies: &str) -> String {
    let opened = ask("GET", &format!("{}/stage/{ticket}", server.square_url()), &[("Cookie", cookies)], b"");
    assert_eq!(opened.status, 200, "{}", opened.text);
    [cookies, &opened.cookie].iter().copied().filter(|cookie| !cookie.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Raises a hand from a browser with these cookies, who has come by this ticket.
fn raises(server: &Server, event: &Event, cookies: &str, ticket: &str) -> (u16, Value) {
    let url = format!("{}/api/townsquare/v1/events/{}/hand", server.square_url(), event.id);
    let body = json!({"name": "Sam again", "topic": "Once more"}).to_string();
    let bearer = format!("Bearer {ticket}");
    let headers = [("Content-Type", "application/json"), ("Cookie", cookies), ("Authorization", &bearer)];
    let answer = ask("POST", &url, &headers[..if ticket.is_empty() { 2 } else { 3 }], body.as_bytes());
    (answer.status, answer.json()["code"].clone())
}

/// Listens until the stream is over.
fn listens(stream: &str) -> std::thread::JoinHandle<()> {
    let answer = until("the stream", || ureq::get(stream).call().ok());
    std::thread::spawn(move || drop(std::io::copy(&mut answer.into_body().into_reader(), &mut std::io::sink())))
}

#[test]
fn a_ban_covers_the_browser_and_its_private_listening() {
    let mut server = Server::start();
    let keys = server.data().join("keys/tickets").display().to_string();
    let leaf = Relay::start(&[&server.relay_url()], &["--keys", &keys]);
    let event = server.create_event_with("Ban", &["--visibility", "private"]);
    let speakers = speakers_ticket(&server, &event);
    let shared = event.page.rsplit('/').next().expect("a ticket").to_owned();
    let (_, invite) = server.operate(&event, "POST", "invites", r#"{"name":"Sam"}"#).expect("an invite");
    let guest = invite["link"].as_str().and_then(|link| link.rsplit('/').next()).expect("a stage link").to_owned();
    let sam = opens(&server, &guest, "");
    let _speaker = speaker(&server, &guest);
    let participant = on_stage(&mut console(&server, &event), "speaker");
    server.go_live(&event);
    // The sound of the browser's own page, here and at a relay elsewhere.
    let page = ask("GET", &event.page, &[("Cookie", &sam), ("Accept", "text/html")], b"").text;
    let own = page.split(&format!("/live/{}/t/", event.id)).nth(1).and_then(|rest| rest.split('.').next()).expect("a stream").to_owned();
    assert_ne!(own, shared, "a ticket of their own");
    let numbered = ticket(&server, &event, Class::Speaker, number_of(&server, &own));
    let stream = event.stream.replace(&shared, &own);
    let streams = [stream.clone(), leaf.here(&server, &stream)];
    let hearing = streams.each_ref().map(|stream| listens(stream));
    let banned = act(&server, &event, host_ticket(&event), "", &json!({"do": "ban", "participant": participant}));
    assert_eq!(banned.status, 200, "{}", banned.text);
    for thread in hearing {
        thread.join().expect("the stream ends");
    }
    let barred = |server: &Server| {
        for stream in &streams {
            assert_eq!(ask("GET", stream, &[], b"").json()["code"], "barred", "{stream}");
        }
        assert_eq!(raises(server, &event, &sam, &shared), (403, json!("barred")));
        assert_eq!(ask("GET", &event.page, &[("Cookie", &sam)], b"").status, 403);
        for other in [&guest, &speakers] {
            let opened = ask("GET", &format!("{}/stage/{other}", server.square_url()), &[("Cookie", &sam)], b"");
            assert_eq!(opened.json()["code"], "barred", "whichever link they come by: {}", opened.text);
        }
        let knock = || act(server, &event, &numbered, "?key=another-key-of-theirs", &json!({"do": "rename", "name": "Sam"}));
        let answer = until("the stage answers", || Some(knock()).filter(|answer| answer.status != 503));
        assert_eq!(answer.json()["code"], "barred", "nor as who listens: {}", answer.text);
    };
    barred(&server);
    for role in ["stage", "square", "relay-0"] {
        let before = server.signal(role, Signal::KILL);
        server.wait_replaced(role, before);
    }
    barred(&server);
    // The others who came by the same link are not meant.
    assert_eq!(raises(&server, &event, "", &shared).0, 200);
    assert_eq!(raises(&server, &event, &opens(&server, &speakers, ""), &shared).0, 200);
}

#[test]
fn a_ban_covers_the_account_and_one_of_many_with_the_same_link() {
    let server = Server::start();
    let event = server.create_event("Ban");
    let speakers = speakers_ticket(&server, &event);
    let made = server.succeeds(&["account", "create", "mia", "--json"]);
    let link = serde_json::from_str::<Value>(&made).expect("JSON")["link"].as_str().expect("a link").to_owned();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let signed_in = ask("POST", &link, &[form, ("Accept", "text/html")], b"");
    assert_eq!(signed_in.status, 303, "{}", signed_in.text);
    // Two come by the link that all speakers have; one of them is signed in.
    let personal = |cookies: &str| {
        let opened = ask("GET", &format!("{}/stage/{}", server.square_url(), speakers), &[("Cookie", cookies)], b"");
        opened.json()["token"].as_str().expect("a ticket").to_owned()
    };
    let ben = opens(&server, &speakers, "");
    let (mia_speaks, ben_speaks) = (personal(&signed_in.cookie), personal(&ben));
    let _mia = microphone(&event.whip, &mia_speaks, "Mia&key=the-key-of-mia-00");
    let participant = on_stage(&mut console(&server, &event), "speaker");
    let banned = act(&server, &event, host_ticket(&event), "", &json!({"do": "ban", "participant": participant}));
    assert_eq!(banned.status, 200, "{}", banned.text);
    // Wherever the account is signed in.
    until("Mia raises no hand", || (raises(&server, &event, &signed_in.cookie, &speakers) == (403, json!("barred"))).then_some(()));
    let knock = |ticket: &str| act(&server, &event, ticket, "?key=another-key-of-somebody", &json!({"do": "ready", "ready": true}));
    assert_eq!(knock(&mia_speaks).json()["code"], "barred");
    let opened = ask("GET", &format!("{}/stage/{}", server.square_url(), speakers), &[("Cookie", &signed_in.cookie)], b"");
    assert_eq!(opened.json()["code"], "barred");
    assert_ne!(knock(&ben_speaks).json()["code"], "barred", "one of many");
    opens(&server, &speakers, &ben);
    assert_eq!(raises(&server, &event, &ben, "").0, 200);
}

#[test]
fn a_hand_that_was_admitted_brings_a_listener_on_stage() {
    let server = Server::start();
    let event = server.create_event("Hands");
    let _host = speaks(&server, &event, &[]);
    let mut lines = console(&server, &event);
    on_stage(&mut lines, "host");
    until("the event is live", || journal(&server, &event).begun());
    let url = format!("{}/api/townsquare/v1/events/{}/hand", server.square_url(), event.id);
    let body = json!({"name": "Grace", "topic": "The bridge"}).to_string();
    let raised = until("hands may be raised", || {
        Some(ask("POST", &url, &[("Content-Type", "application/json")], body.as_bytes())).filter(|answer| answer.status == 200)
    });
    let ticket = raised.json()["ticket"].as_str().expect("a ticket").to_owned();
    let refused = act(&server, &event, &ticket, "?key=the-key-of-a-guest", &json!({"do": "rename", "name": "Grace"}));
    assert_eq!(refused.json()["code"], "forbidden", "{}", refused.text);
    let hand = lines.find_map(|line| line["state"]["hands"].get(0).cloned()).expect("the hand is seen on stage");
    assert_eq!((&hand["name"], &hand["topic"]), (&json!("Grace"), &json!("The bridge")));
    let admitted = act(&server, &event, host_ticket(&event), "", &json!({"do": "admit", "hand": hand["id"]}));
    assert_eq!(admitted.status, 200, "{}", admitted.text);
    let _guest = microphone(&event.whip, &ticket, "Grace");
    on_stage(&mut lines, "speaker");
}

#[test]
fn who_was_let_on_stage_comes_though_nobody_is_there_meanwhile() {
    let server = Server::start();
    let event = server.create_event("Hands before");
    let mut lines = console(&server, &event);
    let url = format!("{}/api/townsquare/v1/events/{}/hand", server.square_url(), event.id);
    let raised = ask("POST", &url, &[("Content-Type", "application/json")], br#"{"name":"Grace","topic":"The bridge"}"#);
    let guest = raised.json()["ticket"].as_str().expect("a ticket").to_owned();
    let hand = lines.find_map(|line| line["state"]["hands"].get(0).cloned()).expect("the hand is seen on stage");
    assert_eq!(act(&server, &event, host_ticket(&event), "", &json!({"do": "admit", "hand": hand["id"]})).status, 200);
    drop(lines);
    until("nobody is there", || {
        let (_, text) = server.internal("/stage/0/metrics")?;
        text.lines().any(|line| line == "townsquare_stage_events 0").then_some(())
    });
    let _guest = microphone(&event.whip, &guest, "Grace");
    on_stage(&mut console(&server, &event), "speaker");
}

#[test]
fn a_scheduled_event_begins_by_itself_once_its_host_is_ready() {
    let server = Server::start();
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs() + 8;
    let start = utc(seconds);
    let event = server.create_event_with("At its second", &["--start-at", &start]);
    // The doors are open: the stream is there before anybody is.
    until("the doors are open", || ureq::head(&event.stream).call().ok());
    // A guest is first, and the host's microphone comes from an encoder with the address that everybody has.
    let _guest = speaker(&server, &event.token);
    let on_stage = |people| {
        until("they are on the stage", || {
            let joined = journal(&server, &event).entries.iter().filter(|one| matches!(one.what, What::Joined { .. })).count();
            (joined == people).then_some(())
        })
    };
    on_stage(1);
    let _host = microphone(&event.whip, &event.token, "Ada&key=the-key-of-the-host");
    on_stage(2);
    let ready = json!({"do": "ready", "ready": true, "yes": true});
    until("the host is ready", || {
        Some(act(&server, &event, host_ticket(&event), "?key=the-key-of-the-host", &ready)).filter(|answer| answer.status == 200)
    });
    let begun =
        until("the event begins", || journal(&server, &event).entries.into_iter().find(|one| matches!(one.what, What::Begun { .. })));
    let start = UnixMillis(i64::try_from(seconds * 1_000).expect("a time"));
    assert!(begun.at >= start, "not before its second: {:?} and {start:?}", begun.at);
    let mut lines = console(&server, &event);
    assert_eq!(lines.next().expect("a state")["state"]["phase"], "live");
    support::people::wait_for_tone(&event, &[]);
}

/// A time as people write it.
fn utc(seconds: u64) -> String {
    let output = std::process::Command::new("date").args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]).output();
    String::from_utf8(output.expect("date runs").stdout).expect("text").trim().to_owned()
}

#[test]
fn when_the_host_vanishes_the_next_is_in_charge_until_they_are_back() {
    let server = Server::start();
    let event = server.create_event("Succession");
    let host = speaks(&server, &event, &[]);
    let guest = ticket(&server, &event, Class::Speaker, 77);
    let _next = speaker(&server, &guest);
    // A host's console would be a host: a speaker's sees the same.
    let watcher = Event { stage: format!("{}/stage/{guest}", server.square_url()), ..event.clone() };
    let mut lines = console(&server, &watcher);
    let host_id = on_stage(&mut lines, "host");
    let next_id = on_stage(&mut lines, "speaker");
    until("the event is live", || journal(&server, &event).begun());
    drop(host);
    let in_charge = |lines: &mut dyn Iterator<Item = Value>, who: u64| {
        let mut states = lines.filter(|line| line["state"]["in_charge"] == who);
        states.next().expect("the control stream goes on");
    };
    in_charge(&mut lines, next_id);
    let ended = act(&server, &event, &guest, "", &json!({"do": "lock", "locked": true}));
    assert_eq!(ended.status, 403, "the ticket alone rules nothing: it is who is on stage");
    let _host = speaks(&server, &event, &[]);
    let roles = |entries: &[base::journal::Entry]| entries.iter().filter(|one| matches!(one.what, What::InCharge { .. })).count();
    until("a host is in charge again", || (roles(&journal(&server, &event).entries) >= 2).then_some(()));
    let back = journal(&server, &event).entries.into_iter().rev().find(|one| matches!(one.what, What::InCharge { .. }));
    assert_eq!(back.map(|one| one.what), Some(What::InCharge { participant: None }));
    assert!(journal(&server, &event).entries.iter().any(|one| matches!(one.what, What::Joined { role: Role::Host, .. })), "{host_id}");
}

#[test]
fn what_was_said_last_can_be_cut() {
    let server = Server::start();
    let event = server.create_event("Cut");
    let _host = speaks(&server, &event, &[]);
    support::people::wait_for_tone(&event, &[]);
    let cut = act(&server, &event, host_ticket(&event), "", &json!({"do": "cut", "seconds": 1}));
    assert_eq!(cut.status, 200, "{}", cut.text);
    assert_eq!((&cut.json()["cut_ms"], &cut.json()["heard_ms"]), (&json!(1_200), &json!(1_000)), "nothing is held back here");
    // A cut that reaches the end would shorten the replay.
    support::people::wait_for_tone(&event, &[]);
    server.end(&event);
    until("the replay is there", || ureq::head(event.replay()).call().ok());
    let heard = support::people::Listener::new(&event.replay(), &[]).heard().2;
    let silent = heard.chunks_exact(960).filter(|window| window.iter().all(|sample| sample.abs() < 0.01)).count();
    assert!(silent * 20 >= 1_000, "a second of it is silent: {} ms", silent * 20);
}
