//! The whole role in one process, over real sockets: what is spoken is what is kept, heard and refused.

mod check;
mod connection;
mod speaker;
mod tracks;
mod world;

use base::fact::Fact;
use base::{Epoch, FragmentNumber};
use speaker::{Speaker, share_of};
use world::{World, post};

/// Loud enough to be talking, far from clipping.
const ADA_HZ: f32 = 440.0;
const GRACE_HZ: f32 = 1_250.0;

/// Seconds of a tone in what was kept: 20 ms windows in which it is nearly all there is.
fn seconds_of(hz: f32, sound: &[f32]) -> f32 {
    let windows = sound.chunks_exact(960).filter(|window| share_of(hz, window) > 0.8);
    windows.count() as f32 * 0.02
}

#[track_caller]
fn check_kept(tcp: bool) {
    let world = World::new();
    let role = world.start();
    role.act("host", r#"{"do":"go-live","yes":true}"#);
    let ada = Speaker::call(&role, "speaker", ADA_HZ, tcp, ingest::Wish::Send);
    ada.speak(150);
    role.act("host", r#"{"do":"end"}"#);
    role.stop();
    let kept = world.kept();
    assert_eq!(kept.epochs, [Epoch(1)]);
    assert_eq!(kept.end, Some(FragmentNumber(kept.numbers.len() as u64)));
    assert!(kept.numbers.iter().enumerate().all(|(place, number)| number.0 == place as u64), "{:?}", kept.numbers);
    // Three seconds were spoken; what a busy machine conceals is still a tone, what it loses at the edges is not.
    let tone = seconds_of(ADA_HZ, &kept.sound);
    assert!(tone > 2.2, "{tone} s of the tone in {} s", kept.sound.len() / 48_000);
}

#[test]
fn a_voice_over_udp_is_kept() {
    check_kept(false);
}

#[test]
fn a_voice_over_tcp_is_kept() {
    check_kept(true);
}

#[test]
fn speakers_hear_each_other_without_themselves() {
    let world = World::new();
    let role = world.start();
    let ada = Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Both);
    let grace = Speaker::call(&role, "speaker", GRACE_HZ, true, ingest::Wish::Both);
    let (ada, grace) = std::thread::scope(|scope| {
        let ada = scope.spawn(|| ada.speak(150));
        let grace = scope.spawn(|| grace.speak(150));
        (ada.join().unwrap(), grace.join().unwrap())
    });
    role.stop();
    for (heard, own, other) in [(ada, ADA_HZ, GRACE_HZ), (grace, GRACE_HZ, ADA_HZ)] {
        assert!(seconds_of(other, &heard) > 1.5, "the other is heard");
        assert!(seconds_of(own, &heard) < 0.1, "nobody hears themselves");
    }
}

#[test]
fn a_monitor_hears_the_whole_mix() {
    let world = World::new();
    let role = world.start();
    let ada = Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Send);
    let monitor = Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Receive);
    let heard = std::thread::scope(|scope| {
        scope.spawn(|| ada.speak(150));
        scope.spawn(|| monitor.speak(150)).join().unwrap()
    });
    role.stop();
    assert!(seconds_of(ADA_HZ, &heard) > 1.5);
}

#[test]
fn nobody_hears_the_muted() {
    let world = World::new();
    let role = world.start();
    role.act("host", r#"{"do":"go-live","yes":true}"#);
    let mut ada = Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Send);
    ada = ada.speak_on(100);
    role.act("host", r#"{"do":"mute","participant":1,"muted":true}"#);
    ada.speak(100);
    role.act("host", r#"{"do":"end"}"#);
    role.stop();
    let tone = seconds_of(ADA_HZ, &world.kept().sound);
    assert!(tone > 1.2 && tone < 2.8, "{tone} s of the tone");
}

#[test]
fn a_stage_that_starts_anew_goes_on_where_the_last_one_was() {
    let world = World::new();
    let role = world.start();
    role.act("host", r#"{"do":"go-live","yes":true}"#);
    Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Send).speak(75);
    role.stop();
    let role = world.start();
    assert!(matches!(role.next_fact(), Fact::Live { epoch: Epoch(2), .. }));
    Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Send).speak(75);
    role.act("host", r#"{"do":"end"}"#);
    assert!(matches!(role.next_fact(), Fact::Ended { .. }));
    role.stop();
    let kept = world.kept();
    assert_eq!(kept.epochs, [Epoch(1), Epoch(2)]);
    assert!(kept.numbers.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "{:?}", kept.numbers);
    assert!(seconds_of(ADA_HZ, &kept.sound) > 1.8);
}

#[test]
fn the_console_says_who_is_there() {
    let world = World::new();
    let role = world.start();
    let key = "a-key-that-nobody-guesses";
    let mut console = role.console("host", &format!("?key={key}&name=Ada"));
    let state = console.next("state");
    assert_eq!(state["phase"], "backstage");
    assert_eq!(state["title"], "A test");
    assert_eq!(
        state["you"],
        serde_json::json!({"role": "host", "rules": true, "host": true, "ready": false}),
        "no place before there is a microphone"
    );
    assert_eq!(state["stage"], serde_json::json!([]));
    let ada = Speaker::call_as(&role, "host", &format!("?key={key}&name=Ada"), ADA_HZ, false, ingest::Wish::Send);
    let state = console.until(|state| !people(state).is_empty());
    assert_eq!(state["you"], serde_json::json!({"id": 1, "role": "host", "rules": true, "host": true, "ready": false}));
    assert_eq!((&state["stage"][0]["name"], &state["stage"][0]["here"]), (&"Ada".into(), &true.into()));
    role.act_as("host", &format!("?key={key}"), r#"{"do":"rename","name":"Countess"}"#);
    console.until(|state| people(state).iter().any(|person| person["name"] == "Countess"));
    ada.speak(1);
    let state = console.until(|state| people(state).iter().all(|person| person["here"] == false));
    assert_eq!(state["you"]["id"], 1, "the place is held");
    let ada = Speaker::call_as(&role, "host", &format!("?key={key}"), ADA_HZ, true, ingest::Wish::Send);
    let state = console.until(|state| people(state).iter().any(|person| person["here"] == true));
    assert_eq!((&state["you"]["id"], people(&state).len()), (&1.into(), 1), "and is theirs again");
    ada.speak(1);
    assert_eq!(console.next("beat"), 0);
    role.act("host", r#"{"do":"end"}"#);
    console.until(|state| state["phase"] == "ended");
    assert!(console.is_over());
    role.stop();
}

#[test]
fn who_calls_and_never_connects_keeps_nobody_out() {
    let world = World::new();
    let role = world.start();
    let path = format!("/whip/{}", world.event);
    let ticket = world.ticket("speaker");
    let _ghosts: Vec<_> = (0..base::limit::SPEAKERS_PER_EVENT_MAX + 1)
        .map(|ghost| {
            let (caller, offer) = ingest::Caller::offer(std::time::Instant::now(), ingest::Wish::Send);
            let answer = post(role.address, &format!("{path}?key=ghost-of-sixteen-{ghost}"), &ticket, "application/sdp", &offer);
            assert_eq!(answer.status, 201, "{}", answer.body);
            (caller, role.console("speaker", &format!("?key=ghost-of-sixteen-{ghost}")))
        })
        .collect();
    let mut console = role.console("host", "");
    for (class, hz) in [("speaker", ADA_HZ), ("host", GRACE_HZ)] {
        let one = Speaker::call(&role, class, hz, false, ingest::Wish::Send);
        let state = console.until(|state| people(state).iter().any(|person| person["role"] == class && person["here"] == true));
        assert!(people(&state).len() <= 2, "no ghost has a place: {state}");
        one.speak(1);
    }
    role.stop();
}

fn people(state: &serde_json::Value) -> &[serde_json::Value] {
    state["stage"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn a_refusal_says_why() {
    let world = World::new();
    let role = world.start();
    let path = format!("/whip/{}", world.event);
    let (_, offer) = ingest::Caller::offer(std::time::Instant::now(), ingest::Wish::Send);
    let without = |name: &str| offer.split_inclusive('\n').filter(|line| !line.starts_with(name)).collect::<String>();
    let host = world.ticket("host");
    let cases = [
        (host.as_str(), offer.replace("a=sendonly", "a=inactive"), "bad-sdp", "says a=inactive, and a=sendonly or", None),
        (&host, offer.replace("a=sendonly", "a=recvonly"), "bad-sdp", "says a=recvonly", None),
        (&host, without("a=ice-ufrag"), "bad-sdp", "it has no a=ice-ufrag", None),
        (&host, without("a=fingerprint"), "bad-sdp", "it has no a=fingerprint", None),
        ("", offer.clone(), "not-signed-in", "as the bearer token", Some("Bearer")),
        ("forged", offer.clone(), "bad-ticket", "not valid here", Some("Bearer error=\"invalid_token\"")),
    ];
    for (ticket, offer, code, why, challenge) in cases {
        let answer = post(role.address, &path, ticket, "application/sdp", &offer);
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["code"], code);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{problem}");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    role.stop();
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    let world = World::new();
    let role = world.start();
    let host = world.ticket("host");
    let listener = world.ticket("listener");
    let here = world.event.to_string();
    let there = base::EventId::from_random(77).to_string();
    let large = "x".repeat(base::limit::SDP_BYTES_MAX + 1);
    let sdp = "application/sdp";
    let cases = [
        (format!("/whip/{here}"), "", sdp, "v=0", 401, "not-signed-in"),
        (format!("/whip/{here}"), "forged", sdp, "v=0", 401, "bad-ticket"),
        (format!("/whip/{there}"), &host, sdp, "v=0", 401, "bad-ticket"),
        (format!("/whip/{here}"), &listener, sdp, "v=0", 403, "forbidden"),
        (format!("/whip/{here}"), &host, sdp, "v=0", 400, "bad-sdp"),
        (format!("/whip/{here}"), &host, "text/plain", "v=0", 415, "wrong-media-type"),
        (format!("/whip/{here}"), &host, sdp, large.as_str(), 413, "body-too-large"),
        (format!("/whip/{here}?key=short"), &host, sdp, "v=0", 400, "bad-request"),
        (format!("/whip/{here}?name=Ada&name=Eve"), &host, sdp, "v=0", 400, "bad-request"),
        ("/whip/%ff".to_owned(), &host, sdp, "v=0", 400, "bad-request"),
        ("/whip/no-event".to_owned(), &host, sdp, "v=0", 404, "event-unknown"),
        ("/nowhere".to_owned(), &host, sdp, "", 404, "not-found"),
        (format!("/whip/{here}/0123"), &host, sdp, "", 405, "method-not-allowed"),
        (format!("/console/{here}"), &host, "application/json", "{}", 400, "bad-request"),
        (format!("/console/{here}"), &host, "application/json", r#"{"do":"leave"}"#, 403, "forbidden"),
    ];
    for (path, ticket, kind, body, status, code) in cases {
        let answer = post(role.address, &path, ticket, kind, body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path} with {} bytes", body.len());
    }
    role.act("host", r#"{"do":"end"}"#);
    let answer = post(role.address, &format!("/console/{here}"), &host, "application/json", r#"{"do":"go-live","yes":true}"#);
    assert_eq!((answer.status, answer.code().as_str()), (410, "event-ended"));
    role.stop();
}

#[test]
fn what_ended_events_left_in_memory_goes_at_the_next_start() {
    let world = World::new();
    let memory = super::memory_dir(&world.dir).unwrap();
    std::fs::create_dir_all(memory.join(world.event.to_string())).unwrap();
    world.start().stop();
    assert!(!memory.exists());
}
