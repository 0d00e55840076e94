//! A storm of joins on a fresh server: how fast one worker lets listeners in, what each takes of memory, and whether those who were
//! inside already notice anything.

use crate::crowd::{Crowd, faults, troubles};
use crate::figures::{Figure, Goal, median, number};
use crate::icecast::Icecast;
use crate::patience;
use crate::process::{cpu_micros, kernel_bytes, own_bytes};
use crate::town::Town;
use crate::{Wish, say};
use std::path::Path;
use std::time::{Duration, Instant};

/// Who is inside before the storm.
const INSIDERS: usize = 500;

/// Who comes at most: with the insiders still below what one worker may hold, and more than 10,000.
const COMERS_MAX: usize = 15_000;

/// Joins offered each second: some more than the figures to reach.
const PLAIN_PER_SECOND: f64 = 6_000.0;
const TLS_PER_SECOND: f64 = 2_000.0;

/// Joins offered to icecast2 each second, and how many come: it takes them far more slowly.
const ICECAST_PER_SECOND: f64 = 500.0;
const ICECAST_COMERS: usize = 3_000;

/// How long all may take to hear something.
const JOIN: Duration = Duration::from_secs(60);

/// A storm takes no longer, unless something is wrong.
const ROUND: Duration = Duration::from_secs(45);

/// After the storm: opening bursts have been read, buffers are empty.
const SETTLE: Duration = Duration::from_secs(4);

/// Between two looks at the server during a storm.
const LOOK: Duration = Duration::from_millis(100);

/// What one storm showed.
#[derive(Debug, Clone, Copy)]
struct Sample {
    joins_per_second: f64,
    joins_per_core_second: f64,
    first_p99_ms: f64,
    faults: u64,
    user_bytes: f64,
    kernel_bytes: f64,
}

/// What the storms on one kind of server showed.
#[derive(Default)]
pub(crate) struct Storms(Vec<Sample>);

/// So many storms on fresh servers of our own, each with one relay worker: one thread, one core at most.
pub(crate) fn run(wish: &Wish, tls: bool, speech: &Path) -> anyhow::Result<Storms> {
    let mut storms = Storms::default();
    let comers = (wish.listeners * 3).min(COMERS_MAX);
    for round in 1..=wish.rounds {
        patience::go_on()?;
        if patience::left() < ROUND {
            say("no time is left for more storms");
            break;
        }
        let flags = wish.cadence_flags(wish.cadence_ms);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--relay-workers", "1"]).collect();
        let town = Town::start(&flags, tls, Some(speech))?;
        let sample = storm(&town, comers, if tls { TLS_PER_SECOND } else { PLAIN_PER_SECOND })?;
        say(&format!(
            "storm {round} of {}, {}: {:.0} joins a second, {:.0} for each second of a core, first sound p99 {:.0} ms, {} faults",
            wish.rounds,
            if tls { "TLS" } else { "plain" },
            sample.joins_per_second,
            sample.joins_per_core_second,
            sample.first_p99_ms,
            sample.faults,
        ));
        storms.0.push(sample);
    }
    Ok(storms)
}

fn storm(town: &Town, comers: usize, per_second: f64) -> anyhow::Result<Sample> {
    let mut insiders = Crowd::start(&town.crowd("64", INSIDERS, 1_000.0)?, 1)?;
    insiders.wait_heard(JOIN)?;
    patience::pause(SETTLE)?;
    let relays = town.relays();
    let (user, kernel) = (own_bytes(&relays), kernel_bytes());
    // Two processes, so that the crowd is faster than what is measured.
    let mut crowd = Crowd::start(&town.crowd("64", comers, per_second)?, 2)?;
    let looks = watch(town, &relays, comers)?;
    crowd.wait_heard(JOIN)?;
    patience::pause(SETTLE)?;
    let (user, kernel) = (own_bytes(&relays) - user, kernel_bytes() - kernel);
    let (inside, came) = (insiders.leave(), crowd.leave());
    let faults = faults(&inside) + faults(&came);
    if faults > 0 {
        say(&format!("  those inside: {}; those who came: {}", troubles(&inside), troubles(&came)));
    }
    let at = |share: f64| looks.iter().find(|look| look.streams >= INSIDERS as f64 + comers as f64 * share);
    let (Some(first), Some(last)) = (at(0.01), at(0.99)) else { anyhow::bail!("the relay's metrics do not show the storm") };
    let (joined, seconds) = (last.streams - first.streams, (last.at - first.at).as_secs_f64());
    Ok(Sample {
        joins_per_second: joined / seconds,
        joins_per_core_second: joined / ((last.cpu_us - first.cpu_us) / 1e6),
        first_p99_ms: came.first_audio_ms.percentile(99).map_or(f64::NAN, f64::from),
        faults,
        user_bytes: user / comers as f64,
        kernel_bytes: kernel / comers as f64,
    })
}

/// A moment of a storm.
struct Look {
    at: Instant,
    cpu_us: f64,
    streams: f64,
}

/// Follows a storm until all streams are there.
fn watch(town: &Town, relays: &[u32], comers: usize) -> anyhow::Result<Vec<Look>> {
    let mut looks: Vec<Look> = Vec::new();
    let end = Instant::now() + JOIN;
    while Instant::now() < end && looks.last().is_none_or(|look| look.streams < (INSIDERS + comers) as f64) {
        let streams = town.metric("townsquare_relay_streams").iter().sum();
        looks.push(Look { at: Instant::now(), cpu_us: cpu_micros(relays), streams });
        patience::pause(LOOK)?;
    }
    Ok(looks)
}

/// How icecast2 takes a storm: joins a second, and first sound p99 in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IcecastStorm {
    pub(crate) joins_per_second: f64,
    pub(crate) joins_per_core_second: f64,
    pub(crate) first_p99_ms: f64,
}

/// One storm on a fresh icecast2.
pub(crate) fn icecast(speech: &Path) -> anyhow::Result<IcecastStorm> {
    let icecast = Icecast::start(speech)?;
    let pids = icecast.pids();
    let before = cpu_micros(&pids);
    let mut crowd = Crowd::start(&icecast.crowd(ICECAST_COMERS, ICECAST_PER_SECOND), 1)?;
    let seconds = crowd.wait_heard(JOIN)?;
    let cpu_us = cpu_micros(&pids) - before;
    let tally = crowd.leave();
    Ok(IcecastStorm {
        joins_per_second: ICECAST_COMERS as f64 / seconds,
        joins_per_core_second: ICECAST_COMERS as f64 / (cpu_us / 1e6),
        first_p99_ms: tally.first_audio_ms.percentile(99).map_or(f64::NAN, f64::from),
    })
}

impl Storms {
    fn median(&self, of: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(&self.0.iter().map(of).collect::<Vec<_>>())
    }

    fn faults(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|sample| sample.faults).sum::<u64>() as f64)
    }

    pub(crate) fn figures(&self, kind: &str, joins: f64, user_bytes: f64) -> Vec<Figure> {
        vec![
            Figure::new(
                format!("user memory per listener, {kind}"),
                self.median(|sample| sample.user_bytes),
                "bytes",
                Goal::AtMost(user_bytes),
            ),
            Figure::new(
                format!("joins a second, one worker, {kind}"),
                self.median(|sample| sample.joins_per_second),
                "",
                Goal::AtLeast(joins),
            ),
            Figure::new(
                format!("joins for each second of a core, {kind}"),
                self.median(|sample| sample.joins_per_core_second),
                "",
                Goal::AtLeast(joins),
            ),
            Figure::new(
                format!("first sound in that storm, p99, {kind}"),
                self.median(|sample| sample.first_p99_ms),
                "ms",
                Goal::Below(1_000.0),
            ),
            Figure::new(format!("gaps and other faults in all storms, {kind}"), self.faults(), "", Goal::AtMost(0.0)),
        ]
    }

    pub(crate) fn kernel_bytes(&self) -> Option<f64> {
        self.median(|sample| sample.kernel_bytes)
    }

    /// All memory of a listener.
    pub(crate) fn bytes(&self) -> f64 {
        self.median(|sample| sample.user_bytes + sample.kernel_bytes).unwrap_or(f64::NAN)
    }

    pub(crate) fn kernel_text(&self) -> String {
        self.kernel_bytes().map_or_else(|| "–".to_owned(), number)
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "rounds": self.0.len(),
            "joins_per_second": self.median(|sample| sample.joins_per_second),
            "joins_per_core_second": self.median(|sample| sample.joins_per_core_second),
            "first_sound_p99_ms": self.median(|sample| sample.first_p99_ms),
            "faults": self.faults(),
            "user_bytes_per_listener": self.median(|sample| sample.user_bytes),
            "kernel_bytes_per_listener_both_ends": self.kernel_bytes(),
        })
    }
}
