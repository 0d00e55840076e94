//! `townsquare rehearse --join`: this machine's share of a crowd that is conducted elsewhere.

use super::parts::{self, News};
use anyhow::Context as _;
use rehearsal::{Order, Tally};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Tallies that wait to be added up.
const WAITING_MAX: usize = 1_024;

/// How often the conductor is told.
const TELL: Duration = Duration::from_secs(1);

/// How long the conductor is waited for: machines are set off in any order.
const CONDUCTOR_MAX: Duration = Duration::from_secs(60);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// Takes the conductor's order, and tells what this machine's processes count until they are to leave.
pub(super) fn run(coordinator: &str) -> anyhow::Result<()> {
    let stream = connect(coordinator)?;
    let mut orders = BufReader::new(stream.try_clone()?);
    eprintln!("joined the rehearsal at {coordinator}; waiting for its order");
    let mut line = String::new();
    orders.read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line).with_context(|| format!("{coordinator} conducts no rehearsal"))?;
    let (tell, news) = mpsc::sync_channel(WAITING_MAX);
    let mut parts = parts::start(&order, 0, &tell)?;
    std::thread::Builder::new().name("orders".into()).spawn(move || {
        // To leave is the only order that follows; a conductor who is gone says the same.
        let _ = orders.read_line(&mut String::new());
        let _ = tell.send(News::Interrupted);
    })?;
    let mut tallies = vec![Tally::default(); parts.len()];
    let (mut left, mut told) = (parts.len(), Instant::now());
    while left > 0 {
        match news.recv_timeout(TELL) {
            Ok(News::Counted(part, tally)) => tallies[part] = *tally,
            Ok(News::Ended(_)) => left -= 1,
            Ok(News::Interrupted) => parts.iter_mut().for_each(parts::Part::leave),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        if told.elapsed() >= TELL || left == 0 {
            told = Instant::now();
            let mut sum = Tally::default();
            tallies.iter().for_each(|tally| sum.add(tally));
            let mut line = serde_json::to_vec(&sum)?;
            line.push(b'\n');
            (&stream).write_all(&line).context("the conductor is gone")?;
        }
    }
    Ok(())
}

fn connect(coordinator: &str) -> anyhow::Result<TcpStream> {
    let began = Instant::now();
    loop {
        match TcpStream::connect(coordinator) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && began.elapsed() < CONDUCTOR_MAX => std::thread::sleep(TRY_EVERY),
            other => return other.with_context(|| format!("nobody conducts at {coordinator}")),
        }
    }
}
