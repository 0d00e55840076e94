//! The role link: how a role and its supervisor talk (docs/formats.md, "The role link").
//!
//! This is the role's end: a thread of its own that connects again by itself, so that a supervisor may come and go.

mod standing;
pub(crate) mod wire;

pub(crate) use standing::Standing;

use crate::settings::Settings;
use base::fact::Fact;
use base::limit::{LINK_LINE_BYTES_MAX, LINK_LINES_MAX};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use wire::{FromRole, ToRole};

/// How often a beat goes out while the role's loop goes round.
const BEAT: Duration = Duration::from_millis(200);

/// How long the link waits before it connects again.
const RECONNECT: Duration = Duration::from_millis(100);

/// Which role a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleName {
    /// Speakers, mixers, encoders, files.
    Stage,
    /// Listeners.
    Relay,
    /// Pages, APIs, the database.
    Square,
    /// What other relays have.
    Copy,
}

impl RoleName {
    /// The name in commands, files and labels.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Relay => "relay",
            Self::Square => "square",
            Self::Copy => "copy",
        }
    }

    /// Every role.
    pub(crate) const ALL: [Self; 4] = [Self::Stage, Self::Relay, Self::Square, Self::Copy];

    /// How many listening sockets it inherits: the stage's UDP and TCP, the relay's and the square's TCP.
    pub(crate) const fn sockets(self) -> usize {
        match self {
            Self::Stage => 2,
            Self::Relay | Self::Square => 1,
            Self::Copy => 0,
        }
    }
}

/// What the supervisor says to a role.
#[derive(Debug)]
pub(crate) enum FromSupervisor {
    /// Another role's fact; listeners are the sum over all relay workers.
    Fact(Fact),
    /// A request on the internal address, to be answered with [`Link::answer`].
    Ask {
        /// Goes back with the answer.
        id: u64,
        /// `/healthz`, `/readyz` or `/metrics`.
        path: String,
    },
    /// Finish and exit.
    Stop,
}

/// A role's end of the link. Its thread connects again by itself for as long as the role lives.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    beats: AtomicU64,
    outbox: Mutex<Outbox>,
    wake: OwnedFd,
}

/// What waits for the link's thread. Facts that stand are said again at every connection; the rest is lost without one.
#[derive(Default)]
struct Outbox {
    connected: bool,
    lines: VecDeque<String>,
    standing: Standing,
}

impl Link {
    /// Opens the link on a thread of its own; the receiver gets what the supervisor says.
    pub(crate) fn open(settings: &Settings, role: RoleName, index: u32, sockets: Vec<OwnedFd>) -> (Self, mpsc::Receiver<FromSupervisor>) {
        let (heard, receiver) = mpsc::sync_channel(LINK_LINES_MAX);
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("the system gives an eventfd");
        let shared = Arc::new(Shared { beats: AtomicU64::new(0), outbox: Mutex::default(), wake });
        let run = settings.run_dir();
        let hello = FromRole::Hello { role, index, pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() }.line();
        let end = End { shared: Arc::clone(&shared), run_inode: inode(&run), run, hello, sockets, heard };
        std::thread::Builder::new().name("link".into()).spawn(move || end.keep()).expect("the system gives a thread");
        (Self { shared }, receiver)
    }

    /// Says that the loop which does the role's work has gone round. Cheap and without a lock: the link's own thread
    /// looks every 200 ms whether it was said.
    pub(crate) fn beat(&self) {
        self.shared.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells every other role a fact. What stands (an event is live, how many listen) is said again to the next
    /// supervisor; the rest is lost while there is none.
    pub(crate) fn tell(&self, fact: Fact) {
        let line = FromRole::Fact((&fact).into()).line();
        let mut outbox = self.shared.outbox();
        outbox.standing.note(fact);
        self.shared.push(outbox, line);
    }

    /// Answers a [`FromSupervisor::Ask`].
    pub(crate) fn answer(&self, id: u64, status: u16, body: String) {
        self.shared.push(self.shared.outbox(), FromRole::Answer { id, status, body }.line());
    }
}

impl Shared {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, mut outbox: MutexGuard<'_, Outbox>, line: String) {
        if !outbox.connected {
            return;
        }
        if outbox.lines.len() == LINK_LINES_MAX {
            outbox.lines.pop_front();
        }
        outbox.lines.push_back(line);
        drop(outbox);
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

/// What the link's thread owns.
struct End {
    shared: Arc<Shared>,
    run: PathBuf,
    run_inode: Option<u64>,
    hello: String,
    sockets: Vec<OwnedFd>,
    heard: mpsc::SyncSender<FromSupervisor>,
}

impl End {
    /// Connects again and again. A role whose directory is gone has nobody left to serve and ends.
    fn keep(self) {
        loop {
            if let Ok(stream) = UnixStream::connect(self.run.join("supervisor.sock")) {
                let ended = self.converse(&stream);
                let mut outbox = self.shared.outbox();
                outbox.connected = false;
                outbox.lines.clear();
                drop(outbox);
                tracing::debug!("the link ended: {}", ended.err().map_or_else(|| "closed".to_owned(), |error| error.to_string()));
            }
            if self.run_inode != inode(&self.run) {
                tracing::warn!("{} is gone; so is this role", self.run.display());
                std::process::exit(0);
            }
            std::thread::sleep(RECONNECT);
        }
    }

    fn converse(&self, stream: &UnixStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(Duration::from_secs(1)))?;
        self.say_hello(stream)?;
        let mut inbox = Vec::new();
        let mut beats = self.shared.beats.load(Ordering::Relaxed);
        let mut look_at = Instant::now();
        loop {
            let now = Instant::now();
            if now >= look_at {
                look_at = now + BEAT;
                let seen = self.shared.beats.load(Ordering::Relaxed);
                if seen != beats {
                    beats = seen;
                    (&mut &*stream).write_all(FromRole::Beat {}.line().as_bytes())?;
                }
            }
            let mut wanted = [PollFd::new(stream, PollFlags::IN), PollFd::new(&self.shared.wake, PollFlags::IN)];
            let timeout = rustix::time::Timespec::try_from(look_at.saturating_duration_since(now)).ok();
            match poll(&mut wanted, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [readable, woken] = wanted.map(|fd| !fd.revents().is_empty());
            if woken {
                let _ = rustix::io::read(&self.shared.wake, &mut [0u8; 8]);
                let lines = std::mem::take(&mut self.shared.outbox().lines);
                for line in lines {
                    (&mut &*stream).write_all(line.as_bytes())?;
                }
            }
            if readable && !self.listen(stream, &mut inbox)? {
                return Ok(());
            }
        }
    }

    /// The first line, the sockets beside it, and the facts that stand.
    fn say_hello(&self, stream: &UnixStream) -> std::io::Result<()> {
        let fds: Vec<BorrowedFd<'_>> = self.sockets.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(std::io::Error::other("too many sockets for one message"));
        }
        let sent = sendmsg(stream, &[IoSlice::new(self.hello.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
        let rest = self.hello.as_bytes().get(sent..).unwrap_or_default();
        (&mut &*stream).write_all(rest)?;
        let mut outbox = self.shared.outbox();
        outbox.connected = true;
        let standing: Vec<String> = outbox.standing.facts().iter().map(|fact| FromRole::Fact(fact.into()).line()).collect();
        outbox.lines.extend(standing);
        drop(outbox);
        let _ = rustix::io::write(&self.shared.wake, &1u64.to_ne_bytes());
        Ok(())
    }

    /// Reads what is there and hands over its whole lines; false at the end.
    fn listen(&self, mut stream: &UnixStream, inbox: &mut Vec<u8>) -> std::io::Result<bool> {
        let mut bytes = [0u8; 16 * 1024];
        let count = stream.read(&mut bytes)?;
        inbox.extend_from_slice(&bytes[..count]);
        for line in wire::lines(inbox, LINK_LINE_BYTES_MAX)? {
            match ToRole::read(&line)? {
                // A role that is behind loses facts and questions rather than its beats.
                ToRole::Fact(fact) => fact.known().map_or((), |fact| drop(self.heard.try_send(FromSupervisor::Fact(fact)))),
                ToRole::Ask { id, path } => drop(self.heard.try_send(FromSupervisor::Ask { id, path })),
                ToRole::Stop {} => drop(self.heard.send(FromSupervisor::Stop)),
            }
        }
        Ok(count > 0)
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.ino())
}

#[cfg(test)]
mod tests;
