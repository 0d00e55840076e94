//! `bin/bench relay`: what a listener costs, beside what it costs others, and how many one machine holds.
//!
//! Everything runs on this machine. Counted is the processor time of the server's processes alone, over a window in which all listen.
//! On the loopback network the kernel delivers within the sender's time: all servers here carry that alike.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its tables, and on the side how far it is")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers that the benchmark made itself")]

mod bare;
mod crowd;
mod debate;
mod figures;
mod icecast;
mod idle;
mod launch;
mod nginx;
mod patience;
mod players;
mod process;
mod rounds;
mod scale;
mod storm;
mod town;

#[path = "../live/marks.rs"]
#[allow(dead_code, reason = "the other benchmark uses more of it")]
mod marks;
#[path = "../live/routes.rs"]
#[allow(dead_code, reason = "the other benchmark uses more of it")]
mod routes;
#[path = "../../tests/support/mod.rs"]
mod support;

use figures::Figure;
use rounds::Name;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const HELP: &str = "\
bin/bench relay [--json] [--rounds N] [--listeners N] [--seconds N] [--only NAME,…]
    What a listener costs, beside a bare loop, icecast2 and nginx. --rounds 5, --listeners 5000, --seconds 8 (of each window) unless said
    otherwise. Takes 13 minutes on a quiet machine, 15 at most; '--rounds 1 --listeners 500', a smoke test, takes 3.
    --only some of: bare bare-burst plain tls plain-2s icecast nginx storm storm-tls storm-icecast idle
bin/bench relay --launch [--json] [--listeners N] [--joins-per-second N] [--seconds N]
    420,000 listeners on this machine, crowd included. --joins-per-second 4000, --seconds 120 (after the last has come) unless said
    otherwise. Takes 5 minutes, 8 at most, and 14 GiB of memory.
How far it is comes on standard error, the table or --json on standard output. Ctrl-C ends everything that was started.";

/// The whole run takes no longer.
const RUN_MAX: Duration = Duration::from_secs(15 * 60);
/// Nor does the launch run.
const LAUNCH_MAX: Duration = Duration::from_secs(8 * 60);

/// No part takes less.
const PART: Duration = Duration::from_secs(20);

/// As many were listed in the room that melted.
const LAUNCH_LISTENERS: u64 = 420_000;
const LAUNCH_JOINS_PER_SECOND: u64 = 4_000;
const LAUNCH_SECONDS: u64 = 120;

/// What was asked for.
pub(crate) struct Wish {
    json: bool,
    launch: bool,
    words: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) listeners: usize,
    pub(crate) joins_per_second: f64,
    pub(crate) window: Duration,
    pub(crate) cadence_ms: u64,
    only: Vec<String>,
}

impl Wish {
    fn from_arguments(words: &[String]) -> Self {
        let number = |flag: &str, default: u64| number(words, flag, default);
        Self {
            json: words.iter().any(|word| word == "--json"),
            launch: words.iter().any(|word| word == "--launch"),
            words: words.to_vec(),
            rounds: number("--rounds", 5).max(1) as usize,
            listeners: number("--listeners", 5_000).clamp(1, 18_000) as usize,
            joins_per_second: number("--joins-per-second", 2_500) as f64,
            window: Duration::from_secs(number("--seconds", 8).max(1)),
            cadence_ms: number("--cadence", 1_000),
            only: value(words, "--only").map_or_else(Vec::new, |list| list.split(',').map(str::to_owned).collect()),
        }
    }

    fn launch_wish(&self) -> launch::Wish {
        let number = |flag: &str, default: u64| number(&self.words, flag, default);
        launch::Wish {
            listeners: number("--listeners", LAUNCH_LISTENERS).max(1) as usize,
            joins_per_second: number("--joins-per-second", LAUNCH_JOINS_PER_SECOND).max(1) as f64,
            seconds: number("--seconds", LAUNCH_SECONDS).max(1),
        }
    }

    /// Whether something is to be measured.
    pub(crate) fn wants(&self, word: &str) -> bool {
        self.only.is_empty() || self.names(word)
    }

    /// Whether something was asked for by its name.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.only.iter().any(|only| only == word)
    }

    /// Flags of `serve` for a cadence.
    pub(crate) fn cadence_flags(&self, millis: u64) -> Vec<String> {
        vec!["--cadence".to_owned(), millis.to_string()]
    }
}

fn value<'a>(words: &'a [String], flag: &str) -> Option<&'a String> {
    words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1))
}

fn number(words: &[String], flag: &str, default: u64) -> u64 {
    value(words, flag).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Says on the side how far it is.
pub(crate) fn say(text: &str) {
    use std::sync::OnceLock;
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let seconds = BEGAN.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("{:>2}:{:02} {text}", seconds / 60, seconds % 60);
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--role", "bare", ..] => return bare::run(&words[2..]),
        ["--role", "players", ..] => return players::run(&words[2..]),
        _ => {}
    }
    if words.iter().any(|word| word == "--help") {
        println!("{HELP}");
        return Ok(());
    }
    let wish = Wish::from_arguments(&words);
    patience::begin(if wish.launch { LAUNCH_MAX } else { RUN_MAX })?;
    say(&machine().to_string());
    let (text, result) = if wish.launch { launch::run(&wish.launch_wish())? } else { side_by_side(&wish)? };
    if wish.json {
        println!("{result}");
    } else {
        println!("{text}");
    }
    Ok(())
}

/// The machine in a line.
fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({ "cores": cores, "available_gib": (process::available_bytes() / 1_073_741_824.0).round(), "kernel": kernel.trim(),
            "load": load.split(' ').next() })
}

/// Runs one part; what can't be measured is said, and the others go on.
fn part<T: Default>(what: &str, wanted: bool, run: impl FnOnce() -> anyhow::Result<T>) -> T {
    if !wanted || patience::left() < PART {
        return T::default();
    }
    run().unwrap_or_else(|error| {
        say(&format!("{what} could not be measured: {error:#}"));
        T::default()
    })
}

fn side_by_side(wish: &Wish) -> anyhow::Result<(String, Value)> {
    let before = machine();
    let speech = town::Speech::new()?;
    let rounds = part("processor time", true, || rounds::run(wish, &speech.file));
    let plain = part("a storm of joins", wish.wants("storm"), || storm::run(wish, false, &speech.file));
    let tls = part("a storm of joins with TLS", wish.wants("storm-tls"), || storm::run(wish, true, &speech.file));
    let icecast = part("icecast2's joins", wish.wants("storm-icecast"), || storm::icecast(&speech.file).map(Some));
    let idle = part("an event with one listener", wish.wants("idle"), || idle::run(wish));
    patience::go_on()?;
    let figures: Vec<Figure> =
        [rounds.figures(), plain.figures("plain", 5_000.0, 512.0), tls.figures("TLS", 1_500.0, 2_048.0), idle.figures()].concat();
    let mut text = format!("{}\n{}", rounds.table(), figures::table(&figures));
    text += &format!(
        "\nMemory of the kernel per listener, both ends of the connection: {} bytes plain, {} with TLS.\n",
        plain.kernel_text(),
        tls.kernel_text()
    );
    let measured = scale::Measured {
        growth: rounds.growth,
        send_us: [Name::Plain, Name::Tls].map(|name| rounds.us(name).unwrap_or(f64::NAN) * wish.cadence_ms as f64 / 1_000.0),
        bytes: [plain.bytes(), tls.bytes()],
    };
    if measured.is_whole() {
        text += &format!("\n{}", measured.table());
    }
    if let Some(icecast) = icecast {
        text += &format!(
            "icecast2 let in {:.0} a second, {:.0} for each second of a core; first sound p99 {:.0} ms.\n",
            icecast.joins_per_second, icecast.joins_per_core_second, icecast.first_p99_ms
        );
    }
    let result = json!({
        "machine": before, "rounds": wish.rounds, "listeners": wish.listeners, "cadence_ms": wish.cadence_ms,
        "cpu": rounds.to_json(), "bytes_per_second_by_rung": rounds.growth, "storm": { "plain": plain.to_json(), "tls": tls.to_json(), "icecast": icecast.map(|storm| json!({
            "joins_per_second": storm.joins_per_second, "joins_per_core_second": storm.joins_per_core_second,
            "first_sound_p99_ms": storm.first_p99_ms })) },
        "idle": idle.to_json(), "figures": figures.iter().map(Figure::to_json).collect::<Vec<_>>(),
    });
    Ok((text, result))
}
