//! An operator changes how often listeners are sent to, and nobody hears it.

mod support;

use support::people::{Listener, speaks, wait_for_tone};
use support::{Server, output, scratch, until};

/// A value of the relay's metrics.
fn metric(server: &Server, series: &str) -> Option<u64> {
    let (_, text) = server.internal("/relay/0/metrics")?;
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// Waits until the relay's metrics have a value.
fn wait_for(server: &Server, series: &str, value: u64) {
    until(&format!("{series} {value}"), || (metric(server, series)? == value).then_some(()));
}

#[test]
fn a_cadence_that_changes_is_followed_without_a_gap() {
    let server = Server::start();
    let event = server.create_event("Now and then");
    let speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let first = Listener::new(&event.stream, &[]);
    wait_for(&server, "townsquare_relay_cadence_streams{millis=\"200\"}", 1);

    assert!(server.succeeds(&["cadence", "4000"]).contains("4000 ms"));
    wait_for(&server, "townsquare_relay_cadence_millis", 4_000);
    let heard = output(&["listen", &format!("{}?from=-1", event.stream), "--seconds", "10"]);
    let heard = String::from_utf8_lossy(&heard.stdout);
    assert!(heard.contains(" 0 gaps") && heard.contains("sent every 4000 ms"), "who comes has it from the start: {heard}");
    wait_for(&server, "townsquare_relay_cadence_streams{millis=\"1000\"}", 1);

    server.succeeds(&["cadence", "200"]);
    wait_for(&server, "townsquare_relay_cadence_streams{millis=\"200\"}", 1);
    assert_eq!(metric(&server, "townsquare_relay_cadence_fixed"), Some(1));
    assert!(server.succeeds(&["cadence", "auto"]).contains("as often as"));
    wait_for(&server, "townsquare_relay_cadence_fixed", 0);

    drop(speaker);
    server.end(&event);
    let (success, report, _) = first.heard();
    assert!(success && report["gaps"] == 0, "{report}");
}

#[test]
fn a_cadence_is_fixed_from_the_start() {
    let server = Server::start_with(&["--cadence", "2000"]);
    wait_for(&server, "townsquare_relay_cadence_millis", 2_000);
    assert_eq!(metric(&server, "townsquare_relay_cadence_fixed"), Some(1));
}

#[test]
fn what_is_no_cadence_is_said_in_one_line() {
    let nowhere = scratch();
    let data = nowhere.join("data").display().to_string();
    for (words, code, says) in [
        (vec!["cadence", "300"], 2, "say auto, 200, 1000, 2000, 4000, 8000, 16000"),
        (vec!["cadence"], 2, "CADENCE"),
        (vec!["cadence", "auto", "--data", &data], 1, "no server runs"),
        (vec!["serve", "--cadence", "fast", "--data", &data], 2, "say auto, 200"),
    ] {
        let output = output(&words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), text.lines().count()), (Some(code), 1), "{words:?}: {text}");
        assert!(text.contains(says), "{words:?}: {text}");
    }
    std::fs::remove_dir_all(nowhere).expect("removed");
}
