//! Whether events begin by themselves at their second, and who is in charge when a host's machine is gone.

use crate::marks::Spread;
use crate::mute::{Heard, listen, tone};
use crate::support::event::Event;
use crate::support::people::{Running, ask, console, tone_file};
use crate::support::sound::share_with;
use crate::support::voice::Voice;
use crate::support::{Server, townsquare, until};
use base::journal::{Entry, What};
use programme::journal::Journal;
use std::process::Stdio;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

/// Events that begin by themselves, a second apart.
const STARTS: u64 = 10;

/// How far ahead the first one is announced: all hosts are there by then.
const AHEAD_SECONDS: u64 = 20;

/// Hosts whose machines go at once.
const VANISH: usize = 5;

/// The tone that is spoken, and how much of it is no accident in the hold sound that is heard before.
const SPOKEN: (f32, f32) = (1_000.0, 0.05);

const KEY: &str = "the-key-of-a-host-who-is-ready";

/// What was measured, in milliseconds.
pub(crate) struct Charge {
    starts: Spread,
    successions: Spread,
    reclaims: Spread,
}

impl Charge {
    fn rows(&self) -> [(&'static str, &Spread, &'static str); 3] {
        [
            ("scheduled start: its second until a listener has the first spoken fragment", &self.starts, "<= 1,000"),
            ("succession: host's process killed until somebody else is in charge", &self.successions, "15,000 +- 1,000"),
            ("reclaim: host opens the console until in charge again", &self.reclaims, "< 1,000"),
        ]
    }

    pub(crate) fn print(&self) {
        println!("\n| figure | times | least ms | p50 ms | most ms | to reach |\n|---|---|---|---|---|---|");
        for (name, spread, reach) in self.rows() {
            let [least, p50, most] = [0.0, 0.5, 1.0].map(|share| spread.quantile(share));
            println!("| {name} | {} | {least:.0} | {p50:.0} | {most:.0} | {reach} |", spread.count());
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let row = |(name, spread, reach): (&str, &Spread, &str)| {
            let [least, p50, most] = [0.0, 0.5, 1.0].map(|share| spread.quantile(share));
            serde_json::json!({ "figure": name, "times": spread.count(), "least_ms": least, "p50_ms": p50, "most_ms": most, "to_reach": reach })
        };
        self.rows().map(row).into_iter().collect()
    }
}

pub(crate) fn measure(server: &Server) -> Charge {
    let starts = starts(server);
    let (successions, reclaims) = successions(server);
    Charge { starts, successions, reclaims }
}

/// Events whose hosts are ready and speak, each with somebody who listens to the doors' hold sound.
fn starts(server: &Server) -> Spread {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    let mut events = Vec::new();
    for second in (now + AHEAD_SECONDS..).take(STARTS as usize) {
        let text = jiff::Timestamp::from_second(i64::try_from(second).expect("a time")).expect("a time").to_string();
        let event = server.create_event_with("By itself", &["--start-at", &text]);
        until("the doors are open", || ureq::head(&event.stream).call().ok());
        let host = event.stage.rsplit('/').next().expect("a ticket");
        let voice = Voice::call(&event.whip, host, &format!("Ada&key={KEY}"), tone(), Box::new(|_, _| {}));
        until("the host is ready", || is_ready(server, &event, host).then_some(()));
        let stream = listen(&event.stream);
        events.push((SystemTime::UNIX_EPOCH + Duration::from_secs(second), event, stream, voice));
    }
    let late = |(start, event, stream, _voice): (SystemTime, Event, Receiver<Heard>, Voice)| {
        let spoken = |heard: &Heard| share_with(&heard.sound, SPOKEN.0, SPOKEN.1) > 0.0;
        let first = stream.into_iter().find(spoken).expect("the stream goes on");
        let at = SystemTime::now() - first.at.elapsed();
        server.end(&event);
        // Before its second would be as wrong.
        at.duration_since(start).map_or_else(|early| -early.duration().as_secs_f64(), |late| late.as_secs_f64()) * 1_000.0
    };
    Spread::of(events.into_iter().map(late).collect())
}

fn is_ready(server: &Server, event: &Event, ticket: &str) -> bool {
    let url = format!("{}/console/{}?key={KEY}", server.stage_url(), event.id);
    let headers = [("Authorization", format!("Bearer {ticket}")), ("Content-Type", "application/json".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    ask("POST", &url, &headers, br#"{"do":"ready","ready":true}"#).status == 200
}

/// Live events whose hosts vanish, and come back with a console alone.
fn successions(server: &Server) -> (Spread, Spread) {
    let file = tone_file(&server.data());
    let speak = |link: &str| {
        let child = townsquare().args(["speak", link, "--loop"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Running(child.expect("a speaker"))
    };
    let mut events = Vec::new();
    for _ in 0..VANISH {
        let event = server.create_event("Succession");
        let host = speak(&event.stage);
        until("the event is live", || entries(server, &event).iter().any(|one| matches!(one.what, What::EpochOpened { .. })).then_some(()));
        let guest = Voice::call(&event.whip, &event.token, "Ben", tone(), Box::new(|_, _| {}));
        until("a guest is there", || (joined(server, &event) == 2).then_some(()));
        events.push((event, host, guest));
    }
    // The stage has measured every connection by then.
    std::thread::sleep(Duration::from_secs(3));
    let gone: Vec<_> =
        events.iter_mut().map(|(_, host, _)| host.0.kill().map(|()| SystemTime::now()).expect("the host is killed")).collect();
    let mut successions = Vec::new();
    let mut reclaims = Vec::new();
    for ((event, ..), gone) in events.iter().zip(gone) {
        let at = until("somebody is in charge", || {
            let heir = |one: &Entry| matches!(one.what, What::InCharge { participant: Some(_) }).then_some(one.at.0);
            entries(server, event).iter().find_map(heir)
        });
        let gone = gone.duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs_f64() * 1_000.0;
        successions.push(at as f64 - gone);
    }
    for (event, ..) in &events {
        let asked = Instant::now();
        let back = |line: serde_json::Value| line["state"]["in_charge"].is_null() && line["state"]["you"]["rules"] == true;
        assert!(console(server, event).any(back), "the control stream goes on");
        reclaims.push(asked.elapsed().as_secs_f64() * 1_000.0);
        server.end(event);
    }
    (Spread::of(successions), Spread::of(reclaims))
}

fn entries(server: &Server, event: &Event) -> Vec<Entry> {
    let bytes = std::fs::read(server.data().join("events").join(&event.id).join("journal")).unwrap_or_default();
    Journal::read(&bytes).entries
}

fn joined(server: &Server, event: &Event) -> usize {
    entries(server, event).iter().filter(|one| matches!(one.what, What::Joined { .. })).count()
}
