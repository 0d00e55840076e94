//! A tree of relays, each a server of its own: what is heard at any level is what was recorded, and each level asks once.

mod support;

use base::{FragmentNumber, Rung};
use programme::cuts::Cut;
use support::disk::SmallDisk;
use support::people::{Listener, ask, console, speaks, wait_for_tone};
use support::recording::{bytes_of, check_heard, record, recorded, write_past};
use support::relay::{Relay, metric_in};
use support::{Server, townsquare, until};

/// Fragments of an event that is larger than the smallest window: thirteen minutes.
const LONG: u64 = 4_000;

/// The smallest window.
const WINDOW: u64 = 4 * 1024 * 1024;

/// Copies that the relay beside the stage began to send.
fn copies(server: &Server) -> u64 {
    metric_in(&server.internal("/metrics").expect("metrics").1, "townsquare_relay_copies_total")
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
    let (success, report, _) = Listener::new(&levels[2], &["--seconds", "2"]).heard();
    assert!(success && report["gaps"] == 0, "{report}");
    // Ten joins far away were one copy at each level.
    assert_eq!([copies(&server), two.metric("townsquare_relay_copies_total")], [1, 1]);
    // A saver far away is a copy more, and hears the saver rung from some fragment on.
    let saver = record(&format!("{}?rung=16", levels[2]));
    until("the saver rung is copied", || (three.metric("townsquare_copy_streams_total") >= 2).then_some(()));
    let saved = recorded(&server, &event.id, Rung::R16).len();
    until("it goes on", || (recorded(&server, &event.id, Rung::R16).len() > saved + 3).then_some(()));
    // What is silenced here is silenced there.
    let [cut, copied] = [server.data(), three.data()].map(|data| data.join("events").join(&event.id).join("cuts"));
    let record = programme::Cuts::record(Cut { from: FragmentNumber(1 << 20), to: FragmentNumber(1 << 21) });
    std::fs::write(cut, &record).expect("written");
    until("the cut is copied", || std::fs::read(&copied).ok().filter(|bytes| *bytes == record));
    drop(speaker);
    server.end(&event);
    let recording = recorded(&server, &event.id, Rung::R64);
    for listener in listeners.into_iter().chain(others) {
        check_heard(&listener.join().expect("heard"), &recording);
    }
    let (sixteen, heard) = (recorded(&server, &event.id, Rung::R16), saver.join().expect("heard"));
    assert!(heard.iter().any(|fragment| sixteen.contains(fragment)), "something of it is the saver rung");
    // The replay is the same everywhere.
    let here = until("the replay", || bytes_of(&event.replay(), None));
    assert!(until("the replay far away", || bytes_of(&three.here(&server, &event.replay()), None)) == here);
}

#[test]
fn a_leaf_serves_every_kind_of_listener() {
    let server = Server::start();
    let leaf = Relay::start(&[&server.relay_url()], &["--keys", &server.data().join("keys/tickets").display().to_string()]);
    let event = server.create_event("A leaf");
    let _speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let mut crowd = townsquare();
    crowd.args(["rehearse", &leaf.here(&server, &event.stream), "--listeners", "20", "--mix", "mixed", "--seconds", "5", "--json"]);
    let said = crowd.output().expect("a crowd");
    let result: serde_json::Value = serde_json::from_slice(&said.stdout).expect("a result");
    assert_eq!([&result["listeners"]["hearing_at_end"], &result["gaps"], &result["repeats"]], [20, 0, 0], "{result}");
    // What a cache keeps is the same wherever it asks.
    let playlist = |base: &str| bytes_of(&base.replace("main.m3u8", "64.m3u8"), None).map(|text| String::from_utf8(text).expect("text"));
    let far = leaf.here(&server, &event.hls);
    let near = until("a playlist", || playlist(&far));
    let names = near.lines().filter_map(|line| line.split_once("URI=\"").map_or(Some(line), |(_, rest)| rest.split('"').next()));
    let pieces: Vec<_> = names.filter(|name| !name.starts_with('#')).collect();
    assert!(pieces.len() > 5, "{near}");
    for piece in pieces {
        let [there, here] = [&far, &event.hls].map(|base| bytes_of(&base.replace("main.m3u8", piece), None).expect(piece));
        assert!(there == here && !here.is_empty(), "{piece}");
    }
}

#[test]
fn listeners_at_every_level_are_counted_on_the_stage() {
    let server = Server::start();
    let keys = server.data().join("keys/tickets").display().to_string();
    let two = Relay::start(&[&server.relay_url()], &["--keys", &keys]);
    let three = Relay::start(&[&two.url()], &["--keys", &keys]);
    let event = server.create_event("Counted");
    let _speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let (middle, leaf) = (two.here(&server, &event.stream), three.here(&server, &event.stream));
    let urls = [&event.stream, &middle, &middle, &leaf, &leaf, &leaf, &leaf].map(|url| record(url));
    let mut states = console(&server, &event);
    assert!(states.any(|line| line["state"]["listeners"] == 7), "seven listen");
    // A machine that is gone takes its listeners with it.
    drop(three);
    assert!(states.any(|line| line["state"]["listeners"] == 3), "three are left");
    server.end(&event);
    drop(urls);
}

#[test]
fn what_is_older_is_fetched_once_however_many_rewind() {
    let server = Server::start();
    let event = server.create_event("Rewind");
    let speaker = speaks(&server, &event, &[]);
    // Behind the five seconds with which a listener begins lies a block that a leaf does not take along.
    until("there is something to rewind to", || (recorded(&server, &event.id, Rung::R64).len() > 50).then_some(()));
    let leaf = Relay::start(&[&server.relay_url()], &[]);
    let stream = leaf.here(&server, &event.stream);
    let live = record(&stream);
    until("the leaf copies", || (leaf.metric("townsquare_copy_fragments_total") > 0).then_some(()));
    assert_eq!(leaf.metric("townsquare_copy_blocks_fetched_total"), 0);
    let rewound: Vec<_> = (0..10).map(|_| record(&format!("{stream}?from=0"))).collect();
    until("the past is fetched", || (leaf.metric("townsquare_copy_blocks_fetched_total") > 0).then_some(()));
    drop(speaker);
    server.end(&event);
    let recording = recorded(&server, &event.id, Rung::R64);
    for listener in rewound {
        let heard = listener.join().expect("heard");
        assert!(heard == recording, "{} of {} fragments", heard.len(), recording.len());
    }
    check_heard(&live.join().expect("heard"), &recording);
    let length: u64 = recording.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let fetched = leaf.metric("townsquare_copy_fetched_bytes_total");
    assert!(fetched < length, "{fetched} bytes were fetched of {length}: once for all of them");
}

#[test]
fn a_long_event_goes_through_a_small_window() {
    let server = Server::start();
    let event = server.create_event("Long");
    write_past(&server, &event.id, LONG);
    let leaf = Relay::start(&[&server.relay_url()], &["--window", &WINDOW.to_string()]);
    let replay = leaf.here(&server, &event.replay());
    let whole = bytes_of(&event.replay(), None).expect("the replay");
    assert!(whole.len() as u64 > WINDOW + WINDOW / 4);
    assert!(until("the replay far away", || bytes_of(&replay, None)) == whole);
    let fetched = leaf.metric("townsquare_copy_blocks_fetched_total");
    assert_eq!(leaf.metric("townsquare_copy_window_bytes"), WINDOW);
    // Its beginning has gone again, and comes back once for all who ask.
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let replay = replay.clone();
            std::thread::spawn(move || bytes_of(&replay, Some("bytes=100000-100999")).expect("a range"))
        })
        .collect();
    for asked in asking {
        assert!(asked.join().expect("an answer") == whole[100_000..101_000]);
    }
    assert_eq!(leaf.metric("townsquare_copy_blocks_fetched_total"), fetched + 1);
}

#[test]
fn a_disk_smaller_than_the_window_is_enough() {
    let server = Server::start();
    let event = server.create_event("Small disk");
    write_past(&server, &event.id, LONG);
    let mut leaf = Relay::prepared(&[&server.relay_url()], &[]);
    let Some(_disk) = SmallDisk::mount(leaf.data().join("events")) else { return };
    leaf.start_supervisor();
    leaf.wait_ready();
    let whole = bytes_of(&event.replay(), None).expect("the replay");
    assert!(until("the replay far away", || bytes_of(&leaf.here(&server, &event.replay()), None)) == whole);
    assert!(leaf.metric("townsquare_copy_window_bytes_max") < WINDOW, "it has become smaller");
}

#[test]
fn a_private_event_is_heard_by_ticket_alone() {
    let server = Server::start();
    let keys = server.data().join("keys/tickets").display().to_string();
    let leaf = Relay::start(&[&server.relay_url()], &["--keys", &keys]);
    let keyless = Relay::start(&[&server.relay_url()], &[]);
    let event = server.create_event_with("Private", &["--visibility", "private"]);
    let _speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let stream = leaf.here(&server, &event.stream);
    let (success, report, _) = Listener::new(&stream, &["--seconds", "1"]).heard();
    assert!(success && report["gaps"] == 0, "{report}");
    let (front, rest) = stream.split_once("/t/").expect("a ticket");
    let without = format!("{front}.mp4");
    assert_eq!(ask("GET", &without, &[], &[]).json()["code"], "bad-ticket");
    let forged = format!("{front}/t/B{}", &rest[1..]);
    assert_eq!(ask("GET", &forged, &[], &[]).json()["code"], "bad-ticket");
    // A relay that can't tell a ticket from another does not have the event.
    let answer = ask("GET", &keyless.here(&server, &event.stream), &[], &[]);
    assert_eq!((answer.status, &answer.json()["code"]), (404, &"event-unknown".into()));
    let unknown = without.replace(&event.id, "000000000000");
    assert_eq!(ask("GET", &unknown, &[], &[]).json()["code"], "event-unknown");
    // Nobody below is believed without a ticket of the operator's.
    let told = format!("{}/copy/{}/listening?64=1000", server.relay_url(), event.id);
    assert_eq!(ask("POST", &told, &[], &[]).json()["code"], "bad-ticket");
}
