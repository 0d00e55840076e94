//! Rehearsals as a page starts them: the event itself is not touched, and nothing is left behind, whatever dies meanwhile.

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::event::Event;
use support::{Server, runs, until};

/// A rehearsal that nobody ends by waiting.
const LONG: &str = r#"{"listeners":40,"seconds":300}"#;

/// What the square answers the operator about an event's rehearsals.
fn asked(server: &Server, event: &Event, method: &str, body: &str) -> Option<(u16, Value)> {
    server.operate(event, method, "rehearsal", body)
}

fn standing(server: &Server, event: &Event) -> Option<Value> {
    asked(server, event, "GET", "").map(|(_, rehearsal)| rehearsal)
}

fn send(server: &Server, event: &Event, crowd: &str) {
    let (status, answer) = asked(server, event, "POST", crowd).expect("an answer");
    assert_eq!(status, 202, "{answer}");
}

/// Waits until the whole crowd hears; fails at once when the rehearsal is over.
fn wait_until_heard(server: &Server, event: &Event) {
    until("the crowd hears", || {
        let now = standing(server, event)?;
        assert!(now["last"].is_null(), "{now}");
        (now["running"]["hearing"] == now["running"]["listeners"]).then_some(())
    });
}

/// Waits until it is over and put away; how it ended.
fn over(server: &Server, event: &Event) -> Value {
    let over = until("the rehearsal is over", || standing(server, event).filter(|now| now["running"].is_null() && !now["last"].is_null()));
    over["last"].clone()
}

/// Nothing of it is there but what it found: no other event, no word of one that is on.
fn wait_until_put_away(server: &Server, events: &[&Event]) {
    let names = |dir: &str| -> Vec<String> {
        let entries = std::fs::read_dir(server.data().join(dir)).expect("a directory");
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    until("everything is put away", || names("events").iter().all(|name| events.iter().any(|event| event.id == *name)).then_some(()));
    until("nothing is underway", || (!names("rehearsals").contains(&"underway.json".to_owned())).then_some(()));
    for event in events {
        let shown: Value = serde_json::from_str(&server.succeeds(&["event", "show", &event.id, "--json"])).expect("JSON");
        assert_eq!(shown["phase"], "announced", "{shown}");
    }
    let listed = server.succeeds(&["event", "list", "--json"]);
    assert!(!listed.contains("Rehearsal"), "{listed}");
}

/// The processes that a process has started, and those that they have.
fn offspring(of: Pid) -> Vec<Pid> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", of.as_raw_nonzero())).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let pids: Vec<Pid> =
        children.flat_map(|line| line.split(' ').filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect::<Vec<_>>()).collect();
    pids.iter().flat_map(|&pid| std::iter::once(pid).chain(offspring(pid))).collect()
}

#[test]
fn a_crowd_hears_a_stage_that_is_like_the_events() {
    let server = Server::start();
    let event = server.create_event("Town meeting");
    assert_eq!(standing(&server, &event), Some(json!({"running": null, "last": null, "elsewhere": false})));
    send(&server, &event, r#"{"listeners":40,"seconds":2}"#);
    let last = over(&server, &event);
    assert_eq!((&last["end"], &last["listeners"], &last["seconds"]), (&json!("verdict"), &json!(40), &json!(2)), "{last}");
    assert!(last["words"].as_str().is_some_and(|words| words.contains("40 listeners")), "{last}");
    let report = std::fs::read_to_string(server.data().join("rehearsals").join(format!("{}.html", event.id))).expect("a report");
    assert!(report.contains("<svg") && !report.contains("<script"), "{report}");
    wait_until_put_away(&server, &[&event]);
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("\"level\":\"error\""), "{log}");
}

#[test]
fn a_crowd_that_is_called_back_leaves() {
    let mut server = Server::start();
    let event = server.create_event("Town meeting");
    send(&server, &event, LONG);
    wait_until_heard(&server, &event);
    let crowd = offspring(server.pid("square").expect("it runs"));
    assert!(crowd.len() >= 2, "a conductor and a part: {crowd:?}");
    let (status, answer) = asked(&server, &event, "POST", "").expect("an answer");
    assert_eq!((status, &answer["code"]), (409, &json!("rehearsal-running")), "{answer}");
    let other = server.create_event("Another");
    assert_eq!(standing(&server, &other).map(|now| now["elsewhere"].clone()), Some(json!(true)));
    let (status, answer) = asked(&server, &event, "DELETE", "").expect("an answer");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(over(&server, &event)["end"], "stopped");
    until("the crowd has left", || crowd.iter().all(|&pid| !runs(pid)).then_some(()));
    wait_until_put_away(&server, &[&event, &other]);
    // A server that is stopped takes its rehearsal with it.
    send(&server, &event, LONG);
    until("the crowd hears again", || standing(&server, &event).filter(|now| now["running"]["hearing"] == 40));
    let crowd = offspring(server.pid("square").expect("it runs"));
    server.stop();
    until("the crowd has left again", || crowd.iter().all(|&pid| !runs(pid)).then_some(()));
    server.start_supervisor();
    server.wait_ready();
    wait_until_put_away(&server, &[&event, &other]);
}

#[test]
fn a_square_that_is_killed_leaves_no_crowd_behind() {
    let mut server = Server::start();
    let event = server.create_event("Town meeting");
    send(&server, &event, LONG);
    wait_until_heard(&server, &event);
    let square = server.pid("square").expect("it runs");
    let crowd = offspring(square);
    server.signal("square", Signal::KILL);
    server.wait_replaced("square", square);
    until("the crowd has left", || crowd.iter().all(|&pid| !runs(pid)).then_some(()));
    let last = over(&server, &event);
    assert_eq!((&last["end"], &last["words"]), (&json!("failed"), &json!("The server was started again meanwhile.")), "{last}");
    wait_until_put_away(&server, &[&event]);
    // A conductor that dies is told of, and its crowd goes too.
    send(&server, &event, LONG);
    until("the crowd hears again", || standing(&server, &event).filter(|now| now["running"]["hearing"] == 40));
    let crowd = offspring(server.pid("square").expect("it runs"));
    kill_process(crowd[0], Signal::KILL).expect("it runs");
    until("it is over", || standing(&server, &event).filter(|now| now["running"].is_null()));
    let last = over(&server, &event);
    assert!(last["words"].as_str().is_some_and(|words| words.starts_with("The rehearsal broke off.")), "{last}");
    until("the rest has left", || crowd.iter().all(|&pid| !runs(pid)).then_some(()));
    wait_until_put_away(&server, &[&event]);
}
