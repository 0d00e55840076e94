//! A start by itself, and who is in charge when the host's machine is gone: from the event's own journal, on the wall clock.

use crate::support::event::Event;
use crate::support::people::{Running, ask, tone_file};
use crate::support::{Server, townsquare, until};
use base::journal::{Entry, What};
use base::{FragmentNumber, Rung};
use programme::Index;
use programme::index::Source;
use programme::journal::Journal;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

/// How far ahead the event is announced: its host is there by then.
const AHEAD: Duration = Duration::from_secs(8);

/// Seconds, and what is promised.
pub(crate) struct Charge {
    pub(crate) start: f64,
    pub(crate) succession: f64,
    pub(crate) reclaim: f64,
}

impl Charge {
    pub(crate) fn rows(&self) -> [(&'static str, f64, &'static str); 3] {
        [
            ("first spoken fragment published after the second it was scheduled for", self.start, "≤ 1"),
            ("host's process killed until somebody else is in charge", self.succession, "15 ± 1"),
            ("host on the stage again until in charge again", self.reclaim, "< 1"),
        ]
    }
}

/// Announces an event, waits for its start, kills its host and lets the host come back.
pub(crate) fn measure(server: &Server) -> Charge {
    let start = SystemTime::now() + AHEAD;
    let text = jiff::Timestamp::try_from(start).expect("a time").to_string();
    let event = server.create_event_with("By itself", &["--start", &text]);
    let file = tone_file(&server.data());
    let speak = |link: &str, name: &str| {
        let child =
            townsquare().args(["speak", link, "--loop", "--name", name]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Running(child.expect("a speaker"))
    };
    let shown: serde_json::Value = serde_json::from_str(&server.succeeds(&["event", "show", &event.id, "--json"])).expect("JSON");
    let _speaker = speak(shown["speakers"].as_str().expect("a link for speakers"), "Ben");
    let mut host = speak(&event.stage, "Ada");
    until("the host is ready", || act(server, &event, r#"{"do":"ready","ready":true}"#));
    let first = until("the event begins", || {
        journal(server, &event).into_iter().find_map(|entry| if let What::Begun { first } = entry.what { Some(first) } else { None })
    });
    let published = until("its first fragment is published", || is_sealed(server, &event, first).then(SystemTime::now));

    host.0.kill().expect("the host is killed");
    let gone = SystemTime::now();
    let at = until("somebody is in charge", || in_charge(server, &event, true));
    let _host = speak(&event.stage, "Ada");
    let back = until("the host is on the stage", || {
        let joined = |entry: &Entry| matches!(&entry.what, What::Joined { name, .. } if name == "Ada");
        journal(server, &event).iter().filter(|entry| joined(entry)).nth(1).map(|entry| entry.at.0)
    });
    let reclaimed = until("the host is in charge again", || in_charge(server, &event, false));
    let seconds = |since: SystemTime, at: i64| (at - unix_millis(since)) as f64 / 1_000.0;
    Charge {
        start: seconds(start, unix_millis(published)),
        succession: seconds(gone, at),
        reclaim: (reclaimed - back).max(0) as f64 / 1_000.0,
    }
}

fn act(server: &Server, event: &Event, action: &str) -> Option<()> {
    let ticket = event.stage.rsplit('/').next().expect("a ticket");
    let headers = [("Authorization", format!("Bearer {ticket}")), ("Content-Type", "application/json".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let url = format!("{}/console/{}", server.stage_url(), event.id);
    (ask("POST", &url, &headers, action.as_bytes()).status == 200).then_some(())
}

fn journal(server: &Server, event: &Event) -> Vec<Entry> {
    let bytes = std::fs::read(server.data().join("events").join(&event.id).join("journal")).unwrap_or_default();
    Journal::read(&bytes).entries
}

/// When it was last written down that somebody (or the hosts alone again) is in charge.
fn in_charge(server: &Server, event: &Event, somebody: bool) -> Option<i64> {
    let is = |entry: &Entry| matches!(entry.what, What::InCharge { participant } if participant.is_some() == somebody);
    journal(server, event).iter().rev().find(|entry| is(entry)).map(|entry| entry.at.0)
}

fn is_sealed(server: &Server, event: &Event, number: FragmentNumber) -> bool {
    let bytes = std::fs::read(server.data().join("events").join(&event.id).join("64.idx")).unwrap_or_default();
    let mut index = Index::new(Rung::R64);
    index.feed(Source::Disk, &bytes);
    index.sealed_end() > number
}

fn unix_millis(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
