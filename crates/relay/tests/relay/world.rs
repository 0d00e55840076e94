//! The test world: a data directory, a stage that writes, a worker, clients.

use base::{Epoch, EventId, FragmentNumber, MediaTime, Rung, UnixMillis};
use programme::index::Source;
use programme::write::{Append, Lengths, Opening};
use programme::{Announcement, Writer, announcement::Delay, announcement::Visibility};
use relay::{Config, Worker};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The wall clock when a world begins.
pub(crate) const WALL: i64 = 1_763_683_200_000;

/// What a turn takes when nothing happens.
const TURN: Duration = Duration::from_millis(5);

/// A machine that is stuck, not slow: only then a test gives up.
const STUCK: Duration = Duration::from_secs(60);

/// A directory that is removed with the world.
pub(crate) struct Directory(pub PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("townsquare-relay-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A worker and what it serves.
pub(crate) struct World {
    pub(crate) directory: Directory,
    pub(crate) worker: Worker,
    /// Workers that share its listening socket.
    pub(crate) others: Vec<Worker>,
    listener: OwnedFd,
    pub(crate) address: SocketAddr,
    /// Time that has passed: a little with each turn, and what a test lets pass. How fast the machine is does not matter.
    pub(crate) skipped: Duration,
    /// How long each turn is said to take.
    pub(crate) took: Duration,
    start: Instant,
}

/// The keys that worlds check tickets with.
pub(crate) fn keys() -> gate::Keys {
    gate::Keys::new([7; 32])
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_tls(None)
    }

    /// A world whose worker may use so many descriptors.
    pub(crate) fn with_descriptors(descriptors: usize) -> Self {
        Self::with(None, Some(descriptors))
    }

    pub(crate) fn with_tls(tls: Option<relay::Tls>) -> Self {
        Self::with(tls, None)
    }

    fn with(tls: Option<relay::Tls>, descriptors: Option<usize>) -> Self {
        let directory = Directory::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (events, spill) = (directory.0.join("events"), directory.0.join("spill"));
        std::fs::create_dir_all(&events).unwrap();
        let start = Instant::now();
        let listener = OwnedFd::from(listener);
        let config = Config { events, spill, keys: Some(keys()), tls, copies: false, descriptors, cadence: None };
        let worker = Worker::new(config, vec![listener.try_clone().unwrap()], start, UnixMillis(WALL)).unwrap();
        Self { directory, worker, others: Vec::new(), listener, address, skipped: Duration::ZERO, took: Duration::ZERO, start }
    }

    /// A world without TLS that serves the same events.
    pub(crate) fn beside(&self) -> Self {
        let mut plain = Self::new();
        let (events, spill) = (self.directory.0.join("events"), self.directory.0.join("spill"));
        let config = Config { events, spill, keys: Some(keys()), tls: None, copies: false, descriptors: None, cadence: None };
        let listeners = vec![plain.listener.try_clone().unwrap()];
        plain.worker = Worker::new(config, listeners, plain.start, UnixMillis(WALL)).unwrap();
        plain
    }

    /// One more worker on the same socket; it turns with the first.
    pub(crate) fn add_worker(&mut self) {
        let (events, spill) = (self.directory.0.join("events"), self.directory.0.join("spill"));
        let config = Config { events, spill, keys: Some(keys()), tls: None, copies: false, descriptors: None, cadence: None };
        let listeners = vec![self.listener.try_clone().unwrap()];
        self.others.push(Worker::new(config, listeners, self.start, UnixMillis(WALL)).unwrap());
    }

    /// An event that is announced and not begun.
    pub(crate) fn announce(&self, visibility: Visibility, delay: Delay) -> Stage {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = EventId::from_random(NEXT.fetch_add(1, Ordering::Relaxed) << 20);
        let stage = Stage {
            id,
            disk: self.directory.0.join("events").join(id.to_string()),
            memory: self.directory.0.join("spill").join(id.to_string()),
            writer: Some(Writer::open(&Opening::fresh())),
            at: FragmentNumber(0),
        };
        std::fs::create_dir_all(&stage.disk).unwrap();
        let mut announcement = Announcement::new(id, "Town meeting", visibility, UnixMillis(WALL));
        announcement.plan.delay = delay;
        std::fs::write(stage.disk.join("event.json"), announcement.text()).unwrap();
        stage
    }

    /// A public event with so many fragments of rung 64.
    pub(crate) fn live(&self, fragments: u64) -> Stage {
        let mut stage = self.announce(Visibility::Public, Delay::None);
        stage.seal(&[Rung::R64], fragments);
        stage
    }

    pub(crate) fn now(&self) -> Instant {
        self.start + self.skipped
    }

    /// One turn of the loop.
    pub(crate) fn turn(&mut self) {
        self.skipped += TURN;
        let now = self.now();
        let wall = WALL + i64::try_from((now - self.start).as_millis()).unwrap();
        for worker in std::iter::once(&mut self.worker).chain(&mut self.others) {
            worker.wait(TURN).unwrap();
            worker.turn(now, UnixMillis(wall)).unwrap();
            worker.took(self.took);
        }
    }

    /// Turns until something is there.
    pub(crate) fn until<T>(&mut self, what: &str, mut there: impl FnMut(&mut Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = there(self) {
                return found;
            }
            assert!(begun.elapsed() < STUCK, "waited in vain: {what}");
            self.turn();
        }
    }

    /// Turns until the worker has seen the files as they are.
    pub(crate) fn settle(&mut self) {
        // The coarse look at all files is due after this, whatever inotify said.
        self.skipped += Duration::from_millis(300);
        self.turn();
        self.turn();
    }

    /// One slot passes: a fragment is sealed, and the worker sends it to those whose turn it is.
    pub(crate) fn slot(&mut self, stage: &mut Stage, rungs: &[Rung]) {
        stage.seal(rungs, 1);
        self.skipped += Duration::from_millis(200);
        self.turn();
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client { stream, received: Vec::new(), closed: false }
    }

    /// Opens a connection and asks.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str) -> Client {
        let mut client = self.connect();
        client.send(&format!("{method} {target} HTTP/1.1\r\nHost: relay\r\n{headers}\r\n"));
        client
    }

    /// Asks and waits for the whole answer.
    pub(crate) fn fetch(&mut self, method: &str, target: &str, headers: &str) -> Response {
        let mut client = self.ask(method, target, headers);
        self.until(target, |_| client.response(method == "HEAD"))
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.fetch("GET", target, "")
    }

    /// One value of the metrics.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let prefix = format!("townsquare_relay_{name} ");
        self.worker.metrics().lines().find_map(|line| line.strip_prefix(&prefix)?.parse().ok()).unwrap()
    }
}

/// A stage: it writes an event's files as the real one does.
pub(crate) struct Stage {
    pub(crate) id: EventId,
    pub(crate) disk: PathBuf,
    pub(crate) memory: PathBuf,
    writer: Option<Writer>,
    at: FragmentNumber,
}

impl Stage {
    /// Seals the next `count` slots on some rungs.
    pub(crate) fn seal(&mut self, rungs: &[Rung], count: u64) {
        for _ in 0..count {
            for frame in 0..10u64 {
                let at = MediaTime(self.at.start().0 + frame * 960);
                for &rung in rungs {
                    let packet = packet(rung, at);
                    let sealed = self.writer.as_mut().unwrap().push(at, rung, &packet).unwrap();
                    self.perform(sealed);
                }
            }
            self.at.0 += 1;
        }
    }

    /// A rung is asked for no more.
    pub(crate) fn stop(&mut self, rung: Rung) {
        let sealed = self.writer.as_mut().unwrap().stop(rung);
        self.perform(sealed);
    }

    /// The disk is full from now on.
    pub(crate) fn divert(&mut self) {
        std::fs::create_dir_all(&self.memory).unwrap();
        self.writer.as_mut().unwrap().divert(Vec::new());
    }

    /// The stage dies, the next one goes on after a number gap.
    pub(crate) fn reopen(&mut self, gap: u64) {
        let epoch = Epoch(self.writer.as_ref().unwrap().epoch().0 + 1);
        self.at.0 += gap;
        let length = |directory: &Path, kind: &str, rung: Rung| {
            std::fs::metadata(directory.join(format!("{rung}.{kind}"))).map_or(0, |file| file.len())
        };
        let lengths = |at: &Path| Rung::ALL.map(|rung| Lengths { media: length(at, "mp4", rung), index: length(at, "idx", rung) });
        self.writer = Some(Writer::open(&Opening { epoch, first: self.at, disk: lengths(&self.disk), memory: lengths(&self.memory) }));
    }

    /// The event is over.
    pub(crate) fn end(&mut self) {
        let (appends, _) = self.writer.take().unwrap().end();
        self.perform(appends);
    }

    /// A rung's file.
    pub(crate) fn file(&self, rung: Rung) -> Vec<u8> {
        std::fs::read(self.disk.join(format!("{rung}.mp4"))).unwrap()
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/live/{}{rest}", self.id)
    }

    fn perform(&self, appends: impl IntoIterator<Item = Append>) {
        for append in appends {
            let directory = match append.source {
                Source::Disk => &self.disk,
                Source::Memory => &self.memory,
            };
            write_at(&directory.join(format!("{}.mp4", append.rung)), &append.media, append.media_at);
            write_at(&directory.join(format!("{}.idx", append.rung)), &append.record, append.record_at);
        }
    }
}

/// A packet that says where it belongs.
pub(crate) fn packet(rung: Rung, at: MediaTime) -> Vec<u8> {
    let mut packet = vec![0xf8; rung.frame_bytes()];
    packet[1..9].copy_from_slice(&at.0.to_be_bytes());
    packet
}

fn write_at(path: &Path, bytes: &[u8], at: u64) {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

/// A client that reads only when it is told to.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) received: Vec<u8>,
    pub(crate) closed: bool,
}

impl Client {
    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Takes what has arrived.
    pub(crate) fn read(&mut self) {
        let mut bytes = [0; 16 * 1024];
        while !self.closed {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.closed = true,
                Ok(count) => self.received.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.closed = true,
            }
        }
    }

    /// The whole answer, once it is there; what follows it stays.
    pub(crate) fn response(&mut self, is_head: bool) -> Option<Response> {
        self.read();
        let end = self.received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
        let response = Response { head, body: Vec::new() };
        let has_body = !is_head && !matches!(response.status(), 204 | 304);
        let length = match response.header("Content-Length").filter(|_| has_body) {
            Some(length) => length.parse().unwrap(),
            None if has_body && !self.closed => return None,
            None if has_body => self.received.len() - end,
            None => 0,
        };
        let body = self.received.get(end..end + length)?.to_vec();
        self.received.drain(..end + length);
        Some(Response { body, ..response })
    }

    /// The body of an endless answer so far.
    pub(crate) fn body(&mut self) -> &[u8] {
        self.read();
        let end = self.received.windows(4).position(|four| four == b"\r\n\r\n").map_or(self.received.len(), |end| end + 4);
        &self.received[end..]
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status and `code` of a problem body.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("Content-Type"), Some("application/problem+json"), "{}", self.head);
        let code = self.text().split("\"code\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(self.text().contains(&format!("\"status\":{}", self.status())));
        (self.status(), code.to_owned())
    }
}

/// Numbers and frame sizes of the fragments in a stream's body behind its init segment.
pub(crate) fn fragments(body: &[u8]) -> Vec<(u64, usize)> {
    let mut found = Vec::new();
    let mut at = programme::init::segment().len().min(body.len());
    if body.get(at + 4..at + 8) == Some(b"free") {
        at += usize::try_from(u32::from_be_bytes(body[at..at + 4].try_into().unwrap())).unwrap();
    }
    while let Ok(fragment) = programme::fragment::find(body.get(at..).unwrap_or_default()) {
        found.push((fragment.number.0, fragment.frame_bytes));
        at += fragment.length();
    }
    found
}

/// A piece of a stream's body: a cadence that is announced, or a fragment's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Cadence(u64),
    Fragment(u64),
}

/// The pieces of a stream's body behind its init segment, from a place on, in order; and the place behind them.
pub(crate) fn pieces(body: &[u8], from: usize) -> (Vec<Piece>, usize) {
    let (mut found, mut at) = (Vec::new(), from.max(programme::init::segment().len()).min(body.len()));
    while let Ok(fragment) = programme::fragment::find(body.get(at..).unwrap_or_default()) {
        for facts in fragment.facts {
            let facts = std::str::from_utf8(&body[at..][facts]).unwrap();
            found.extend(facts.strip_prefix("{\"c\":").map(|rest| Piece::Cadence(rest.trim_end_matches('}').parse().unwrap())));
        }
        found.push(Piece::Fragment(fragment.number.0));
        at += fragment.payload.end;
    }
    (found, at)
}
