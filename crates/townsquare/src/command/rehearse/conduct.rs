//! The conductor: starts the parts, follows what they count, looks at the server, and sums it all up.

use super::parts::{self, News, Part};
use super::screen::Screen;
use super::server::{self, Sight, Watch};
use super::{Args, plan};
use anyhow::{Context as _, bail};
use base::Rung;
use rehearsal::page::{self, Moment};
use rehearsal::verdict::{self, Case, Server, Summary, forecast, grouped};
use rehearsal::{Order, Tally};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Pieces of news that wait.
const WAITING_MAX: usize = 1_024;

/// How often everything is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long the last may take to hear something after the last was to come.
const LATE_MAX: Duration = Duration::from_secs(20);

/// How long parts may take to say their last and leave.
const LEAVE_MAX: Duration = Duration::from_secs(10);

/// What came out.
pub(super) struct Outcome {
    pub(super) summary: Summary,
    pub(super) sentence: String,
    moments: Vec<Moment>,
    listeners: u64,
    price_per_gb: f64,
}

impl Outcome {
    /// The answer for people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![self.sentence.clone()];
        for hour in forecast(self.listeners, self.price_per_gb) {
            let (rung, line) = (hour.rung, verdict::bits(hour.line_bits));
            lines.push(format!("  at {rung} kbit/s: {line}, {:.1} GB and {:.2} an hour", hour.gigabytes, hour.cost));
        }
        lines.join("\n")
    }

    /// The page with plots.
    pub(super) fn page(&self, stream: &str, price_per_gb: f64) -> String {
        page::render(&page::Report {
            stream,
            sentence: &self.sentence,
            summary: &self.summary,
            moments: &self.moments,
            forecast: &forecast(self.listeners, price_per_gb),
        })
    }
}

/// Runs a rehearsal from the first who comes to the last who leaves.
pub(super) fn run(args: &Args, order: Order, rung: Rung) -> anyhow::Result<Outcome> {
    let (tell, news) = mpsc::sync_channel(WAITING_MAX);
    let interrupted = tell.clone();
    crate::command::interrupt::listen(move || drop(interrupted.send(News::Interrupted)))?;
    let screen = Screen::new(order.listeners as u64, args.attended);
    let watch = Watch::new(args.data.as_deref(), order.server);
    let helpers = helpers(args, &screen)?;
    let before = watch.look();
    // One share for each machine: this one and those that joined.
    let mut shares = plan::divide(&order, helpers.len() + 1).into_iter();
    let mine = shares.next().context("a crowd of nobody")?;
    let mut parts = parts::start(&mine, 0, &tell)?;
    for (stream, share) in helpers.into_iter().zip(shares) {
        // Another machine's addresses are its own matter.
        let share = Order { sources: Vec::new(), ..share };
        let number = parts.len();
        parts.push(parts::hand_over(stream, &share, number, &tell)?);
    }
    let expected = Duration::from_secs_f64((order.listeners as f64 / order.joins_per_second).min(1e6)) + LATE_MAX;
    let mut run = Run {
        tallies: vec![Tally::default(); parts.len()],
        asked: order.listeners as u64,
        gone: 0,
        began: Instant::now(),
        watch,
        before,
        screen,
        moments: Vec::new(),
        held: None,
        last: Last::default(),
    };
    run.listen(&news, expected, Duration::from_secs_f64(args.seconds.min(1e6)))?;
    let (tally, seconds, server) = run.leave(&news, &mut parts);
    run.screen.clear();
    let case = Case { tally: &tally, server, machine: before.and_then(|_| server::machine()), rung, line_bits: line_bits(args.line) };
    Ok(Outcome {
        summary: Summary::of(&tally, seconds, server),
        sentence: verdict::sentence(&case),
        moments: run.moments,
        listeners: tally.asked,
        price_per_gb: args.price_per_gb,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number; casts saturate")]
fn line_bits(gbit: f64) -> u64 {
    (gbit * 1e9) as u64
}

/// Waits for the machines that help.
fn helpers(args: &Args, screen: &Screen) -> anyhow::Result<Vec<std::net::TcpStream>> {
    let Some(address) = args.conduct.filter(|_| args.helpers > 0) else { return Ok(Vec::new()) };
    let door = TcpListener::bind(address).with_context(|| format!("{address} can't be listened at"))?;
    let mut streams = Vec::new();
    while streams.len() < args.helpers {
        screen.say(&format!("{} of {} machines have joined at {address}", streams.len(), args.helpers));
        streams.push(door.accept().context("a machine can't join")?.0);
    }
    Ok(streams)
}

/// What was at the last look, from which each moment is a step.
#[derive(Default)]
struct Last {
    at: Duration,
    tally: Tally,
    sight: Option<Sight>,
}

/// When all had come.
struct Held {
    since: Instant,
    sight: Option<Sight>,
    /// The sum of those who heard at each look, and how many looks: their mean.
    heard: (u64, u64),
}

struct Run {
    tallies: Vec<Tally>,
    asked: u64,
    /// Parts that have ended.
    gone: usize,
    began: Instant,
    watch: Watch,
    before: Option<Sight>,
    screen: Screen,
    moments: Vec<Moment>,
    held: Option<Held>,
    last: Last,
}

impl Run {
    /// Until all have listened for so long, or somebody interrupts.
    fn listen(&mut self, news: &Receiver<News>, expected: Duration, seconds: Duration) -> anyhow::Result<()> {
        loop {
            let end = self.held.as_ref().map(|held| held.since + seconds);
            let next = self.last.at + LOOK;
            let due = end.map_or(self.began + next, |end| end.min(self.began + next));
            match news.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(News::Counted(part, tally)) => self.tallies[part] = *tally,
                Ok(News::Ended(part)) => bail!("part {part} of the crowd ended by itself"),
                Ok(News::Interrupted) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Ok(());
            }
            if now.duration_since(self.began) >= next {
                self.look(now, seconds);
            }
            let tally = self.tally();
            if self.held.is_none() && (tally.heard >= self.asked || now.duration_since(self.began) > expected) {
                self.held = Some(Held { since: now, sight: self.watch.look(), heard: (0, 0) });
            }
            if tally.ended >= self.asked {
                return Ok(());
            }
        }
    }

    /// Lets everybody go; gives what was counted, the seconds that all listened, and what the server took for it.
    fn leave(&mut self, news: &Receiver<News>, parts: &mut [Part]) -> (Tally, f64, Server) {
        let sight = self.watch.look();
        let seconds = self.held.as_ref().map_or(0.0, |held| held.since.elapsed().as_secs_f64());
        parts.iter_mut().for_each(Part::leave);
        let patience = Instant::now() + LEAVE_MAX;
        while self.gone < parts.len()
            && let Some(left) = patience.checked_duration_since(Instant::now())
        {
            match news.recv_timeout(left) {
                Ok(News::Counted(part, tally)) => self.tallies[part] = *tally,
                Ok(News::Ended(_)) => self.gone += 1,
                Ok(News::Interrupted) => {}
                Err(_) => break,
            }
        }
        let tally = self.tally();
        let server = self.server(&tally, seconds, sight);
        (tally, seconds, server)
    }

    fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.tallies.iter().for_each(|tally| sum.add(tally));
        sum.asked = self.asked;
        sum
    }

    /// The server's figures, each where it can be told.
    fn server(&self, tally: &Tally, seconds: f64, after: Option<Sight>) -> Server {
        let Some(((before, after), held)) = self.before.zip(after).zip(self.held.as_ref()) else { return Server::default() };
        let (sum, looks) = held.heard;
        let heard = if looks > 0 { sum as f64 / looks as f64 } else { tally.hearing as f64 };
        // A relay that was replaced meanwhile began its count again.
        let cpu_us = held.sight.and_then(|sight| after.cpu_us.checked_sub(sight.cpu_us));
        let each = |bytes: u64| (tally.hearing > 0).then(|| bytes / tally.hearing);
        Server {
            cpu_us_per_listener_second: cpu_us
                .filter(|_| heard > 0.0 && seconds > 0.0)
                .map(|micros| (micros as f64 / heard / seconds * 1_000.0).round() / 1_000.0),
            user_bytes_per_listener: each(after.user_bytes.saturating_sub(before.user_bytes)),
            kernel_bytes_per_listener: each(after.kernel_bytes.saturating_sub(before.kernel_bytes)),
        }
    }

    /// Notes one moment for the page, and shows it.
    fn look(&mut self, now: Instant, seconds: Duration) {
        let (at, tally, sight) = (now.duration_since(self.began), self.tally(), self.watch.look());
        let span = (at - self.last.at).as_secs_f64().max(0.001);
        let percent = |now: u64, then: u64| now.saturating_sub(then) as f64 / span / 10_000.0;
        let first = tally.first_audio_ms.since(&self.last.tally.first_audio_ms);
        let cadence = tally.cadence_ms.since(&self.last.tally.cadence_ms);
        self.moments.push(Moment {
            second: at.as_secs_f64(),
            joined: tally.joined,
            hearing: tally.hearing,
            first_audio_p99_ms: first.percentile(99),
            cadence_p50_ms: cadence.percentile(50),
            cadence_max_ms: cadence.max(),
            gaps: tally.gaps,
            faults: tally.repeats + tally.stalls + tally.disconnects,
            server_cpu_percent: sight.zip(self.last.sight).map(|(now, then)| percent(now.cpu_us, then.cpu_us)),
            crowd_cpu_percent: percent(tally.crowd_cpu_us, self.last.tally.crowd_cpu_us),
            user_bytes: sight.map(|sight| sight.user_bytes),
            kernel_bytes: sight.map(|sight| sight.kernel_bytes),
        });
        if let Some(held) = &mut self.held {
            held.heard = (held.heard.0 + tally.hearing, held.heard.1 + 1);
        }
        let left = self.held.as_ref().map(|held| (seconds.saturating_sub(held.since.elapsed())).as_secs_f64());
        self.screen.show(&tally, left);
        tracing::debug!(hearing = grouped(tally.hearing), "rehearsing");
        self.last = Last { at, tally, sight };
    }
}
