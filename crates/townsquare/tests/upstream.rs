//! Bad luck above a relay: upstreams that die, stall, lie or are behind. Listeners below hear all of it in order, and nothing else.

mod support;

use base::Rung;
use rustix::process::Signal;
use std::process::Stdio;
use support::liar::{Liar, Lie};
use support::people::{Listener, speaks, wait_for_tone};
use support::recording::{check_heard, record, recorded};
use support::relay::Relay;
use support::{Server, townsquare, until};

/// Waits until so many more fragments are recorded.
fn go_on(server: &Server, event: &str, more: usize) {
    let before = recorded(server, event, Rung::R64).len();
    until("it goes on", || (recorded(server, event, Rung::R64).len() >= before + more).then_some(()));
}

#[test]
fn a_leaf_hears_no_gap_when_the_middle_dies() {
    let server = Server::start();
    let mut middle = Relay::start(&[&server.relay_url()], &[]);
    let leaf = Relay::start(&[&middle.url()], &[]);
    let event = server.create_event("Middle");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let stream = leaf.here(&server, &event.stream);
    let raw = record(&stream);
    let player = Listener::new(&stream, &[]);
    until("the leaf copies", || (leaf.metric("townsquare_copy_fragments_total") > 0).then_some(()));
    for role in ["relay-0", "copy"] {
        middle.kill(role);
        go_on(&server, &event.id, 5);
    }
    // The whole machine goes and comes back, with what it had.
    middle.cut();
    middle.start_supervisor();
    middle.wait_ready();
    go_on(&server, &event.id, 5);
    // So does the stage: a new epoch is no gap either.
    let old = server.signal("stage", Signal::KILL);
    until("the stage is replaced", || server.pid("stage").filter(|pid| *pid != old));
    go_on(&server, &event.id, 10);
    drop(speaker);
    server.end(&event);
    check_heard(&raw.join().expect("heard"), &recorded(&server, &event.id, Rung::R64));
    let (success, report, _) = player.heard();
    assert!(success && report["gaps"] == 0, "{report}");
}

#[test]
fn the_next_upstream_takes_over_at_the_fragment() {
    let server = Server::start();
    let nobody = "http://127.0.0.1:9";
    let mut first = Relay::start(&[&server.relay_url()], &[]);
    let leaf = Relay::start(&[nobody, &first.url(), &server.relay_url()], &[]);
    let event = server.create_event("Changeover");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let stream = leaf.here(&server, &event.stream);
    let raw = record(&stream);
    let player = Listener::new(&stream, &[]);
    until("the leaf copies the first that answers", || {
        let sent = first.metric("townsquare_relay_copies_total") == 1;
        (sent && leaf.metric("townsquare_copy_fragments_total") > 10).then_some(())
    });
    let before = leaf.metric("townsquare_copy_changeovers_total");
    first.cut();
    until("the leaf asks the next", || (leaf.metric("townsquare_copy_changeovers_total") > before).then_some(()));
    go_on(&server, &event.id, 15);
    drop(speaker);
    server.end(&event);
    check_heard(&raw.join().expect("heard"), &recorded(&server, &event.id, Rung::R64));
    let (success, report, _) = player.heard();
    assert!(success && report["gaps"] == 0, "{report}");
}

#[test]
fn no_lie_is_passed_on() {
    let server = Server::start();
    let liar = Liar::start(server.relay_address(), &Lie::ALL);
    let leaf = Relay::start(&[&liar.url()], &[]);
    let event = server.create_event("Lies");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let copier = until("the copier runs", || leaf.pid("copy"));
    let raw = record(&leaf.here(&server, &event.stream));
    for lie in Lie::ALL {
        until(&format!("{lie:?} is found out"), || (leaf.troubles(lie.trouble()) > 0).then_some(()));
    }
    until("all lies are told", || (leaf.metric("townsquare_copy_troubles_total") >= Lie::ALL.len() as u64).then_some(()));
    let had = leaf.metric("townsquare_copy_fragments_total");
    until("it goes on behind them", || (leaf.metric("townsquare_copy_fragments_total") > had + 10).then_some(()));
    assert_eq!(leaf.pid("copy"), Some(copier), "the copier has outlived them");
    drop(speaker);
    server.end(&event);
    check_heard(&raw.join().expect("heard"), &recorded(&server, &event.id, Rung::R64));
}

#[test]
fn who_lies_is_left_for_the_next() {
    let server = Server::start();
    let liar = Liar::start(server.relay_address(), &[Lie::Stall, Lie::Short]);
    let leaf = Relay::start(&[&liar.url(), &server.relay_url()], &[]);
    let event = server.create_event("Two");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let player = Listener::new(&leaf.here(&server, &event.stream), &[]);
    until("the liar is left", || (leaf.metric("townsquare_copy_changeovers_total") == 1).then_some(()));
    go_on(&server, &event.id, 15);
    assert_eq!(leaf.metric("townsquare_copy_changeovers_total"), 1, "once is enough");
    drop(speaker);
    server.end(&event);
    let (success, report, _) = player.heard();
    assert!(success && report["gaps"] == 0, "{report}");
}

#[test]
fn an_upstream_behind_tls_is_known_by_its_certificate() {
    let mut server = Server::prepared(&[]);
    let scratch = server.data().parent().expect("a scratch directory").to_owned();
    let made = rcgen::generate_simple_self_signed([server.relay_address().ip().to_string()]).expect("a certificate");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| scratch.join(name).display().to_string());
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let tls = ["--tls-cert", cert.as_str(), "--tls-key", key.as_str()];
    server.start_as(townsquare().args(server.words()).args(tls).stderr(Stdio::null()));
    server.wait_ready();
    let upstream = server.relay_url().replace("http:", "https:");
    let event = server.create_event("TLS above");
    let _speaker = speaks(&server, &event, &["--ca", &cert]);
    wait_for_tone(&event, &["--ca", &cert]);
    let leaf = Relay::start(&[&upstream], &["--upstream-ca", &cert]);
    Listener::new(&format!("{}/live/{}.mp4", leaf.url(), event.id), &["--seconds", "2"]).heard_only_the_tone();
    let stranger = Relay::start(&[&upstream], &[]);
    let refused = std::thread::spawn({
        let url = format!("{}/live/{}.mp4", stranger.url(), event.id);
        move || ureq::get(&url).call().is_err()
    });
    until("it is not trusted", || (stranger.troubles("refused") > 0).then_some(()));
    drop(stranger);
    assert!(refused.join().expect("an answer"));
}
