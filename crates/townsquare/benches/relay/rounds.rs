//! Processor time for one listener and second: every contender in turn, round after round, so that what the machine does besides falls
//! on all alike.

use crate::crowd::{self, Crowd, faults, troubles};
use crate::figures::{Figure, Goal, median, number};
use crate::icecast::Icecast;
use crate::nginx::Nginx;
use crate::patience;
use crate::players::Players;
use crate::process::{Meter, Running, Taken};
use crate::scale::Growth;
use crate::town::{Town, free_address};
use crate::{Wish, bare, say};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long all may take to hear something.
const JOIN: Duration = Duration::from_secs(90);

/// Between the last who came and the window: opening bursts are over.
const SETTLE: Duration = Duration::from_secs(2);

/// Joins a second that icecast2 takes: it lets five wait, and who finds no room tries again seconds later.
const ICECAST_JOINS_PER_SECOND: f64 = 400.0;

/// Milliseconds of one fragment. The relay sends as each is sealed, to those whose turn it is; so does the bare loop.
const SLOT_MILLIS: u64 = 200;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Bare,
    BareBurst,
    Plain,
    Tls,
    PlainSlow,
    Icecast,
    Nginx,
}

impl Name {
    const ALL: [Self; 7] = [Self::Bare, Self::BareBurst, Self::Plain, Self::Tls, Self::PlainSlow, Self::Icecast, Self::Nginx];

    /// The word that `--only` takes.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareBurst => "bare-burst",
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::PlainSlow => "plain-2s",
            Self::Icecast => "icecast",
            Self::Nginx => "nginx",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::BareBurst => "bare loop, all at one tick",
            Self::Plain => "Townsquare plain",
            Self::Tls => "Townsquare TLS",
            Self::PlainSlow => "Townsquare plain, twice the cadence",
            Self::Icecast => "icecast2, pages of 1 s",
            Self::Nginx => "nginx, LL-HLS parts of 1 s",
        }
    }
}

/// A server that stands ready.
enum Peer<'a> {
    Bare(Running, crowd::Wish),
    Town(&'a Town),
    Icecast(Icecast),
    Nginx(Nginx),
}

/// What one window showed.
#[derive(Debug, Clone, Copy)]
struct Sample {
    us: f64,
    bytes_per_second: f64,
    joined_seconds: f64,
    first_p99_ms: f64,
    machine_percent: f64,
    faults: u64,
}

/// What all rounds showed.
#[derive(Default)]
pub(crate) struct Rounds {
    rows: Vec<(Name, Vec<Option<Sample>>, Option<String>)>,
    /// Bytes a second of the programme, by rung.
    pub(crate) growth: [f64; 3],
}

/// What is kept for what comes after the rounds: ten storms and an event with one listener.
const RESERVE: Duration = Duration::from_secs(5 * 60);

/// How long a rung that nobody has heard yet may take to begin.
const SAVER_STARTS_MAX: Duration = Duration::from_secs(20);

/// The servers of our own that take part.
pub(crate) struct Towns {
    pub(crate) plain: Town,
    pub(crate) slow: Option<Town>,
    pub(crate) tls: Option<Town>,
}

/// Measures everybody who is wanted, so many rounds.
pub(crate) fn run(wish: &Wish, speech: &Path) -> anyhow::Result<Rounds> {
    let is_wanted = |name: &Name| if *name == Name::BareBurst { wish.names(name.word()) } else { wish.wants(name.word()) };
    let wanted: Vec<Name> = Name::ALL.into_iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Ok(Rounds::default());
    }
    say("starting the servers");
    let town = |name, cadence_ms, tls| {
        let flags = wish.cadence_flags(cadence_ms);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--relay-workers", "1"]).collect();
        wanted.contains(&name).then(|| Town::start(&flags, tls, Some(speech))).transpose()
    };
    let towns = Towns {
        // The bare loop and nginx send what this one records.
        plain: Town::start(
            &wish.cadence_flags(wish.cadence_ms).iter().map(String::as_str).chain(["--relay-workers", "1"]).collect::<Vec<_>>(),
            false,
            Some(speech),
        )?,
        slow: town(Name::PlainSlow, wish.cadence_ms * 2, false)?,
        tls: town(Name::Tls, wish.cadence_ms, true)?,
    };
    let mut rows = Vec::new();
    for name in wanted {
        let (peer, trouble) = match peer(name, wish, &towns, speech) {
            Ok(peer) => (Some(peer), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        rows.push((name, peer, Vec::<Option<Sample>>::new(), trouble));
    }
    let event = towns.plain.programme().with_file_name("");
    // The saver rungs are recorded while somebody listens to them.
    let savers = ["32", "16"].map(|rung| Crowd::start(&towns.plain.crowd(rung, 1, 1.0)?, 1));
    let mut savers = savers.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    for saver in &mut savers {
        saver.wait_heard(SAVER_STARTS_MAX)?;
    }
    let growth = Growth::begin(&event);
    let mut took = Duration::ZERO;
    for round in 1..=wish.rounds {
        if patience::left() < RESERVE + took {
            say("no time is left for more rounds");
            break;
        }
        let began = Instant::now();
        for (name, peer, samples, trouble) in &mut rows {
            // Who has failed twice would only take the time of the others.
            let Some(peer) = peer.as_ref().filter(|_| samples.iter().filter(|sample| sample.is_none()).count() < 2) else { continue };
            patience::go_on()?;
            match sample(peer, wish) {
                Ok(sample) => {
                    let (us, faults) = (sample.us, sample.faults);
                    say(&format!("round {round} of {}: {}: {us:.2} µs, {faults} faults", wish.rounds, name.text()));
                    samples.push(Some(sample));
                }
                Err(error) => {
                    say(&format!("round {round} of {}: {}: {error:#}", wish.rounds, name.text()));
                    *trouble = Some(format!("{error:#}"));
                    samples.push(None);
                }
            }
        }
        took = began.elapsed();
    }
    let growth = growth.end(&event);
    Ok(Rounds { rows: rows.into_iter().map(|(name, _, samples, trouble)| (name, samples, trouble)).collect(), growth })
}

fn peer<'a>(name: Name, wish: &Wish, towns: &'a Towns, speech: &Path) -> anyhow::Result<Peer<'a>> {
    let missing = || anyhow::anyhow!("no server for {name:?}");
    Ok(match name {
        Name::Bare => bare_peer(wish, towns, (wish.cadence_ms / SLOT_MILLIS).max(1) as usize)?,
        Name::BareBurst => bare_peer(wish, towns, 1)?,
        Name::Plain => Peer::Town(&towns.plain),
        Name::Tls => Peer::Town(towns.tls.as_ref().ok_or_else(missing)?),
        Name::PlainSlow => Peer::Town(towns.slow.as_ref().ok_or_else(missing)?),
        Name::Icecast => Peer::Icecast(Icecast::start(speech)?),
        Name::Nginx => Peer::Nginx(Nginx::start(&towns.plain.programme())?),
    })
}

fn bare_peer<'a>(wish: &Wish, towns: &'a Towns, groups: usize) -> anyhow::Result<Peer<'a>> {
    let address = free_address();
    let running = bare::start(address, &towns.plain.programme(), Duration::from_millis(wish.cadence_ms), groups)?;
    let crowd = crowd::Wish { server: address, host: address.to_string(), raw: true, ..towns.plain.crowd("64", 0, 1.0)? };
    Ok(Peer::Bare(running, crowd))
}

fn sample(peer: &Peer<'_>, wish: &Wish) -> anyhow::Result<Sample> {
    let (listeners, joins) = (wish.listeners, wish.joins_per_second);
    match peer {
        Peer::Bare(running, crowd) => {
            stream(&crowd::Wish { listeners, joins_per_second: joins, ..crowd.clone() }, &[running.id()], wish.window)
        }
        Peer::Town(town) => stream(&town.crowd("64", listeners, joins)?, &town.relays(), wish.window),
        Peer::Icecast(icecast) => stream(&icecast.crowd(listeners, joins.min(ICECAST_JOINS_PER_SECOND)), &icecast.pids(), wish.window),
        Peer::Nginx(nginx) => played(nginx, listeners, wish.window),
    }
}

/// A window over listeners of an endless stream.
fn stream(wish: &crowd::Wish, server: &[u32], window: Duration) -> anyhow::Result<Sample> {
    let mut crowd = Crowd::start(wish, 1)?;
    let joined_seconds = crowd.wait_heard(JOIN)?;
    patience::pause(SETTLE)?;
    let (before, meter) = (crowd.tally(), Meter::start(server));
    patience::pause(window)?;
    let (taken, after) = (meter.read(), crowd.tally());
    let last = crowd.leave();
    if faults(&last) > 0 {
        say(&format!("  {}", troubles(&last)));
    }
    let bytes_per_second = (after.bytes - before.bytes) as f64 / taken.seconds / wish.listeners as f64;
    let first_p99_ms = last.first_audio_ms.percentile(99).map_or(f64::NAN, f64::from);
    Ok(made(taken, wish.listeners, bytes_per_second, joined_seconds, first_p99_ms, faults(&last)))
}

/// A window over players of parts.
fn played(nginx: &Nginx, listeners: usize, window: Duration) -> anyhow::Result<Sample> {
    let players = Players::start(nginx.address, listeners)?;
    players.wait_playing(listeners, JOIN)?;
    patience::pause(SETTLE)?;
    let (before, meter) = (players.count(), Meter::start(&nginx.pids()));
    patience::pause(window)?;
    let (taken, after) = (meter.read(), players.count());
    let bytes_per_second = (after.bytes - before.bytes) as f64 / taken.seconds / listeners as f64;
    Ok(made(taken, listeners, bytes_per_second, f64::NAN, f64::NAN, after.late - before.late + after.faults))
}

fn made(taken: Taken, listeners: usize, bytes_per_second: f64, joined_seconds: f64, first_p99_ms: f64, faults: u64) -> Sample {
    let machine_percent = taken.machine_percent;
    Sample { us: taken.us_per(listeners), bytes_per_second, joined_seconds, first_p99_ms, machine_percent, faults }
}

impl Rounds {
    fn medians(&self, name: Name, of: impl Fn(&Sample) -> f64) -> Option<f64> {
        let samples = &self.rows.iter().find(|(other, ..)| *other == name)?.1;
        median(&samples.iter().flatten().map(of).filter(|value| value.is_finite()).collect::<Vec<_>>())
    }

    /// Processor time of one for a listener and second, in microseconds.
    pub(crate) fn us(&self, name: Name) -> Option<f64> {
        self.medians(name, |sample| sample.us)
    }

    /// The median of the ratios, each of two windows of the same round.
    fn ratio(&self, name: Name, to: Name) -> Option<f64> {
        let samples = |name| self.rows.iter().find(|(other, ..)| *other == name).map(|(_, samples, _)| samples);
        let pairs = samples(name)?.iter().zip(samples(to)?).filter_map(|(one, other)| one.zip(*other));
        median(&pairs.map(|(one, other)| one.us / other.us).collect::<Vec<_>>())
    }

    pub(crate) fn figures(&self) -> Vec<Figure> {
        let rows = [
            ("CPU against the bare loop, plain", Name::Plain, Name::Bare, 1.15),
            ("CPU against the bare loop, TLS", Name::Tls, Name::Bare, 1.6),
            ("CPU against icecast2, both at 1 s", Name::Plain, Name::Icecast, 1.0),
            ("CPU at 2 s against icecast2 at 1 s", Name::PlainSlow, Name::Icecast, 0.55),
            ("CPU against nginx with LL-HLS, both at 1 s", Name::Plain, Name::Nginx, 0.2),
        ];
        rows.into_iter().map(|(what, one, other, most)| Figure::new(what, self.ratio(one, other), "×", Goal::AtMost(most))).collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut text = "| server | µs per listener and second | least, most | bytes per listener and second | machine busy | faults |\n\
                        |---|---|---|---|---|---|\n"
            .to_owned();
        for (name, samples, trouble) in &self.rows {
            let us: Vec<f64> = samples.iter().flatten().map(|sample| sample.us).collect();
            let said = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
            let (least, most) = (us.iter().copied().reduce(f64::min), us.iter().copied().reduce(f64::max));
            text += &format!(
                "| {} | {} | {}, {} | {} | {} % | {}{} |\n",
                name.text(),
                said(median(&us)),
                said(least),
                said(most),
                said(self.medians(*name, |sample| sample.bytes_per_second)),
                said(self.medians(*name, |sample| sample.machine_percent)),
                samples.iter().flatten().map(|sample| sample.faults).sum::<u64>(),
                trouble.as_ref().map_or_else(String::new, |why| format!("; {why}")),
            );
        }
        text
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let rows = self.rows.iter().map(|(name, samples, trouble)| {
            let row = serde_json::json!({
                "us_per_listener_second": self.us(*name),
                "rounds": samples.iter().map(|sample| sample.map(|sample| sample.us)).collect::<Vec<_>>(),
                "bytes_per_listener_second": self.medians(*name, |sample| sample.bytes_per_second),
                "all_heard_after_seconds": self.medians(*name, |sample| sample.joined_seconds),
                "first_sound_p99_ms": self.medians(*name, |sample| sample.first_p99_ms),
                "faults": samples.iter().flatten().map(|sample| sample.faults).sum::<u64>(),
                "trouble": trouble,
            });
            (name.word().to_owned(), row)
        });
        serde_json::Value::Object(rows.collect())
    }
}
