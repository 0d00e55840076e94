//! A tree of relays, each a server of its own: what is heard at any level is what was recorded, whoever dies above.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod support;

use programme::fragment;
use std::io::Read as _;
use support::Server;
use support::people::{Listener, speaks, wait_for_tone};
use support::relay::{Relay, metric_in};
use support::until;

/// Every fragment of an endless stream: its number and its bytes.
fn fragments(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    while let Ok(at) = fragment::find(bytes) {
        let (front, rest) = bytes.split_at(at.length());
        // Init segment and padding stand before the first.
        let start = front.windows(4).position(|four| four == b"emsg" || four == b"moof").unwrap() - 4;
        found.push((at.number.0, front[start..].to_vec()));
        bytes = rest;
    }
    found
}

/// What a listener gets from an address until the event ends, on a thread of its own.
fn record(url: &str) -> std::thread::JoinHandle<Vec<(u64, Vec<u8>)>> {
    let url = url.to_owned();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let answer = ureq::get(&url).call().unwrap();
        answer.into_body().into_with_config().limit(u64::MAX).reader().read_to_end(&mut bytes).unwrap();
        fragments(&bytes)
    })
}

/// What the stage has recorded.
fn recorded(server: &Server, event: &str) -> Vec<(u64, Vec<u8>)> {
    fragments(&std::fs::read(server.data().join("events").join(event).join("64.mp4")).unwrap())
}

/// Whether what was heard is the recording from its first number on, without a gap.
fn check_heard(heard: &[(u64, Vec<u8>)], recorded: &[(u64, Vec<u8>)]) {
    let first = heard.first().expect("something is heard").0;
    let from = recorded.iter().position(|(number, _)| *number == first).expect("it was recorded");
    let numbers = |list: &[(u64, Vec<u8>)]| list.iter().map(|(number, _)| *number).collect::<Vec<_>>();
    assert_eq!(numbers(heard), numbers(&recorded[from..]));
    assert!(heard == &recorded[from..], "the bytes differ");
}

#[test]
fn three_levels_hear_what_was_recorded() {
    let server = Server::start();
    let two = Relay::start(&[&server.relay_url()], &[]);
    let three = Relay::start(&[&two.url()], &[]);
    let event = server.create_event("Tree");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let levels = [event.stream.clone(), two.here(&server, &event.stream), three.here(&server, &event.stream)];
    let listeners: Vec<_> = (0..10).map(|_| record(&levels[2])).collect();
    let others = levels.each_ref().map(|url| record(url));
    let ear = Listener::new(&levels[2], &["--seconds", "3"]);
    ear.heard_only_the_tone();
    drop(speaker);
    server.end(&event);
    let recording = recorded(&server, &event.id);
    for listener in listeners.into_iter().chain(others) {
        check_heard(&listener.join().unwrap(), &recording);
    }
    // Ten joins far away were one copy at each level.
    let (_, text) = server.internal("/metrics").unwrap();
    assert_eq!(metric_in(&text, "townsquare_relay_copies_total"), 1);
    assert_eq!(two.metric("townsquare_relay_copies_total"), 1);
    // The replay is the same everywhere, and only what is read is fetched.
    let replay = |base: &str| {
        let mut answer = ureq::get(event.replay().replace(&server.relay_url(), base)).call().ok()?;
        answer.body_mut().read_to_vec().ok()
    };
    let here = until("the replay", || replay(&server.relay_url()));
    assert!(until("the replay far away", || replay(&three.url())) == here);
}
