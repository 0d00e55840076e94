//! A data directory with one event, a role that plays on it, and what it kept.

use super::super::{Threads, serve_http};
use crate::settings::Settings;
use audio::opus::{Decoder, PACKET_SAMPLES_MAX};
use base::fact::Fact;
use base::plan::Plan;
use base::{Epoch, EventId, FragmentNumber, Rung, UnixMillis};
use gate::ticket::{Claims, Class, sign};
use programme::announcement::{Announcement, Visibility};
use programme::index::{Record, records};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than any step of a test on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct World {
    pub(super) event: EventId,
    pub(super) dir: PathBuf,
    keys: gate::Keys,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Plan::default())
    }

    pub(super) fn with(plan: Plan) -> Self {
        // The first of them wins, and all are the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let random = getrandom::u64().unwrap();
        let dir = std::env::temp_dir().join(format!("townsquare-stage-{random:016x}"));
        let event = EventId::from_random(random);
        let keys = gate::Keys::new([7; 32]);
        for name in ["keys", "run", "events"] {
            std::fs::create_dir_all(dir.join(name)).unwrap();
        }
        std::fs::create_dir_all(dir.join("events").join(event.to_string())).unwrap();
        std::fs::write(dir.join("keys/tickets"), keys.to_text()).unwrap();
        let announcement = Announcement { plan, ..Announcement::new(event, "A test", Visibility::Public, UnixMillis(1)) };
        std::fs::write(dir.join("events").join(event.to_string()).join("event.json"), announcement.text()).unwrap();
        Self { event, dir, keys }
    }

    /// A file of the event.
    pub(super) fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dir.join("events").join(self.event.to_string()).join(name)).unwrap()
    }

    pub(super) fn ticket(&self, class: &str) -> String {
        let class = match class {
            "host" => Class::Host,
            "speaker" => Class::Speaker,
            _ => Class::Listener,
        };
        sign(&self.keys, &Claims { event: self.event, class, id: 1, not_before: 0, not_after: u32::MAX })
    }

    pub(super) fn start(&self) -> Role<'_> {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let url = format!("http://{address}");
        let settings = Settings {
            data: self.dir.clone(),
            listen: address,
            relay_listen: address,
            stage_listen: address,
            internal_listen: address,
            public_url: url.clone(),
            relay_public_url: url.clone(),
            stage_public_url: url,
            stage_public_url_said: false,
            tls_cert: None,
            tls_key: None,
            database: String::new(),
            relay_workers: 1,
            cadence_millis: None,
            members_open_events: true,
            keep_replays_days: None,
            keys: None,
            copy: None,
        };
        let (told, facts) = channel();
        let threads = Threads::start(&settings, udp, || {}, move |fact| drop(told.send(fact))).unwrap();
        let http = serve_http(&settings, None, tcp, &threads).unwrap();
        Role { world: self, address, threads, http, facts }
    }

    /// What lies on the disk, decoded.
    pub(super) fn kept(&self) -> Kept {
        let dir = self.dir.join("events").join(self.event.to_string());
        let media = std::fs::read(dir.join("64.mp4")).unwrap();
        let index = std::fs::read(dir.join("64.idx")).unwrap();
        let mut kept = Kept { numbers: Vec::new(), epochs: Vec::new(), end: None, sound: Vec::new() };
        let mut decoder = Decoder::new().unwrap();
        for record in records(&index) {
            match record {
                Record::Fragment(entry) => {
                    kept.numbers.push(entry.number);
                    kept.epochs.push(entry.epoch);
                    let end = usize::try_from(entry.end()).unwrap();
                    let sound = Rung::R64.frames_per_fragment() * Rung::R64.frame_bytes();
                    for packet in media[end - sound..end].chunks_exact(Rung::R64.frame_bytes()) {
                        let mut samples = [0.0; PACKET_SAMPLES_MAX];
                        let count = decoder.decode(packet, &mut samples).unwrap();
                        kept.sound.extend_from_slice(&samples[..count]);
                    }
                }
                Record::End { number, .. } => kept.end = Some(number),
            }
        }
        kept.epochs.dedup();
        kept
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub(super) struct Kept {
    pub(super) numbers: Vec<FragmentNumber>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) end: Option<FragmentNumber>,
    pub(super) sound: Vec<f32>,
}

pub(super) struct Role<'a> {
    pub(super) world: &'a World,
    pub(super) address: SocketAddr,
    threads: Threads,
    http: tokio::runtime::Runtime,
    facts: Receiver<Fact>,
}

impl Role<'_> {
    pub(super) fn act(&self, class: &str, body: &str) {
        self.act_as(class, "", body);
    }

    pub(super) fn act_as(&self, class: &str, query: &str, body: &str) {
        let path = format!("/console/{}{query}", self.world.event);
        let answer = post(self.address, &path, &self.world.ticket(class), "application/json", body);
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "{body}");
    }

    /// The next fact, but for those about who is on stage.
    pub(super) fn next_fact(&self) -> Fact {
        let about_seats = |fact: &Fact| matches!(fact, Fact::Seats { .. });
        std::iter::repeat_with(|| self.facts.recv_timeout(PATIENCE).unwrap()).find(|fact| !about_seats(fact)).unwrap()
    }

    pub(super) fn console(&self, class: &str, query: &str) -> Console {
        let request = head("GET", &format!("/console/{}{query}", self.world.event), &self.world.ticket(class));
        let mut stream = connect(self.address);
        stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
        Console { lines: BufReader::new(stream) }
    }

    pub(super) fn stop(self) {
        self.http.shutdown_background();
        self.threads.finish();
    }
}

pub(super) struct Console {
    lines: BufReader<TcpStream>,
}

impl Console {
    /// The value of the next line that has this key.
    pub(super) fn next(&mut self, key: &str) -> serde_json::Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the stream ended before {key}");
            let value = serde_json::from_str::<serde_json::Value>(&line).unwrap_or_default();
            if let Some(value) = value.get(key) {
                return value.clone();
            }
        }
    }

    /// The next state of which this is true.
    pub(super) fn until(&mut self, holds: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let state = self.next("state");
            if holds(&state) {
                return state;
            }
            assert!(Instant::now() < give_up, "no such state; the last one is {state}");
        }
    }

    /// Whether nothing comes any more.
    pub(super) fn is_over(&mut self) -> bool {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).is_ok() && !rest.contains("state")
    }
}

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
    /// The same as it came.
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    }

    pub(super) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One request on a connection of its own.
pub(super) fn post(address: SocketAddr, path: &str, ticket: &str, kind: &str, body: &str) -> Answer {
    let mut stream = connect(address);
    let request =
        format!("{}Connection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", head("POST", path, ticket), body.len());
    stream.write_all(request.as_bytes()).unwrap();
    // A body that is refused at its size may not be read to its end.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |end| end + 4);
    let bytes = answer.split_off(end);
    let head = String::from_utf8(answer).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}

fn head(method: &str, path: &str, ticket: &str) -> String {
    let bearer = if ticket.is_empty() { String::new() } else { format!("Authorization: Bearer {ticket}\r\n") };
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
