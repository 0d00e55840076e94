//! The launch run: as many listeners as were listed in the room that melted, on this machine, the crowd included.
//!
//! All hear the saver rung at whatever cadence the relay chooses; two people talk meanwhile, and it is timed how soon each hears the other.

use crate::crowd::{Crowd, troubles};
use crate::debate::Debate;
use crate::figures::{Figure, Goal, number};
use crate::patience;
use crate::process::{Meter, available_bytes, kernel_bytes, own_bytes};
use crate::town::{Speech, Town};
use crate::{machine, say};
use anyhow::{Context as _, ensure};
use rehearsal::Tally;
use rehearsal::verdict::grouped;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The rung that everybody hears.
const RUNG: &str = "16";

/// Listeners of a worker that may have 20,000 descriptors. All workers are there from the start, as an operator has it who knows how
/// many will come.
const WORKER_LISTENERS: usize = 17_500;

/// Bytes of memory that a listener may take on this machine, both ends and the crowd's own: some more than was ever measured.
const BYTES_PER_LISTENER: f64 = 32.0 * 1_024.0;

/// Bytes of the kernel's objects alone for both ends of a connection that is quiet, in pages of its account of TCP: none; while sends
/// are under way, some.
const TCP_PAGES_PER_LISTENER: f64 = 1.0;

/// Between two lines that say how far it is.
const TOLD: Duration = Duration::from_secs(5);

/// How long the last may take to hear something after the last was to come.
const LATE: Duration = Duration::from_secs(60);

/// What is wanted.
pub(crate) struct Wish {
    pub(crate) listeners: usize,
    pub(crate) joins_per_second: f64,
    pub(crate) seconds: u64,
}

/// What was seen while all listened.
struct Seen {
    tally: Tally,
    joined_seconds: f64,
    listened_seconds: f64,
    relay_core_percent: f64,
    stage_core_percent: f64,
    crowd_core_percent: f64,
    machine_percent: f64,
    workers: usize,
    user_bytes: f64,
    kernel_bytes: f64,
    memory_bytes: f64,
    cadence_ms: (Option<u32>, Option<u32>),
    to_speaker: (usize, f64, f64),
    tones: usize,
}

/// The whole run: text for people, and for programs.
pub(crate) fn run(wish: &Wish) -> anyhow::Result<(String, Value)> {
    let before = machine();
    may_be_tried(wish)?;
    let speech = Speech::new()?;
    let workers = wish.listeners.div_ceil(WORKER_LISTENERS).max(2).to_string();
    let town = Town::start(&["--cadence", "auto", "--relay-workers", &workers], false, None)?;
    town.server.go_live(&town.event);
    let debate = Debate::start(&town.event, &speech.file)?;
    town.wait_live()?;
    let seen = listen(wish, &town, &debate)?;
    let figures = figures(wish, &seen);
    let text = format!("{}\n{}", seen.text(wish), crate::figures::table(&figures));
    let result =
        json!({ "machine": before, "launch": seen.to_json(wish), "figures": figures.iter().map(Figure::to_json).collect::<Vec<_>>() });
    Ok((text, result))
}

/// Whether the machine could hold it at all; says what to change otherwise.
fn may_be_tried(wish: &Wish) -> anyhow::Result<()> {
    let listeners = wish.listeners as f64;
    let (has, takes) = (available_bytes(), listeners * BYTES_PER_LISTENER);
    ensure!(has > takes, "{:.1} GiB of memory are left, {:.1} GiB are needed", has / 1_073_741_824.0, takes / 1_073_741_824.0);
    let number = |name: &str, word: usize| -> anyhow::Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/sys/{name}")).with_context(|| format!("/proc/sys/{name} can't be read"))?;
        text.split_whitespace().nth(word).and_then(|word| word.parse().ok()).with_context(|| format!("{name}: {text}"))
    };
    let pages = number("net/ipv4/tcp_mem", 2)?;
    ensure!(
        pages > listeners * TCP_PAGES_PER_LISTENER,
        "the kernel keeps at most {pages} pages for the buffers of TCP: sysctl net.ipv4.tcp_mem with a last number above {listeners}"
    );
    let files = number("fs/file-max", 0)?;
    ensure!(files > listeners * 2.2, "the machine may open {files} files: sysctl fs.file-max above {}", (listeners * 2.2).ceil());
    Ok(())
}

/// Lets everybody come, and listen for so long.
fn listen(wish: &Wish, town: &Town, debate: &Debate) -> anyhow::Result<Seen> {
    let (memory, kernel, user) = (available_bytes(), kernel_bytes(), own_bytes(&town.relays()));
    let mut crowd = Crowd::start(&town.crowd(RUNG, wish.listeners, wish.joins_per_second)?, 1)?;
    let joining = wait_for_all(wish, town, &mut crowd)?;
    let relays = town.relays();
    let meters = [Meter::start(&relays), Meter::start(&stage(town))];
    let (from, began) = (crowd.tally(), Instant::now());
    let mut told = Instant::now();
    let length = Duration::from_secs(wish.seconds);
    while began.elapsed() < length {
        patience::pause(Duration::from_millis(200))?;
        if told.elapsed() >= TOLD {
            told = Instant::now();
            progress(town, &crowd.tally(), wish);
        }
    }
    let [relay, stage] = meters.map(|meter| meter.read());
    let tally = crowd.tally();
    let cadence = tally.cadence_ms.since(&from.cadence_ms);
    let (delays, tones) = debate.delays();
    let seen = Seen {
        joined_seconds: joining,
        listened_seconds: began.elapsed().as_secs_f64(),
        relay_core_percent: relay.core_percent(),
        stage_core_percent: stage.core_percent(),
        crowd_core_percent: (tally.crowd_cpu_us - from.crowd_cpu_us) as f64 / relay.seconds / 10_000.0,
        machine_percent: relay.machine_percent,
        workers: relays.len(),
        user_bytes: own_bytes(&relays) - user,
        kernel_bytes: kernel_bytes() - kernel,
        memory_bytes: memory - available_bytes(),
        cadence_ms: (cadence.percentile(50), cadence.max()),
        to_speaker: (delays.count(), delays.quantile(0.5), delays.quantile(0.99)),
        tones,
        tally: Tally::default(),
    };
    say("everybody leaves");
    Ok(Seen { tally: crowd.leave(), ..seen })
}

fn wait_for_all(wish: &Wish, town: &Town, crowd: &mut Crowd) -> anyhow::Result<f64> {
    let patience = Duration::from_secs_f64(wish.listeners as f64 / wish.joins_per_second) + LATE;
    let end = Instant::now() + patience;
    loop {
        patience::look()?;
        match crowd.wait_heard(TOLD) {
            Ok(seconds) => return Ok(seconds),
            Err(error) if crowd.has_ended() => return Err(error),
            Err(_) if Instant::now() < end => progress(town, &crowd.tally(), wish),
            Err(error) => {
                // What is measured then says how far it came.
                say(&format!("it goes on without those who do not hear: {error:#}"));
                return Ok(f64::NAN);
            }
        }
    }
}

fn stage(town: &Town) -> Vec<u32> {
    town.server.pid("stage").and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()).into_iter().collect()
}

fn progress(town: &Town, tally: &Tally, wish: &Wish) {
    say(&format!(
        "{} of {} hear ({} joined, {}), {} workers, cadence {} ms, {:.1} GiB left",
        grouped(tally.hearing),
        grouped(wish.listeners as u64),
        grouped(tally.joined),
        troubles(tally),
        town.relays().len(),
        town.metric("townsquare_relay_cadence_millis").into_iter().fold(0.0, f64::max),
        available_bytes() / 1_073_741_824.0,
    ));
}

fn figures(wish: &Wish, seen: &Seen) -> Vec<Figure> {
    let tally = &seen.tally;
    let listeners = grouped(wish.listeners as u64);
    vec![
        Figure::new(format!("hearing at the end, of {listeners}"), Some(tally.hearing as f64), "", Goal::AtLeast(wish.listeners as f64)),
        Figure::new("seconds that all listened", Some(seen.listened_seconds), "s", Goal::AtLeast(wish.seconds as f64)),
        Figure::new("gaps", Some(tally.gaps as f64), "", Goal::AtMost(0.0)),
        Figure::new(
            "repeats, stalls, lost connections",
            Some((tally.repeats + tally.stalls + tally.disconnects) as f64),
            "",
            Goal::AtMost(0.0),
        ),
        Figure::new(format!("speaker to speaker, p99 of {} tones", seen.to_speaker.0), Some(seen.to_speaker.2), "ms", Goal::Below(250.0)),
    ]
}

impl Seen {
    fn text(&self, wish: &Wish) -> String {
        let gib = |bytes: f64| bytes / 1_073_741_824.0;
        let listeners = wish.listeners as f64;
        let said = |millis: Option<u32>| millis.map_or_else(|| "–".to_owned(), |millis| f64::from(millis).to_string());
        let tally = &self.tally;
        let first = [50, 99].map(|percent| said(tally.first_audio_ms.percentile(percent)));
        let all_heard = if self.joined_seconds.is_finite() {
            format!("{:.0} s ({:.0} joins a second)", self.joined_seconds, listeners / self.joined_seconds)
        } else {
            "never".to_owned()
        };
        let rows = [
            ("listeners".to_owned(), grouped(wish.listeners as u64)),
            ("rung".to_owned(), format!("{RUNG} kbit/s")),
            ("cadence p50, most".to_owned(), format!("{}, {} ms", said(self.cadence_ms.0), said(self.cadence_ms.1))),
            ("all heard after".to_owned(), all_heard),
            ("first sound p50, p99".to_owned(), format!("{}, {} ms", first[0], first[1])),
            ("relay workers".to_owned(), format!("{}: {:.0} % of a core", self.workers, self.relay_core_percent)),
            ("stage".to_owned(), format!("{:.0} % of a core", self.stage_core_percent)),
            ("the crowd itself".to_owned(), format!("{:.0} % of a core", self.crowd_core_percent)),
            ("machine busy".to_owned(), format!("{:.0} % of all cores", self.machine_percent)),
            ("relay CPU per listener and second".to_owned(), format!("{:.2} µs", self.relay_core_percent * 10_000.0 / listeners)),
            ("relay memory per listener".to_owned(), format!("{} bytes", number(self.user_bytes / listeners))),
            ("kernel memory per listener, both ends".to_owned(), format!("{} bytes", number(self.kernel_bytes / listeners))),
            ("memory in all, crowd included".to_owned(), format!("{:.1} GiB", gib(self.memory_bytes))),
            ("speaker to speaker p50, p99".to_owned(), format!("{:.0}, {:.0} ms", self.to_speaker.1, self.to_speaker.2)),
            ("tones heard, of those spoken".to_owned(), format!("{} of {}", self.to_speaker.0, self.tones)),
            ("received".to_owned(), format!("{:.1} GB; {}", tally.bytes as f64 / 1e9, troubles(tally))),
        ];
        rows.iter().fold("| the launch run | |\n|---|---|\n".to_owned(), |text, (what, value)| text + &format!("| {what} | {value} |\n"))
    }

    fn to_json(&self, wish: &Wish) -> Value {
        let tally = &self.tally;
        json!({
            "listeners": { "asked": wish.listeners, "joined": tally.joined, "hearing_at_end": tally.hearing },
            "rung": RUNG, "seconds": self.listened_seconds, "all_heard_after_seconds": self.joined_seconds,
            "first_audio_ms": { "p50": tally.first_audio_ms.percentile(50), "p99": tally.first_audio_ms.percentile(99) },
            "gaps": tally.gaps, "repeats": tally.repeats, "stalls": tally.stalls, "disconnects": tally.disconnects, "bytes": tally.bytes,
            "cadence_ms": { "p50": self.cadence_ms.0, "max": self.cadence_ms.1 },
            "core_percent": { "relay": self.relay_core_percent, "stage": self.stage_core_percent, "crowd": self.crowd_core_percent },
            "machine_percent": self.machine_percent, "workers": self.workers,
            "user_bytes_per_listener": self.user_bytes / wish.listeners as f64,
            "kernel_bytes_per_listener_both_ends": self.kernel_bytes / wish.listeners as f64, "memory_bytes": self.memory_bytes,
            "speaker_to_speaker_ms": { "tones": self.to_speaker.0, "spoken": self.tones, "p50": self.to_speaker.1, "p99": self.to_speaker.2 },
        })
    }
}
