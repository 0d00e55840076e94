//! A crowd listens to a real server: everybody hears everything, whatever dies meanwhile.

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::io::Read as _;
use std::process::Stdio;
use support::event::Event;
use support::people::{Running, speaks, wait_for_tone};
use support::{Server, output, scratch, townsquare, until};

const LISTENERS: &str = "300";

/// A server with a speaker who is heard.
fn world() -> (Server, Event, Running) {
    let server = Server::start();
    let event = server.create_event("Rehearsal");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    (server, event, speaker)
}

/// A crowd on its way.
fn crowd(url: &str, more: &[&str]) -> Running {
    let mut command = townsquare();
    command.args(["rehearse", url, "--json", "--joins-per-second", "300"]).args(more);
    Running(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("a crowd"))
}

/// What it found in the end.
fn result(mut crowd: Running) -> Value {
    let mut text = String::new();
    crowd.0.stdout.take().expect("its output").read_to_string(&mut text).expect("text");
    assert!(crowd.0.wait().expect("it ends").success(), "{text}");
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect("a result")
}

/// All of so many heard sound, without a fault in it.
fn heard_everything(result: &Value, listeners: u64) {
    let counts = ["asked", "joined", "hearing_at_end"].map(|key| result["listeners"][key].as_u64());
    assert_eq!(counts, [Some(listeners); 3], "{result}");
    for fault in ["gaps", "repeats"] {
        assert_eq!(result[fault], 0, "{fault}: {result}");
    }
}

#[test]
fn a_crowd_hears_an_event() {
    let (server, event, _speaker) = world();
    let scratch = scratch();
    let report = scratch.join("report.html");
    let data = server.data().display().to_string();
    let more = ["--listeners", LISTENERS, "--seconds", "4", "--data", &data, "--report", report.to_str().expect("a path")];
    let result = result(crowd(&event.page, &more));
    heard_everything(&result, 300);
    assert_eq!((&result["disconnects"], &result["seconds"].as_f64().is_some_and(|seconds| seconds >= 4.0)), (&0.into(), &true), "{result}");
    for figure in
        ["/join_ms/p50", "/first_audio_ms/p99", "/cadence_ms/p50", "/server/cpu_us_per_listener_second", "/server/user_bytes_per_listener"]
    {
        assert!(result.pointer(figure).is_some_and(Value::is_number), "{figure}: {result}");
    }
    let page = std::fs::read_to_string(&report).expect("a page");
    std::fs::remove_dir_all(scratch).expect("it is ours");
    assert!(page.contains("300 listeners") && page.contains("<svg"), "{page}");
}

#[test]
fn players_slow_readers_and_returners_are_a_crowd_too() {
    let (_server, event, _speaker) = world();
    let mixture = ["--mix", "mixed", "--churn", "100", "--slow", "10", "--exit-surge"];
    let result = result(crowd(&event.stream, &[&["--listeners", "100", "--seconds", "5"][..], &mixture].concat()));
    assert_eq!(result["listeners"]["joined"], 100, "{result}");
    for fault in ["gaps", "repeats", "disconnects"] {
        assert_eq!(result[fault], 0, "{fault}: {result}");
    }
}

#[test]
fn a_crowd_speaks_tls() {
    let scratch = scratch();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| scratch.join(name).display().to_string());
    let mut server = Server::prepared(&["--tls-cert", &cert, "--tls-key", &key]);
    let host = server.relay_url().trim_start_matches("http://").split(':').next().expect("a host").to_owned();
    let made = rcgen::generate_simple_self_signed([host]).expect("a certificate");
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    server.start_supervisor();
    server.wait_ready();
    let event = server.create_event("Behind a lock");
    let _speaker = speaks(&server, &event, &["--ca", &cert]);
    wait_for_tone(&event, &["--ca", &cert]);
    assert!(event.stream.starts_with("https://"), "{event:?}");
    let more = ["--listeners", "100", "--seconds", "3", "--mix", "mixed", "--ca", &cert];
    heard_everything(&result(crowd(&event.stream, &more)), 100);
    let output = output(&["rehearse", &event.stream, "--listeners", "1", "--ca", &key]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("certificate"), "{output:?}");
    std::fs::remove_dir_all(scratch).expect("it is ours");
}

#[test]
fn machines_join_under_one_conductor() {
    let (_server, event, _speaker) = world();
    let door = support::address(std::net::Ipv4Addr::LOCALHOST).to_string();
    let more = ["--listeners", "101", "--seconds", "3", "--helpers", "1", "--conduct", &door];
    let helper = townsquare().args(["rehearse", "--join", &door]).stderr(Stdio::null()).spawn();
    let mut helper = Running(helper.expect("a helper"));
    let conductor = crowd(&event.stream, &more);
    heard_everything(&result(conductor), 101);
    assert!(helper.0.wait().expect("it ends").success());
}

#[test]
fn what_can_not_be_rehearsed_is_said_in_one_line() {
    for (words, code, says) in [
        (&["rehearse", "http://127.0.0.1:1/live/0123456789ab.mp4", "--churn", "101"][..], 2, "from 0 to 100"),
        (&["rehearse", "http://192.0.2.1/live/0123456789ab.mp4"], 1, "--token"),
        (&["rehearse", "ftp://127.0.0.1/"], 2, "http://"),
        (&["rehearse"], 2, "URL"),
        (&["rehearse-part"], 1, "townsquare rehearse alone"),
    ] {
        let output = output(words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), text.lines().count()), (Some(code), 1), "{words:?}: {text}");
        assert!(text.contains(says), "{words:?}: {text}");
    }
}

#[test]
fn a_killed_relay_costs_nobody_a_fragment() {
    let (mut server, event, _speaker) = world();
    let crowd = crowd(&event.stream, &["--listeners", LISTENERS, "--seconds", "12"]);
    until("the crowd is inside", || {
        let metrics = server.internal("/metrics")?.1;
        let streams = metrics.lines().filter(|line| line.starts_with("townsquare_relay_streams"));
        let count: f64 = streams.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        (count >= 300.0).then_some(())
    });
    let old = server.signal("relay-0", Signal::KILL);
    server.wait_replaced("relay-0", old);
    let result = result(crowd);
    heard_everything(&result, 300);
    assert_eq!(result["disconnects"], 300, "each was cut off once: {result}");
}
