//! `bin/bench live`: how long a word takes to everybody, beside the budget, and what an event costs.
//!
//! A marked tone is spoken over real WebRTC; it is timed where a speaker, a listener of the endless stream and a player of
//! LL-HLS would hear it. Then: how soon a listener hears something, how fast a host's mute is, whether events begin at their second and who
//! is in charge when the host is gone, what a full stage costs, and many events. Arguments: `--json`, `--seconds N` (default 150), `--events N` (default 40).

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::cast_possible_truncation, reason = "counts of marks and seconds are small")]

mod charge;
mod cost;
mod full;
#[allow(dead_code, reason = "the other benchmark uses more of it")]
mod marks;
mod mute;
mod routes;
mod tap;

#[path = "../../tests/support/mod.rs"]
mod support;

use cost::Cost;
use marks::{Marks, Spread};
use std::time::Duration;
use support::Server;
use support::voice::Voice;

/// The budgets of ARCHITECTURE.md, in milliseconds.
const BUDGET_SPEAKER_MILLIS: f64 = 250.0;
const BUDGET_STREAM_MILLIS: f64 = 800.0;
const BUDGET_HLS_MILLIS: f64 = 3_000.0;

/// Listeners of each of many events.
const LISTENERS: usize = 10;

struct Wish {
    json: bool,
    seconds: u64,
    events: usize,
}

impl Wish {
    fn from_arguments() -> Self {
        let words: Vec<String> = std::env::args().collect();
        let number = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)?.parse().ok());
        Self {
            json: words.iter().any(|word| word == "--json"),
            seconds: number("--seconds").unwrap_or(150),
            events: number("--events").unwrap_or(40) as usize,
        }
    }
}

fn main() {
    let wish = Wish::from_arguments();
    let server = Server::start();
    let one = one_event(&server, wish.seconds);
    let tap = tap::Tap::measure();
    let mute = mute::measure(&server);
    let charge = charge::measure(&server);
    let full = full::measure(&server, wish.seconds.min(60));
    let many = many_events(&server, wish.events, wish.seconds.min(60));
    if wish.json {
        let mute = serde_json::json!({ "times": mute.count(), "p50_ms": mute.quantile(0.5), "most_ms": mute.quantile(1.0) });
        let full = serde_json::json!({ "hearing": full.hearing, "cost": full.cost.to_json() });
        let tap = tap.map(|tap| tap.to_json());
        println!(
            "{}",
            serde_json::json!({
                "one_event": one.to_json(), "tap": tap, "mute": mute, "charge": charge.to_json(), "full_stage": full,
                "many_events": many.to_json(),
            })
        );
    } else {
        one.print();
        if let Some(tap) = tap {
            tap.print();
        }
        println!("\n| a host's mute to silence in the programme | times | p50 ms | most ms | to reach |\n|---|---|---|---|---|");
        let (p50, most) = (mute.quantile(0.5), mute.quantile(1.0));
        println!("| | {} | {p50:.0} | {most:.0} | < {:.0} |", mute.count(), mute::BUDGET_MUTE_MILLIS);
        charge.print();
        full.print(wish.seconds.min(60));
        many.print();
    }
}

/// Latency by route, and what the stage and the relay took meanwhile.
struct OneEvent {
    seconds: u64,
    to_speaker: Spread,
    to_stream: Spread,
    to_hls: Spread,
    cost: Cost,
}

fn one_event(server: &Server, seconds: u64) -> OneEvent {
    let event = server.create_event("Latency");
    server.go_live(&event);
    let marks = Marks::new();
    let heard = marks::Ear::new();
    let _silent = Voice::call(&event.whip, &event.token, "Ben", Box::new(|_, _| {}), heard.clone().into_hear());
    let _speaking = Voice::call(&event.whip, &event.token, "Ada", marks.clone().into_speak(), Box::new(|_, _| {}));
    let length = Duration::from_secs(seconds);
    let stream = routes::stream(&event.stream, length, true);
    let hls = routes::hls(&event.hls, length);
    let cost = Cost::over(server.roles(), length);
    let stream = stream.join().expect("the stream is read");
    let hls = hls.join().expect("the playlist is followed");
    server.end(&event);
    OneEvent {
        seconds,
        to_speaker: marks.match_with(&heard.onsets()),
        to_stream: marks.match_with(&stream.onsets(&stream)),
        to_hls: marks.match_with(&hls),
        cost,
    }
}

impl OneEvent {
    fn rows(&self) -> [(&'static str, &Spread, f64); 3] {
        [
            ("speaker to speaker", &self.to_speaker, BUDGET_SPEAKER_MILLIS),
            ("speaker to stream (player's 300 ms included)", &self.to_stream, BUDGET_STREAM_MILLIS),
            ("speaker to LL-HLS (hold-back included)", &self.to_hls, BUDGET_HLS_MILLIS),
        ]
    }

    fn print(&self) {
        println!("One event, two speakers, one listener a route, {} s\n", self.seconds);
        println!("| route | marks | p50 ms | p99 ms | budget ms |\n|---|---|---|---|---|");
        for (name, spread, budget) in self.rows() {
            println!("| {name} | {} | {:.0} | {:.0} | {budget:.0} |", spread.count(), spread.quantile(0.5), spread.quantile(0.99));
        }
        println!("\n{}", self.cost.table());
    }

    fn to_json(&self) -> serde_json::Value {
        let row = |(name, spread, budget): (&str, &Spread, f64)| serde_json::json!({ "route": name, "marks": spread.count(), "p50_ms": spread.quantile(0.5), "p99_ms": spread.quantile(0.99), "budget_ms": budget });
        serde_json::json!({ "seconds": self.seconds, "latency": self.rows().map(row), "cost": self.cost.to_json() })
    }
}

/// Many live events with a speaker and some listeners each.
struct ManyEvents {
    events: usize,
    seconds: u64,
    to_stream: Spread,
    /// Listeners who heard anything too late, or nothing.
    late: usize,
    missed: usize,
    cost: Cost,
}

fn many_events(server: &Server, events: usize, seconds: u64) -> ManyEvents {
    let mut voices = Vec::new();
    let mut listeners = Vec::new();
    let length = Duration::from_secs(seconds);
    for number in 0..events {
        let event = server.create_event(&format!("Event {number}"));
        server.go_live(&event);
        let marks = Marks::new();
        voices.push(Voice::call(&event.whip, &event.token, "Ada", marks.clone().into_speak(), Box::new(|_, _| {})));
        listeners.push((marks, event.stream));
    }
    // One of them decodes: what the others are sent are the same bytes, and it is asked when.
    let listen =
        |(marks, url): (Marks, String)| (marks, (0..LISTENERS).map(|number| routes::stream(&url, length, number == 0)).collect::<Vec<_>>());
    let listeners: Vec<_> = listeners.into_iter().map(listen).collect();
    let cost = Cost::over(server.roles(), length);
    let mut to_stream = Spread::default();
    let (mut late, mut missed) = (0, 0);
    for (marks, listeners) in listeners {
        let streams: Vec<_> = listeners.into_iter().map(|listener| listener.join().expect("the stream is read")).collect();
        for (number, stream) in streams.iter().enumerate() {
            let found = marks.match_with(&stream.onsets(&streams[0]));
            missed += usize::from(number == 0 && found.count() == 0);
            late += usize::from(found.count() == 0 || found.quantile(1.0) > BUDGET_STREAM_MILLIS);
            to_stream.extend(found);
        }
    }
    ManyEvents { events, seconds, to_stream, late, missed, cost }
}

impl ManyEvents {
    fn print(&self) {
        println!(
            "\n{} live events, one speaker and {LISTENERS} listeners each, {} s, generator on the same machine\n",
            self.events, self.seconds
        );
        println!("| route | marks | p50 ms | p99 ms | most ms | budget ms | listeners ever over it | events unheard |");
        println!("|---|---|---|---|---|---|---|---|");
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| self.to_stream.quantile(share));
        let (marks, late, missed) = (self.to_stream.count(), self.late, self.missed);
        println!("| speaker to stream | {marks} | {p50:.0} | {p99:.0} | {most:.0} | {BUDGET_STREAM_MILLIS:.0} | {late} | {missed} |");
        println!("\n{}", self.cost.table());
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "events": self.events, "seconds": self.seconds, "marks": self.to_stream.count(), "p50_ms": self.to_stream.quantile(0.5),
            "p99_ms": self.to_stream.quantile(0.99), "most_ms": self.to_stream.quantile(1.0), "late": self.late, "unheard": self.missed, "cost": self.cost.to_json(),
        })
    }
}
