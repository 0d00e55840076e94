//! `bin/bench tree`: what each level of a tree of relays adds to the way of a fragment, and what a copy costs.
//!
//! Three levels on this machine, each a server of its own: the relay beside the stage, one below it, one below that. Listeners at all
//! levels note when each fragment is there; the difference is what the level adds. Arguments: `--json`, `--rounds N` (default 5),
//! `--seconds N` of a round (default 20), `--copies N` that one relay sends at once (default 100).

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::cast_possible_truncation, reason = "counts of rounds and copies are small")]

mod arrivals;

#[allow(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../live/cost.rs"]
mod cost;

#[path = "../../tests/support/mod.rs"]
mod support;

use arrivals::{Arrivals, first, later, listen};
use cost::{Cost, processor_seconds};
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::Server;
use support::event::Event;
use support::relay::Relay;

/// What a level may add, in milliseconds.
const BUDGET_MILLIS: f64 = 300.0;

struct Wish {
    json: bool,
    rounds: usize,
    round: Duration,
    copies: usize,
}

impl Wish {
    fn from_arguments() -> Self {
        let words: Vec<String> = std::env::args().collect();
        let number = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)?.parse::<u64>().ok());
        Self {
            json: words.iter().any(|word| word == "--json"),
            rounds: number("--rounds").unwrap_or(5) as usize,
            round: Duration::from_secs(number("--seconds").unwrap_or(20)),
            copies: number("--copies").unwrap_or(100) as usize,
        }
    }
}

fn main() {
    let wish = Wish::from_arguments();
    let server = Server::start();
    let two = Relay::start(&[&server.relay_url()], &[]);
    let three = Relay::start(&[&two.url()], &[]);
    let event = server.create_event("Tree");
    server.go_live(&event);
    let urls = [event.stream.clone(), two.here(&server, &event.stream), three.here(&server, &event.stream)];
    let rounds: Vec<Round> = (0..wish.rounds).map(|_| Round::of(&urls, wish.round)).collect();
    let rows = [1, 2].map(|level| Row::of(level, &rounds));
    let joins = Joins::measure(&server, &three, wish.rounds);
    let costs = one_listener_each(&server, &[&two, &three], &urls, wish.round);
    let copies = Copies::measure(&server, &event, wish.copies, wish.round);
    if wish.json {
        let levels = rows.iter().map(Row::to_json).collect::<Vec<_>>();
        let costs = costs.iter().map(Cost::to_json).collect::<Vec<_>>();
        println!(
            "{}",
            serde_json::json!({ "rounds": wish.rounds, "levels": levels, "joins": joins.to_json(), "cost": costs, "copies": copies.to_json() })
        );
        return;
    }
    println!("What a level adds to the way of a fragment: {} rounds of {} s, medians of the rounds\n", wish.rounds, wish.round.as_secs());
    println!("| from level to level | fragments | p50 ms | p99 ms | worst ms | to reach ms |\n|---|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    joins.print();
    for (level, cost) in (1..).zip(&costs) {
        println!("\nLevel {level}, one listener\n\n{}", cost.table());
    }
    copies.print();
}

/// What each level added in one round, by fragment.
struct Round([Vec<f64>; 2]);

impl Round {
    fn of(urls: &[String; 3], length: Duration) -> Self {
        let listeners = urls.each_ref().map(|url| listen(url, length));
        let [one, two, three]: [Arrivals; 3] = listeners.map(|listener| listener.join().expect("the stream is read"));
        Self([later(&two, &one), later(&three, &two)])
    }
}

/// One level's figures.
struct Row {
    level: usize,
    fragments: usize,
    p50: f64,
    p99: f64,
    worst: f64,
}

impl Row {
    fn of(level: usize, rounds: &[Round]) -> Self {
        let each = |share: f64| rounds.iter().map(|round| quantile(&round.0[level - 1], share)).collect::<Vec<_>>();
        let fragments = rounds.iter().map(|round| round.0[level - 1].len()).sum();
        Self { level, fragments, p50: quantile(&each(0.5), 0.5), p99: quantile(&each(0.99), 0.5), worst: quantile(&each(1.0), 1.0) }
    }

    fn print(&self) {
        let Self { level, fragments, p50, p99, worst } = self;
        println!("| {level} → {} | {fragments} | {p50:.1} | {p99:.1} | {worst:.1} | < {BUDGET_MILLIS:.0} |", level + 1);
    }

    fn to_json(&self) -> serde_json::Value {
        let Self { level, fragments, p50, p99, worst } = self;
        serde_json::json!({
            "from": level, "to": level + 1, "fragments": fragments, "p50_ms": p50, "p99_ms": p99, "worst_ms": worst, "to_reach_ms": BUDGET_MILLIS,
        })
    }
}

/// The value that a share of all stays below; NaN when there is none.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// How long the first who asks a leaf for an event waits for sound, and who asks next: milliseconds, medians of the rounds.
struct Joins {
    first: f64,
    next: f64,
}

impl Joins {
    fn measure(server: &Server, leaf: &Relay, rounds: usize) -> Self {
        let join = |round| {
            let event = server.create_event(&format!("Join {round}"));
            server.go_live(&event);
            let url = leaf.here(server, &event.stream);
            let waited = (first(&url), first(&url));
            server.end(&event);
            waited
        };
        let (firsts, nexts): (Vec<_>, Vec<_>) = (0..rounds).map(join).unzip();
        Self { first: quantile(&firsts, 0.5), next: quantile(&nexts, 0.5) }
    }

    fn print(&self) {
        println!("\n| who joins at level 3 | first fragment after ms |\n|---|---|");
        println!("| the first, whom no level has heard of | {:.0} |\n| the next | {:.0} |", self.first, self.next);
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "first_ms": self.first, "next_ms": self.next })
    }
}

/// What the processes of each level take while one listens there.
fn one_listener_each(server: &Server, below: &[&Relay], urls: &[String; 3], length: Duration) -> Vec<Cost> {
    let listeners = urls.each_ref().map(|url| listen(url, length));
    let levels: Vec<_> = std::iter::once(server.roles()).chain(below.iter().map(|relay| relay.roles())).collect();
    let costs = std::thread::scope(|scope| {
        let measured: Vec<_> = levels.into_iter().map(|roles| scope.spawn(move || Cost::over(roles, length))).collect();
        measured.into_iter().map(|cost| cost.join().expect("it is measured")).collect()
    });
    listeners.into_iter().for_each(|listener| drop(listener.join().expect("the stream is read")));
    costs
}

/// What it costs a relay to send copies of one event's recording to so many relays.
struct Copies {
    copies: usize,
    cpu_micros_per_second: f64,
    bits_per_second: f64,
}

impl Copies {
    fn measure(server: &Server, event: &Event, copies: usize, length: Duration) -> Self {
        let relay = server.pid("relay-0").expect("it runs").as_raw_nonzero().get();
        let share = || {
            let (before, begun) = (processor_seconds(relay), Instant::now());
            std::thread::sleep(length);
            (processor_seconds(relay) - before) / begun.elapsed().as_secs_f64()
        };
        let alone = share();
        let stops = Arc::new(AtomicBool::new(false));
        let takers: Vec<_> = (0..copies).map(|_| take(copy_from_now(server, event), Arc::clone(&stops))).collect();
        let with = share();
        stops.store(true, Ordering::Relaxed);
        let taken = takers.into_iter().map(|taker| taker.join().expect("it copies")).collect::<Vec<_>>();
        let bits_per_second = quantile(&taken, 0.5);
        Self { copies, cpu_micros_per_second: (with - alone) * 1e6 / copies as f64, bits_per_second }
    }

    fn print(&self) {
        println!("\n| copies of one event's rung 64 at once | relay's CPU µs per copy and second | kbit/s per copy |\n|---|---|---|");
        println!("| {} | {:.0} | {:.1} |", self.copies, self.cpu_micros_per_second, self.bits_per_second / 1_000.0);
    }

    fn to_json(&self) -> serde_json::Value {
        let Self { copies, cpu_micros_per_second, bits_per_second } = self;
        serde_json::json!({ "copies": copies, "cpu_us_per_copy_second": cpu_micros_per_second, "bits_per_second": bits_per_second })
    }
}

/// Takes a copy from an address as another relay would, until told otherwise: how many bits a second came.
fn take(url: String, stops: Arc<AtomicBool>) -> JoinHandle<f64> {
    std::thread::spawn(move || {
        let mut body = ureq::get(&url).call().expect("the relay copies").into_body().into_with_config().limit(u64::MAX).reader();
        let (mut bytes, mut chunk, begun) = (0, [0u8; 16 * 1024], Instant::now());
        while !stops.load(Ordering::Relaxed) {
            let count = body.read(&mut chunk).expect("the copy goes on");
            assert!(count > 0, "the copy goes on");
            bytes += count;
        }
        bytes as f64 * 8.0 / begun.elapsed().as_secs_f64()
    })
}

/// The address of what follows of an event's recording.
fn copy_from_now(server: &Server, event: &Event) -> String {
    let url = format!("{}/copy/{}/64", server.relay_url(), event.id);
    let answer = ureq::head(&url).call().expect("the relay answers");
    let edge = answer.headers().get("townsquare-edge").and_then(|edge| edge.to_str().ok()).expect("the event is live");
    format!("{url}?from={}", edge.rsplit('.').next().expect("a number"))
}
