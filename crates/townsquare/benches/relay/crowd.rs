//! The crowd: processes of `townsquare rehearse`, led by the benchmark itself so that a window can be laid where all listen.

use crate::patience;
use crate::support::townsquare;
use anyhow::{Context as _, ensure};
use rehearsal::Tally;
use rehearsal::plan::{self, Mix, Order};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Descriptors that one process of the crowd may open.
const DESCRIPTORS: usize = 20_000;

/// How long the crowd may take to leave.
const LEAVE: Duration = Duration::from_secs(8);

/// Whom to listen to, and how many come how fast.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) server: SocketAddr,
    /// What the server is called.
    pub(crate) host: String,
    /// The stream's path.
    pub(crate) target: String,
    /// The certificate to trust, for TLS.
    pub(crate) trust: Option<String>,
    /// Whether any bytes count as sound.
    pub(crate) raw: bool,
    pub(crate) listeners: usize,
    pub(crate) joins_per_second: f64,
}

/// A crowd; it goes with the value.
pub(crate) struct Crowd {
    parts: Vec<Child>,
    heard: Arc<Mutex<Vec<Tally>>>,
    pub(crate) asked: usize,
    began: Instant,
}

impl Crowd {
    /// Sends a crowd on its way, in so many processes at least.
    pub(crate) fn start(wish: &Wish, processes: usize) -> anyhow::Result<Self> {
        let order = Order {
            server: wish.server,
            host: wish.host.clone(),
            target: wish.target.clone(),
            tls: wish.trust.is_some(),
            trust: wish.trust.clone(),
            listeners: wish.listeners,
            listeners_per_sample: plan::listeners_per_sample(wish.listeners),
            joins_per_second: wish.joins_per_second,
            mix: Mix::Stream,
            churn_percent: 0.0,
            slow_percent: 0.0,
            buffer_ms: 3_000,
            exit_surge: false,
            raw: wish.raw,
            sources: Vec::new(),
            seed: rand::random(),
        };
        let orders = plan::divide(&order, plan::processes(wish.listeners, DESCRIPTORS).max(processes));
        let heard = Arc::new(Mutex::new(vec![Tally::default(); orders.len()]));
        let mut crowd = Self { parts: Vec::new(), heard, asked: wish.listeners, began: Instant::now() };
        for order in &orders {
            crowd.part(order)?;
        }
        Ok(crowd)
    }

    fn part(&mut self, order: &Order) -> anyhow::Result<()> {
        let mut command = townsquare();
        command.arg("rehearse-part").stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().context("the crowd can't be started")?;
        let number = self.parts.len();
        self.parts.push(child);
        let child = &mut self.parts[number];
        let (mut input, output) = child.stdin.as_ref().zip(child.stdout.take()).context("a part has no pipes")?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        input.write_all(&line).context("a part of the crowd does not take its order")?;
        let heard = Arc::clone(&self.heard);
        std::thread::Builder::new().name(format!("part {number}")).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(tally) = serde_json::from_str(&line) else { return };
                heard.lock().expect("tallies")[number] = tally;
            }
        })?;
        Ok(())
    }

    /// What was counted, as each process said it within the last second.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.heard.lock().expect("tallies").iter().for_each(|tally| sum.add(tally));
        sum
    }

    /// Waits until everybody has heard something; the seconds that it took since the first set out.
    pub(crate) fn wait_heard(&mut self, patience: Duration) -> anyhow::Result<f64> {
        let asked = self.asked as u64;
        let waited = patience::until("everybody hears", patience, || {
            let ended = self.has_ended();
            (ended || self.tally().heard >= asked).then_some(ended)
        });
        let tally = self.tally();
        let ended = waited.with_context(|| format!("{} of {asked} hear; {}", tally.heard, troubles(&tally)))?;
        ensure!(!ended, "a part of the crowd has ended by itself");
        Ok(self.began.elapsed().as_secs_f64())
    }

    /// Whether a part of it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.parts.iter_mut().any(|part| !matches!(part.try_wait(), Ok(None)))
    }

    /// Lets everybody go; gives what was counted last.
    pub(crate) fn leave(mut self) -> Tally {
        for part in &mut self.parts {
            if let Some(input) = part.stdin.as_mut() {
                let _ = input.write_all(b"leave\n");
            }
        }
        let end = Instant::now() + LEAVE;
        while Instant::now() < end && self.parts.iter_mut().any(|part| matches!(part.try_wait(), Ok(None))) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.tally()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for part in &mut self.parts {
            let _ = part.kill();
        }
        for part in &mut self.parts {
            let _ = part.wait();
        }
    }
}

/// What went wrong, for a person.
pub(crate) fn troubles(tally: &Tally) -> String {
    let rows = [
        ("gaps", tally.gaps),
        ("repeats", tally.repeats),
        ("stalls", tally.stalls),
        ("lost connections", tally.disconnects),
        ("refused", tally.refused),
        ("unreachable", tally.unreachable),
        ("without port or descriptor", tally.exhausted),
        ("no stream", tally.foreign),
    ];
    let said: Vec<String> = rows.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
    if said.is_empty() { "no fault".to_owned() } else { said.join(", ") }
}

/// Gaps, repeats, stalls and lost connections: what a listener would notice.
pub(crate) const fn faults(tally: &Tally) -> u64 {
    tally.gaps + tally.repeats + tally.stalls + tally.disconnects
}
