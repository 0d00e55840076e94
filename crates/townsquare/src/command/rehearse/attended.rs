//! `townsquare rehearse-event`: a whole rehearsal for the square that started it. Nobody types this.
//!
//! It is told what to do as one line of JSON on its input, plays the test sound on the stage that it is given, sends the crowd, tells
//! each second how it goes, and ends early when its input does: a square that is gone leaves nothing behind that runs.

use super::{Args, Profile, conduct, door, order};
use crate::command::http::{ANSWER_MAX, Refused, agent, good, link};
use crate::command::speak::{TestSound, Ticket};
use anyhow::{Context as _, bail};
use base::{FaultKind, Rung};
use rustix::process::{Signal, getpid, kill_process, setpriority_process};
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use url::Url;

/// How much the crowd stands back from whoever else works on this machine.
const CROWD_NICE: i32 = 10;

/// How long the stage may take until it can be heard.
const LIVE_MAX: Duration = Duration::from_secs(20);

const LOOK: Duration = Duration::from_millis(200);

/// What the square asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// The stage, for the test sound.
    pub(crate) stage: Ticket,
    /// The stream, for the crowd.
    pub(crate) stream: String,
    pub(crate) listeners: u32,
    pub(crate) seconds: u32,
    /// Where the report is to be.
    pub(crate) report: PathBuf,
    /// The server's data directory.
    pub(crate) data: PathBuf,
    /// The certificates that the server itself speaks with.
    pub(crate) ca: Option<PathBuf>,
}

/// What the square is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
    /// How it goes.
    Moment { joined: u64, hearing: u64, faults: u64, left_seconds: Option<f64> },
    /// What came out, once the report is written.
    Verdict(String),
}

/// Does what its input asks for.
pub(in crate::command) fn run() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let wish: Wish = serde_json::from_str(&line).context("a rehearsal of an event is started by the square alone")?;
    std::thread::Builder::new().name("input".into()).spawn(end_with_input)?;
    let ca = wish.ca.as_deref();
    let stream = link(&wish.stream, "stream")?;
    let token = wish.stage.token.clone();
    let sound = TestSound::start(wish.stage, ca)?;
    // Of this thread alone, and of the crowd's processes, which it starts: the test sound must come in time.
    let _ = setpriority_process(None, CROWD_NICE);
    match until_live(&stream, &sound, ca) {
        Ok(true) => {}
        Ok(false) => return sound.end().and_then(|()| bail!("the test sound ended before anybody heard it")),
        Err(error) => return Err(error),
    }
    let args = crowd(wish.listeners, wish.seconds, wish.data, wish.ca.clone());
    let order = order(&args, &stream)?;
    door::may_rehearse(order.server.ip(), &stream, Some(&token), ca)?;
    let outcome = conduct::run(&args, order, Rung::R64)?;
    let server = stream.origin().ascii_serialization();
    std::fs::write(&wish.report, outcome.page(&server, args.price_per_gb))
        .with_context(|| format!("{} can't be written", wish.report.display()))?;
    sound.end().context("the test sound stopped")?;
    tell(&Line::Verdict(outcome.sentence));
    Ok(())
}

/// Tells the square; one that is gone hears nothing, and the end of the input says so.
pub(super) fn tell(line: &Line) {
    if let Ok(mut line) = serde_json::to_vec(line) {
        line.push(b'\n');
        let _ = std::io::stdout().lock().write_all(&line);
    }
}

/// The end of the input is a request to end, whatever is being done.
fn end_with_input() {
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    let _ = kill_process(getpid(), Signal::TERM);
}

/// Waits until the stream is there; false when the test sound has ended before.
fn until_live(stream: &Url, sound: &TestSound, ca: Option<&Path>) -> anyhow::Result<bool> {
    let agent = agent(ca)?.timeout_global(Some(ANSWER_MAX)).build().new_agent();
    let began = Instant::now();
    while !sound.has_ended() {
        let asked = agent.head(stream.as_str()).call().map_err(|error| Refused::unreachable(stream, error))?;
        match asked.status().as_u16() {
            200 => return Ok(true),
            status if status == FaultKind::EventNotLive.status() && began.elapsed() < LIVE_MAX => std::thread::sleep(LOOK),
            _ => drop(good(asked).context("the stream does not come")?),
        }
    }
    Ok(false)
}

/// A crowd as the page sends it: what else could be asked for is as usual.
fn crowd(listeners: u32, seconds: u32, data: PathBuf, ca: Option<PathBuf>) -> Args {
    Args {
        url: None,
        listeners,
        joins_per_second: None,
        seconds: seconds.into(),
        mix: Profile::Stream,
        churn: 0.0,
        slow: 0.0,
        exit_surge: false,
        buffer: 3_000,
        json: false,
        report: None,
        data: Some(data),
        token: None,
        ca,
        source: Vec::new(),
        line: 1.0,
        price_per_gb: 0.02,
        helpers: 0,
        conduct: None,
        join: None,
        raw: false,
        attended: true,
    }
}
