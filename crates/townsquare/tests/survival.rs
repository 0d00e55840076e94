//! What is killed comes back, what hangs is replaced, and what need not stop goes on.

mod support;

use rustix::process::Signal;
use support::{Server, runs, until};

const ROLES: [&str; 3] = ["stage", "relay-0", "square"];

#[test]
fn a_killed_role_is_replaced_and_the_others_go_on() {
    let mut server = Server::start();
    for name in ROLES {
        let others: Vec<_> = ROLES.iter().filter(|other| **other != name).map(|other| server.pid(other)).collect();
        let old = server.signal(name, Signal::KILL);
        server.wait_replaced(name, old);
        assert!(!runs(old));
        let still: Vec<_> = ROLES.iter().filter(|other| **other != name).map(|other| server.pid(other)).collect();
        assert_eq!(others, still, "only the {name} was replaced");
    }
}

#[test]
fn a_hanging_role_is_killed_and_replaced() {
    let mut server = Server::start();
    for name in ROLES {
        let old = server.signal(name, Signal::STOP);
        server.wait_replaced(name, old);
        assert!(!runs(old), "two never play one role");
    }
    assert!(server.log().contains("silent"), "a hanging role is logged");
}

#[test]
fn a_restarted_supervisor_adopts_what_runs() {
    let mut server = Server::start();
    for _ in 0..3 {
        let before = ROLES.map(|name| server.pid(name));
        server.kill_supervisor();
        server.start_supervisor();
        server.wait_ready();
        assert_eq!(ROLES.map(|name| server.pid(name)), before, "nobody was restarted");
    }
    // It has the sockets again: a role that dies now comes back at the same address.
    for name in ROLES {
        let old = server.signal(name, Signal::KILL);
        server.wait_replaced(name, old);
    }
}

#[test]
fn a_restarted_supervisor_starts_what_is_missing() {
    let mut server = Server::start();
    let [stage, relay, square] = ROLES.map(|name| server.pid(name).expect("it runs"));
    server.kill_supervisor();
    server.signal("stage", Signal::KILL);
    until("the stage has ended", || (!runs(stage)).then_some(()));
    server.start_supervisor();
    server.wait_replaced("stage", stage);
    assert_eq!(server.pid("relay-0"), Some(relay));
    assert_eq!(server.pid("square"), Some(square));
}

#[test]
fn a_supervisor_that_stood_still_judges_nobody_for_it() {
    let mut server = Server::start();
    let before = ROLES.map(|name| server.pid(name));
    let supervisor = server.signal("supervisor", Signal::STOP);
    until("it stands still", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", supervisor.as_raw_nonzero())).ok()?;
        stat.rsplit(") ").next()?.starts_with('T').then_some(())
    });
    // Longer than a role may be silent.
    std::thread::sleep(std::time::Duration::from_millis(2 * base::limit::ROLE_SILENT_MILLIS_MAX));
    server.signal("supervisor", Signal::CONT);
    server.wait_ready();
    assert_eq!(ROLES.map(|name| server.pid(name)), before);
    let old = server.signal("stage", Signal::STOP);
    server.wait_replaced("stage", old);
}

#[test]
fn roles_with_other_settings_are_replaced() {
    let mut server = Server::start();
    let before = ROLES.map(|name| server.pid(name));
    server.kill_supervisor();
    let words = server.words();
    server.start_as(support::townsquare().args(words).args(["--public-url", "http://square.example"]));
    server.wait_ready();
    for (name, old) in ROLES.iter().zip(before) {
        assert_ne!(server.pid(name), old, "{name}");
    }
}

#[test]
fn roles_end_when_their_directory_is_gone() {
    let mut server = Server::start();
    let roles = ROLES.map(|name| server.pid(name).expect("it runs"));
    server.kill_supervisor();
    std::fs::remove_dir_all(server.data().join("run")).expect("removed");
    until("every role has ended", || roles.iter().all(|pid| !runs(*pid)).then_some(()));
}

#[test]
fn a_worker_that_fills_gets_another_beside_it() {
    let mut server = Server::prepared(&[]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_townsquare")]).args(server.words());
    server.start_as(&mut limited);
    server.wait_ready();
    assert_eq!(server.pid("relay-1"), None);
    let relay = server.relay_url().trim_start_matches("http://").to_owned();
    let crowd: Vec<_> = (0..240).map(|_| std::net::TcpStream::connect(&relay).expect("the relay takes it")).collect();
    until("another worker runs", || server.pid("relay-1"));
    server.wait_ready();
    drop(crowd);
}
