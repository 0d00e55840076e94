//! Just enough of a square and a stage: the link's JSON, WHIP, the control stream, and one session over UDP and TCP.

use ingest::{Candidate, Input, Output, Purpose, Session, Transport, framing};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the stage does on purpose.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    /// After so many packets it forgets the session and cuts the control stream, once.
    pub(super) break_after: Option<usize>,
    /// After so many packets the event is over.
    pub(super) end_after: Option<usize>,
    /// Every offer is refused.
    pub(super) refuse: bool,
}

/// What the stage has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: Vec<String>,
    pub(super) keys: BTreeSet<String>,
    pub(super) timestamps: Vec<u32>,
    pub(super) transports: BTreeSet<Transport>,
    pub(super) energy: f32,
    live: bool,
    ended: bool,
    /// Counts the control streams that were cut.
    cut: u32,
}

struct Inside {
    manner: Manner,
    http: SocketAddr,
    udp: UdpSocket,
    tcp: SocketAddr,
    seen: Mutex<Seen>,
    session: Mutex<Option<Session>>,
    over: AtomicBool,
}

pub(super) struct Stage {
    inside: Arc<Inside>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Stage {
    pub(super) fn open(manner: Manner) -> Self {
        let http = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let (http_at, tcp_at) = (http.local_addr().unwrap(), tcp.local_addr().unwrap());
        let (seen, session, over) = (Mutex::default(), Mutex::new(None), AtomicBool::new(false));
        let inside = Arc::new(Inside { manner, http: http_at, udp, tcp: tcp_at, seen, session, over });
        let accepting = |listener: TcpListener, serve: fn(&Inside, TcpStream)| {
            let inside = Arc::clone(&inside);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if inside.over.load(Ordering::Relaxed) {
                        return;
                    }
                    let inside = Arc::clone(&inside);
                    std::thread::spawn(move || serve(&inside, stream.unwrap()));
                }
            })
        };
        let mut threads = vec![accepting(http, Inside::serve_http), accepting(tcp, Inside::serve_frames)];
        let media = Arc::clone(&inside);
        threads.push(std::thread::spawn(move || media.serve_datagrams()));
        Self { inside, threads }
    }

    pub(super) fn link(&self) -> String {
        format!("http://{}/stage/secret", self.inside.http)
    }

    pub(super) fn close(self) -> Seen {
        self.inside.over.store(true, Ordering::Relaxed);
        for address in [self.inside.http, self.inside.tcp] {
            drop(TcpStream::connect(address));
        }
        for thread in self.threads {
            thread.join().unwrap();
        }
        std::mem::take(&mut self.inside.seen.lock().unwrap())
    }
}

impl Inside {
    fn serve_http(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut authorized = first.starts_with("GET /stage/") || first.starts_with("GET /whip/");
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                break;
            }
            let line = line.trim().to_ascii_lowercase();
            authorized |= line == "authorization: bearer ticket";
            length = line.strip_prefix("content-length: ").map_or(length, |bytes| bytes.parse().unwrap());
        }
        assert!(authorized, "{first} without its ticket");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        let path = first.split(' ').take(2).collect::<Vec<_>>().join(" ");
        {
            let mut seen = self.seen.lock().unwrap();
            seen.keys.extend(path.split(['?', '&']).filter_map(|part| part.strip_prefix("key=")).map(str::to_owned));
            seen.requests.push(path.clone());
        }
        let (kind, answer) = match path.split('?').next().unwrap() {
            "GET /stage/secret" => {
                let (whip, console) = (format!("http://{}/whip/e", self.http), format!("http://{}/console/e", self.http));
                let ticket = serde_json::json!({"event": "e", "title": "Town meeting", "role": "host", "token": "ticket", "whip": whip, "console": console});
                ("200 OK", ticket.to_string())
            }
            "POST /whip/e" if self.manner.refuse => {
                ("409 Conflict", r#"{"code":"stage-full","detail":"The stage is full. Ask the host to make room."}"#.to_owned())
            }
            "POST /whip/e" => ("201 Created", self.accept(&body)),
            "POST /console/e" => {
                assert_eq!(body, r#"{"do":"go-live","yes":true}"#);
                self.seen.lock().unwrap().live = true;
                ("200 OK", "{}".to_owned())
            }
            "GET /console/e" => return self.serve_console(stream),
            "GET /whip/e" => ("405 Method Not Allowed", r#"{"code":"method-not-allowed","detail":"No."}"#.to_owned()),
            path if path.starts_with("DELETE /whip/session") => ("200 OK", String::new()),
            path => panic!("nobody asked for {path}"),
        };
        let head = format!("HTTP/1.1 {kind}\r\nLocation: /whip/session\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", answer.len());
        let _ = stream.write_all((head + &answer).as_bytes());
    }

    fn accept(&self, offer: &str) -> String {
        let candidates = [
            Candidate { transport: Transport::Udp, address: self.udp.local_addr().unwrap() },
            Candidate { transport: Transport::Tcp, address: self.tcp },
        ];
        let (session, answer) = Session::accept(Instant::now(), Purpose::Whip, offer, &candidates, [7; 32]).unwrap();
        *self.session.lock().unwrap() = Some(session);
        answer
    }

    fn serve_console(&self, mut stream: TcpStream) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n");
        let cut = self.seen.lock().unwrap().cut;
        while !self.over.load(Ordering::Relaxed) {
            let phase = {
                let seen = self.seen.lock().unwrap();
                if seen.cut != cut {
                    return;
                }
                match (seen.ended, seen.live) {
                    (true, _) => "ended",
                    (false, true) => "live",
                    (false, false) => "backstage",
                }
            };
            let line = format!("{{\"state\":{{\"phase\":\"{phase}\",\"you\":{{\"id\":1}}}}}}\n{{\"beat\":0}}\n");
            if stream.write_all(line.as_bytes()).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn serve_datagrams(&self) {
        let mut bytes = [0; 2_000];
        let mut decoder = audio::opus::Decoder::new().unwrap();
        while !self.over.load(Ordering::Relaxed) {
            let input = match self.udp.recv_from(&mut bytes) {
                Ok((length, source)) => Input::Datagram {
                    transport: Transport::Udp,
                    source,
                    destination: self.udp.local_addr().unwrap(),
                    bytes: &bytes[..length],
                },
                Err(_) => Input::Tick,
            };
            self.feed(input, &mut decoder, |transmit| {
                let _ = self.udp.send_to(&transmit.bytes, transmit.destination);
            });
        }
    }

    fn serve_frames(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let source = stream.peer_addr().unwrap();
        let (mut frames, mut bytes) = (framing::Decoder::default(), [0; 4_096]);
        let mut decoder = audio::opus::Decoder::new().unwrap();
        while !self.over.load(Ordering::Relaxed) {
            match stream.read(&mut bytes) {
                Ok(0) => return,
                Ok(length) => frames.push(&bytes[..length]),
                Err(_) => {}
            }
            while let Ok(Some(bytes)) = frames.next_frame() {
                let input = Input::Datagram { transport: Transport::Tcp, source, destination: self.tcp, bytes };
                self.feed(input, &mut decoder, |transmit| {
                    let mut framed = Vec::new();
                    framing::frame(&transmit.bytes, &mut framed).unwrap();
                    let _ = stream.write_all(&framed);
                });
            }
        }
    }

    fn feed(&self, input: Input<'_>, decoder: &mut audio::opus::Decoder, mut send: impl FnMut(ingest::Transmit)) {
        let mut slot = self.session.lock().unwrap();
        let Some(session) = slot.as_mut() else { return };
        let mut sound = [0.0; audio::opus::PACKET_SAMPLES_MAX];
        let mut forget = false;
        for output in session.handle(Instant::now(), input) {
            match output {
                Output::Transmit(transmit) => send(transmit),
                Output::Packet(packet) => {
                    let mut seen = self.seen.lock().unwrap();
                    seen.timestamps.push(packet.timestamp);
                    if let Input::Datagram { transport, .. } = input {
                        seen.transports.insert(transport);
                    }
                    let samples = decoder.decode(&packet.payload, &mut sound).unwrap();
                    let energy = sound[..samples].iter().map(|sample| sample * sample).sum::<f32>() / samples as f32;
                    seen.energy = seen.energy.max(energy);
                    let count = seen.timestamps.len();
                    seen.ended |= self.manner.end_after.is_some_and(|after| count >= after);
                    if self.manner.break_after == Some(count) {
                        seen.cut += 1;
                        forget = true;
                    }
                }
                Output::Connected | Output::Closed(_) => {}
            }
        }
        if forget {
            *slot = None;
        }
    }
}
