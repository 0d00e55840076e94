//! What an operator sees: logs without secrets, health and metrics of every role, help, manual and completions.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use support::people::{Listener, ask, console, speaks, wait_for_tone};
use support::{Server, output, scratch, until};

#[test]
fn no_log_has_a_ticket_a_token_or_a_key() {
    let server = Server::start_with(&["--log-filter", "trace"]);
    let printed = until("the first link is printed", || Some(server.printed()).filter(|text| text.contains("/sign-in/")));
    let first = printed.split_whitespace().find(|word| word.contains("/sign-in/")).expect("a link").to_owned();
    let account = server.succeeds(&["account", "create", "ada", "--json"]);
    let account: serde_json::Value = serde_json::from_str(&account).expect("JSON");
    let link = account["link"].as_str().expect("a link").to_owned();
    let event = server.create_event_with("Whispered", &["--visibility", "private"]);
    assert_eq!(ask("GET", &link, &[], b"").status, 200);
    assert!(ask("POST", &link, &[("Content-Type", "application/x-www-form-urlencoded")], b"").status < 400);
    let _speaking = speaks(&server, &event, &["--tcp"]);
    wait_for_tone(&event, &[]);
    assert!(Listener::new(&event.page, &["--seconds", "1"]).heard().0);
    let host = event.stage.rsplit('/').next().expect("a ticket");
    assert!(console(&server, &event).next().is_some());
    for (role, path) in [(server.square_url(), format!("/stage/{host}")), (server.relay_url(), format!("/live/{}/t/x{host}.mp4", event.id))]
    {
        ask("GET", &format!("{role}{path}"), &[], b"");
    }
    ask("POST", &event.whip, &[("Authorization", &format!("Bearer {}", event.token)), ("Content-Type", "application/sdp")], b"v=what");
    server.end(&event);
    ask("GET", &event.replay(), &[("Cookie", "session=crumbs-of-a-session")], b"");
    let listener = event.stream.split("/t/").nth(1).expect("a ticket").trim_end_matches(".mp4");
    let keys = std::fs::read_to_string(server.data().join("keys/tickets")).expect("keys");
    let words = [&first, &link].map(|link| link.rsplit('/').next().expect("a word"));
    let log = server.log();
    for event_line in ["on air", "an offer is refused"] {
        assert!(log.contains(event_line), "the log has {event_line:?}");
    }
    for secret in [host, &event.token, listener, words[0], words[1], keys.trim(), "crumbs-of-a-session"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// Checks Prometheus' text format: each family once, with its help and type before its samples, and no sample twice.
fn check_metrics(text: &str) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    let (mut helped, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().expect("a name").to_owned();
            assert!(helped.insert(family.clone()), "{family} has its help twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            assert_eq!(name, family, "the type stands behind the help");
            assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "{name} has its type twice");
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().expect("a name");
            let base = if types.get(&family).is_some_and(|kind| kind == "histogram") {
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
            } else {
                name
            };
            assert_eq!(base, family, "{line} stands in its family");
            assert!(
                name.starts_with("townsquare_")
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert!(types[&family] != "counter" || name.ends_with("_total"), "{line}: a counter ends in _total");
            assert!(series.ends_with('}') || !series.contains('{'), "{line}");
            assert!(samples.insert(series.to_owned()), "{series} twice");
        }
    }
    types
}

#[test]
fn every_role_says_how_it_is_in_a_form_that_prometheus_reads() {
    let server = Server::start_with(&["--relay-workers", "2"]);
    let event = server.create_event("Measured");
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    for role in ["", "/stage", "/square", "/relay", "/relay/0", "/relay/1"] {
        for what in ["healthz", "readyz"] {
            let (status, text) = server.internal(&format!("{role}/{what}")).expect("an answer");
            assert_eq!(status, 200, "{role}/{what}: {text}");
        }
        let (status, text) = server.internal(&format!("{role}/metrics")).expect("an answer");
        assert_eq!(status, 200);
        let types = check_metrics(&text);
        assert!(types.len() > 1 && text.ends_with('\n'), "{role}: {text}");
        assert!(!text.contains(&event.id), "no label grows with events");
    }
    let (_, text) = server.internal("/metrics").expect("an answer");
    let value = |series: &str| -> Option<f64> { text.lines().find(|line| line.starts_with(series))?.rsplit(' ').next()?.parse().ok() };
    assert_eq!(value("townsquare_stage_events_live{"), Some(1.0), "{text}");
    assert!(value("townsquare_stage_fragments_sealed_total{") > Some(4.0), "{text}");
    for public in [server.square_url(), server.relay_url(), server.stage_url()] {
        assert_eq!(ask("GET", &format!("{public}/metrics"), &[], b"").status, 404, "not for the public");
    }
}

/// Every command that a person may type.
const COMMANDS: [&str; 14] = [
    "serve",
    "account",
    "account create",
    "account link",
    "event",
    "event create",
    "event list",
    "event show",
    "event go-live",
    "event end",
    "speak",
    "listen",
    "cadence",
    "man",
];

fn text_of(words: &[&str]) -> String {
    let output = output(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The long flags that a command's help names.
fn flags(words: &[&str]) -> BTreeSet<String> {
    let help = text_of(&[words, &["--help"]].concat());
    let firsts = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    firsts.filter_map(|line| Some(format!("--{}", line.split("--").nth(1)?.split([' ', ',']).next()?))).collect()
}

#[test]
fn the_manual_and_the_completions_have_every_command_with_its_flags() {
    let whole = text_of(&["man"]).replace("\\-", "-");
    let directory = scratch();
    assert!(output(&["man", "--output", &directory.display().to_string()]).status.success());
    let shells = ["bash", "zsh", "fish"].map(|shell| text_of(&["completions", shell]));
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let page = directory.join(format!("townsquare-{}.1", words.join("-")));
        let page = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("a page for {command}")).replace("\\-", "-");
        let help = text_of(&[&words[..], &["--help"]].concat());
        assert!(help.lines().count() > 3 && help.lines().all(|line| line.chars().count() <= 110), "{help}");
        assert!(flags(&words).contains("--help"));
        for flag in flags(&words) {
            assert!(page.contains(&flag) && whole.contains(&flag), "{command} {flag} is in the manual");
            for shell in &shells {
                assert!(shell.contains(flag.trim_start_matches('-')), "{command} {flag} is completed");
            }
        }
    }
    assert!(directory.join("townsquare.1").exists() && !directory.join("townsquare-role.1").exists());
    assert!(!whole.contains("townsquare-role"), "what nobody types is in no manual");
    std::fs::remove_dir_all(directory).expect("removed");
    // A shell that is here must be able to read its own; the others are judged by their own users.
    let said = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut bash = said.expect("bash is everywhere");
    std::io::Write::write_all(&mut bash.stdin.take().expect("its input"), shells[0].as_bytes()).expect("it reads");
    assert!(bash.wait().expect("it ends").success(), "bash reads its completions");
}
