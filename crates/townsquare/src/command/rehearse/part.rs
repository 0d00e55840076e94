//! `townsquare rehearse-part`: one process of a crowd. Nobody types this.

use crate::session;
use anyhow::Context as _;
use rehearsal::{Crowd, Order};
use std::io::{BufRead as _, Write as _};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

/// How often the conductor is told what was counted.
const TELL: Duration = Duration::from_secs(1);

/// Longer than leaving takes.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// Plays its part until it is told to leave, or nobody conducts any more.
pub(in crate::command) fn run() -> anyhow::Result<()> {
    stand_alone();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line).context("a part of a crowd is started by townsquare rehearse alone")?;
    let leave = leave();
    let mut crowd = Crowd::new(order, Instant::now())?;
    let mut told = Instant::now();
    let mut leaving: Option<Instant> = None;
    loop {
        crowd.wait(TELL)?;
        let now = Instant::now();
        crowd.turn(now);
        if leaving.is_none() && leave.try_recv() != Err(TryRecvError::Empty) {
            // What was heard is told before anybody goes.
            let _ = tell(&mut crowd);
            crowd.leave();
            leaving = Some(now);
        }
        if leaving.is_some_and(|since| crowd.is_gone() || now.duration_since(since) > LEAVE_MAX) {
            return Ok(());
        }
        if now.duration_since(told) >= TELL {
            told += TELL;
            // Nobody conducts any more: there is nobody to complain to either.
            if leaving.is_none() && tell(&mut crowd).is_err() {
                return Ok(());
            }
        }
    }
}

/// Takes a session of its own: Ctrl-C is for the conductor, who then lets the crowd go, and all of a crowd together would get no more of the
/// processors than one relay worker.
fn stand_alone() {
    if rustix::process::setsid().is_ok() {
        session::weigh();
    }
}

fn tell(crowd: &mut Crowd) -> std::io::Result<()> {
    let mut tally = crowd.tally();
    tally.crowd_cpu_us = super::server::cpu_micros(std::process::id()).unwrap_or_default();
    let mut line = serde_json::to_vec(&tally)?;
    line.push(b'\n');
    std::io::stdout().lock().write_all(&line)
}

/// Says when it is time to leave: a line on the input, or its end.
fn leave() -> Receiver<()> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::stdin().lock().read_line(&mut line);
        let _ = tell.send(());
    });
    told
}
