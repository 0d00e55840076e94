//! `townsquare serve` from outside: wrong usage, bad luck at the start, settings, the internal address, the end.

mod support;

use rustix::process::Signal;
use std::net::TcpListener;
use std::process::Command;
use support::{Server, output, runs, scratch, townsquare, until};

/// Exit code and the one line that a failing command says.
fn failure(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the binary runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(text.trim_end().lines().count(), 1, "not one line: {text}");
    assert!(output.stdout.is_empty());
    (output.status.code(), text)
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    let rows: [(&[&str], &str); 8] = [
        (&[], "--help"),
        (&["dance"], "dance"),
        (&["serve", "--loud"], "--loud"),
        (&["serve", "--listen", "here"], "--listen"),
        (&["serve", "--public-url", "square"], "--public-url"),
        (&["serve", "--tls-cert", "/dev/null"], "--tls-key"),
        (&["serve", "--log-filter", "a=b=c"], "--log-filter"),
        (&["completions", "tcl"], "tcl"),
    ];
    for (words, expected) in rows {
        let (code, line) = failure(townsquare().args(words));
        assert_eq!(code, Some(2), "{words:?}: {line}");
        assert!(line.contains(expected), "{words:?}: {line}");
    }
}

#[test]
fn what_is_missing_on_the_machine_is_one_line_and_exit_code_1() {
    for (words, expected) in [
        (&["serve", "--config", "/nowhere.toml"][..], "/nowhere.toml"),
        (&["serve", "--tls-cert", "/nowhere.pem", "--tls-key", "/dev/null"], "/nowhere.pem"),
        (&["serve", "--data", "/proc/data"], "/proc/data"),
        (&["role", "stage", "0"], "townsquare serve"),
    ] {
        let (code, line) = failure(townsquare().args(words));
        assert_eq!(code, Some(1), "{words:?}: {line}");
        assert!(line.contains(expected), "{words:?}: {line}");
    }
}

#[test]
fn help_version_completions_and_manual_are_printed() {
    for (words, expected) in [
        (&["--help"][..], "serve"),
        (&["serve", "--help"], "--stage-public-url"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "townsquare"),
        (&["man"], ".TH townsquare"),
    ] {
        let output = output(words);
        assert!(output.status.success(), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{words:?}");
    }
}

#[test]
fn an_unreadable_file_says_its_line() {
    let dir = scratch();
    let file = dir.join("townsquare.toml");
    std::fs::write(&file, "data = 'd'\nlistne = '127.0.0.1:80'\n").expect("a file");
    let (code, line) = failure(townsquare().args(["serve", "--config"]).arg(&file));
    assert_eq!(code, Some(2));
    assert!(line.contains("line 2") && line.contains("listne"), "{line}");
    std::fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn a_port_in_use_is_named_with_its_flag() {
    for flag in ["--listen", "--relay-listen", "--stage-listen", "--internal-listen"] {
        let server = Server::prepared(&[]);
        let words = server.words();
        let place = words.iter().position(|word| word == flag).expect("the flag") + 1;
        let _taken = TcpListener::bind(&words[place]).expect("free until now");
        let (code, line) = failure(townsquare().args(&words));
        assert_eq!(code, Some(1), "{line}");
        assert!(line.contains(flag) && line.contains(&words[place]), "{line}");
        assert!(server.processes().iter().all(|pid| !runs(*pid)), "nothing is left running");
    }
}

#[test]
fn a_newer_data_directory_is_refused() {
    let server = Server::prepared(&[]);
    std::fs::create_dir(server.data()).expect("a directory");
    std::fs::write(server.data().join("version"), "2\n").expect("a file");
    let (code, line) = failure(townsquare().args(server.words()));
    assert_eq!(code, Some(1));
    assert!(line.contains("newer"), "{line}");
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let server = Server::start();
    let other = Server::prepared(&[]);
    let words: Vec<String> =
        other.words().iter().map(|word| word.replace(&other.data().display().to_string(), &server.data().display().to_string())).collect();
    let (code, line) = failure(townsquare().args(words));
    assert_eq!(code, Some(1));
    assert!(line.contains("already"), "{line}");
}

#[test]
fn flags_environment_and_file_say_the_same() {
    let mut server = Server::prepared(&["--public-url", "https://square.example", "--relay-workers", "1"]);
    let words = server.words();
    let said: Vec<(String, String)> =
        words[1..].chunks(2).map(|pair| (pair[0].trim_start_matches("--").to_owned(), pair[1].clone())).collect();
    let settings = |server: &mut Server, command: &mut Command| {
        server.start_as(command);
        server.wait_ready();
        let stage = server.pid("stage").expect("a stage");
        let environment = std::fs::read(format!("/proc/{}/environ", stage.as_raw_nonzero())).expect("ours");
        assert!(server.stop().success());
        let line = environment.split(|&byte| byte == 0).find(|line| line.starts_with(b"TOWNSQUARE_SETTINGS=")).expect("settings");
        String::from_utf8(line.to_vec()).expect("text")
    };
    let by_flags = settings(&mut server, townsquare().args(&words));
    let environment = said.iter().map(|(key, value)| (format!("TOWNSQUARE_{}", key.to_uppercase().replace('-', "_")), value));
    let by_environment = settings(&mut server, townsquare().arg("serve").envs(environment));
    let file = server.data().with_file_name("townsquare.toml");
    let line = |(key, value): &(String, String)| {
        if key == "relay-workers" { format!("{key} = {value}\n") } else { format!("{key} = '{value}'\n") }
    };
    std::fs::write(&file, said.iter().map(line).collect::<String>()).expect("a file");
    let by_file = settings(&mut server, townsquare().args(["serve", "--config"]).arg(&file));
    assert_eq!(by_flags, by_environment);
    assert_eq!(by_flags, by_file);
}

#[test]
fn the_first_administrator_gets_a_link_and_a_second_start_says_none() {
    let mut server = Server::start();
    let first = until("the link is printed", || Some(server.printed()).filter(|text| text.contains("Stop with")));
    assert!(first.contains(&server.square_url()) && first.contains("first administrator"), "{first}");
    assert!(server.run(&["account", "create", "ada", "--role", "admin"]).status.success());
    assert!(server.stop().success());
    server.start_supervisor();
    server.wait_ready();
    let second = until("the address is printed", || {
        server.printed().strip_prefix(&first).filter(|text| text.contains("Stop with")).map(str::to_owned)
    });
    assert!(second.contains(&server.square_url()) && !second.contains("first administrator"), "{second}");
    assert!(!server.log().contains("did not say"), "quiet when all is well");
}

#[test]
fn a_database_that_cannot_be_opened_is_said_at_the_start() {
    let server = Server::prepared(&["--database", "sqlite:/nowhere/square.db"]);
    let (code, line) = failure(townsquare().args(server.words()));
    assert_eq!(code, Some(1));
    assert!(line.contains("--database"), "{line}");
}

#[test]
fn damaged_ticket_keys_are_said_at_the_start() {
    let server = Server::prepared(&[]);
    std::fs::create_dir_all(server.data().join("keys")).expect("a directory");
    let keys = server.data().join("keys/tickets");
    std::fs::write(&keys, "no key\n").expect("written");
    let (code, line) = failure(townsquare().args(server.words()));
    assert_eq!(code, Some(1), "{line}");
    assert!(line.contains(&keys.display().to_string()) && line.contains("damaged"), "{line}");
    assert!(server.processes().iter().all(|pid| !runs(*pid)), "nothing is left running");
}

#[test]
fn the_internal_address_joins_all_roles() {
    let server = Server::start_with(&["--relay-workers", "2"]);
    let (status, text) = server.internal("/healthz").expect("an answer");
    assert_eq!(status, 200, "{text}");
    for role in ["stage: ok", "square: ok", "relay 0: ok", "relay 1: ok"] {
        assert!(text.contains(role), "{text}");
    }
    let (_, text) = server.internal("/metrics").expect("an answer");
    assert!(text.contains("townsquare_role_up{role=\"relay\",index=\"1\"} 1"), "{text}");
    for (path, expected) in
        [("/stage/healthz", 200), ("/relay/1/readyz", 200), ("/relay/metrics", 200), ("/relay/7/metrics", 404), ("/else", 404)]
    {
        assert_eq!(server.internal(path).map(|(status, _)| status), Some(expected), "{path}");
    }
}

#[test]
fn the_end_leaves_nothing_running() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        let processes = server.processes();
        assert_eq!(processes.len(), 4, "supervisor, stage, relay, square");
        server.signal("supervisor", signal);
        assert!(server.stop().success());
        until("every process has ended", || processes.iter().all(|pid| !runs(*pid)).then_some(()));
        assert_eq!(std::fs::read_dir(server.data().join("run")).expect("run").count(), 0, "run/ is empty");
    }
}
