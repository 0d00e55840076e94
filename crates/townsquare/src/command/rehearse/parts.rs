//! The parts of a crowd, on this machine and on others, as the conductor sees them: orders out, tallies in.

use anyhow::Context as _;
use rehearsal::Tally;
use rehearsal::plan::{self, Order};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::SyncSender;

/// What a part says.
pub(super) enum News {
    /// The part with this number has counted this.
    Counted(usize, Box<Tally>),
    /// The part with this number has ended.
    Ended(usize),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// Where a part's orders go; closed, it leaves.
enum Line {
    Process(Child),
    Machine(TcpStream),
}

/// One part.
pub(super) struct Part(Line);

impl Part {
    /// Tells it to leave.
    pub(super) fn leave(&mut self) {
        // A part that is gone already has left.
        let _ = match &mut self.0 {
            Line::Process(child) => child.stdin.as_mut().map_or(Ok(()), |input| input.write_all(b"leave\n")),
            Line::Machine(stream) => stream.write_all(b"leave\n"),
        };
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Line::Process(child) = &mut self.0 {
            // Its input closes, and it leaves; what does not is ended.
            drop(child.stdin.take());
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Descriptors that a process here may open; the limit is raised to what is allowed.
pub(super) fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let now = getrlimit(Resource::Nofile).current;
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

/// Starts as many processes here as an order takes.
pub(super) fn start(order: &Order, first: usize, tell: &SyncSender<News>) -> anyhow::Result<Vec<Part>> {
    let orders = plan::divide(order, plan::processes(order.listeners, descriptors()));
    let program = std::env::current_exe().context("this program can't find itself")?;
    orders
        .iter()
        .enumerate()
        .map(|(nth, order)| {
            let mut command = Command::new(&program);
            command.arg("rehearse-part").stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().context("the crowd can't be started")?;
            let (input, output) = child.stdin.as_mut().zip(child.stdout.take()).context("a part has no pipes")?;
            send(input, order)?;
            hear::<ChildStdout>(first + nth, output, tell)?;
            Ok(Part(Line::Process(child)))
        })
        .collect()
}

/// Hands an order to another machine.
pub(super) fn hand_over(stream: TcpStream, order: &Order, number: usize, tell: &SyncSender<News>) -> anyhow::Result<Part> {
    send(&mut &stream, order)?;
    hear(number, stream.try_clone()?, tell)?;
    Ok(Part(Line::Machine(stream)))
}

fn send(into: &mut impl Write, order: &Order) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    into.write_all(&line).context("a part of the crowd does not take its order")
}

/// Reads what a part counts on a thread of its own.
fn hear<R: Read + Send + 'static>(number: usize, from: R, tell: &SyncSender<News>) -> anyhow::Result<()> {
    let tell = tell.clone();
    let listen = move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let Ok(tally) = serde_json::from_str(&line) else { break };
            if tell.send(News::Counted(number, Box::new(tally))).is_err() {
                return;
            }
        }
        let _ = tell.send(News::Ended(number));
    };
    std::thread::Builder::new().name(format!("part {number}")).spawn(listen)?;
    Ok(())
}
