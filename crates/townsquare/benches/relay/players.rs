//! Players of LL-HLS for a server of files: each second every player asks for the playlist, then for the newest part that it names, on a
//! connection that it keeps. They are spread evenly over the second. In a process of their own; told is, once a second, what came.

use crate::patience;
use crate::process::{Running, own_role};
use anyhow::{Context as _, bail, ensure};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with};
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Between two looks at who is due.
const TICK: Duration = Duration::from_millis(10);

/// Connections begun in one tick.
const CONNECTS_PER_TICK: usize = 30;

const READ_BYTES: usize = 256 * 1024;

/// What came so far.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Players that have had a whole part.
    pub(crate) playing: u64,
    pub(crate) parts: u64,
    pub(crate) bytes: u64,
    /// Turns that a player had to leave out, for the answers of the last one were still to come.
    pub(crate) late: u64,
    /// Connections that broke, and answers that were none.
    pub(crate) faults: u64,
}

/// The players, as who measures sees them.
pub(crate) struct Players {
    _process: Running,
    count: Arc<Mutex<Count>>,
}

impl Players {
    pub(crate) fn start(server: SocketAddr, players: usize) -> anyhow::Result<Self> {
        let mut command = own_role("players")?;
        command.arg(server.to_string()).arg(players.to_string()).stdout(Stdio::piped());
        let mut process = Running::start(&mut command)?;
        let output = process.0.stdout.take().context("the players have no pipe")?;
        let count = Arc::new(Mutex::new(Count::default()));
        let told = Arc::clone(&count);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(said) = serde_json::from_str(&line) else { return };
                *told.lock().expect("counts") = said;
            }
        });
        let players = Self { _process: process, count };
        Ok(players)
    }

    pub(crate) fn count(&self) -> Count {
        *self.count.lock().expect("counts")
    }

    pub(crate) fn wait_playing(&self, players: usize, patience: Duration) -> anyhow::Result<()> {
        patience::until("all play", patience, || (self.count().playing >= players as u64).then_some(()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Playlist,
    Part,
}

struct Player {
    fd: OwnedFd,
    state: State,
    plays: bool,
    /// What came of the answer, its head included; of a part the head alone, and how much is still to come.
    answer: Vec<u8>,
    left: usize,
    due: Instant,
}

struct Crowd {
    server: SocketAddr,
    epoll: OwnedFd,
    players: Vec<Player>,
    asked: usize,
    count: Count,
    buffer: Vec<u8>,
}

/// Plays the role until it is killed, or nobody reads what it tells.
pub(crate) fn run(words: &[String]) -> anyhow::Result<()> {
    let [server, players] = words else { bail!("players SERVER N") };
    let asked: usize = players.parse()?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut crowd =
        Crowd { server: server.parse()?, epoll, players: Vec::new(), asked, count: Count::default(), buffer: vec![0; READ_BYTES] };
    let mut ready = Vec::with_capacity(1_024);
    let mut ticked = Instant::now();
    let mut told = ticked;
    loop {
        let timeout = rustix::time::Timespec::try_from(TICK)?;
        ready.clear();
        match epoll::wait(&crowd.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &ready {
            crowd.read(usize::try_from(event.data.u64())?)?;
        }
        let now = Instant::now();
        if now.duration_since(ticked) >= TICK {
            ticked = now;
            crowd.tick(now)?;
        }
        if now.duration_since(told) >= Duration::from_secs(1) {
            told = now;
            println!("{}", serde_json::to_string(&crowd.count)?);
        }
    }
}

impl Crowd {
    fn tick(&mut self, now: Instant) -> anyhow::Result<()> {
        for _ in 0..CONNECTS_PER_TICK.min(self.asked - self.players.len()) {
            self.connect(now)?;
        }
        for key in 0..self.players.len() {
            let player = &mut self.players[key];
            if player.due > now {
                continue;
            }
            player.due += Duration::from_secs(1);
            if player.state == State::Idle {
                player.state = State::Playlist;
                self.ask(key, "64.m3u8");
            } else {
                self.count.late += 1;
            }
        }
        Ok(())
    }

    fn connect(&mut self, now: Instant) -> anyhow::Result<()> {
        let key = self.players.len();
        let fd = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // A source address for every 20,000, as each has some 28,000 ports.
        let neighbour = u8::try_from(key / 20_000 + 1)?;
        bind(&fd, &SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 99, 0, neighbour)), 0))?;
        connect(&fd, &self.server).context("a player can't connect")?;
        epoll::add(&self.epoll, &fd, EventData::new_u64(key as u64), EventFlags::IN | EventFlags::ET)?;
        let due = now + Duration::from_secs(1).mul_f64(key as f64 / self.asked as f64);
        self.players.push(Player { fd, state: State::Idle, plays: false, answer: Vec::new(), left: 0, due });
        Ok(())
    }

    fn ask(&mut self, key: usize, name: &str) {
        let request = format!("GET /live/{name} HTTP/1.1\r\nHost: {}\r\nUser-Agent: player/{key}\r\n\r\n", self.server);
        let player = &mut self.players[key];
        player.answer.clear();
        player.left = 0;
        let sent = send(&player.fd, request.as_bytes(), SendFlags::NOSIGNAL);
        self.count.faults += u64::from(!matches!(sent, Ok(count) if count == request.len()));
    }

    fn read(&mut self, key: usize) -> anyhow::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            match recv(&self.players[key].fd, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => bail!("the server has closed a player's connection"),
                Ok((count, _)) => {
                    self.count.bytes += count as u64;
                    self.take(key, &buffer[..count])?;
                    if count < READ_BYTES {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error).context("a player's connection is broken"),
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    fn take(&mut self, key: usize, bytes: &[u8]) -> anyhow::Result<()> {
        let player = &mut self.players[key];
        if player.answer.is_empty() {
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("a head that does not come whole")?;
            let text = std::str::from_utf8(&bytes[..head])?;
            ensure!(text.starts_with("HTTP/1.1 200"), "{}", text.lines().next().unwrap_or_default());
            let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: ")).context("an answer without a length")?;
            player.left = head + 4 + length.parse::<usize>()?;
        }
        player.left = player.left.saturating_sub(bytes.len());
        match player.state {
            State::Playlist => player.answer.extend_from_slice(bytes),
            State::Part => player.answer = vec![0],
            State::Idle => bail!("an answer that nobody asked for"),
        }
        if player.left > 0 {
            return Ok(());
        }
        if player.state == State::Playlist {
            player.state = State::Part;
            let text = String::from_utf8(std::mem::take(&mut player.answer))?;
            let name = text.rsplit_once("URI=\"").and_then(|(_, rest)| rest.split('"').next()).context("a playlist without parts")?;
            self.ask(key, name);
        } else {
            player.state = State::Idle;
            player.answer = Vec::new();
            self.count.parts += 1;
            self.count.playing += u64::from(!std::mem::replace(&mut player.plays, true));
        }
        Ok(())
    }
}
