//! The line to the stage: a thread that keeps time, sends a frame every 20 ms, and feeds the call.

use super::News;
use super::sound::Sound;
use anyhow::Context as _;
use audio::opus::{Encoder, PACKET_BYTES_MAX};
use base::limit::SPEAK_QUEUE_ORDERS_MAX;
use base::time::TICK_SAMPLES;
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{Call, Candidate, Input, Output, Transmit, Transport, framing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One frame.
const TICK: Duration = Duration::from_millis(20);

/// Its samples, as RTP counts them.
#[expect(clippy::cast_possible_truncation, reason = "960")]
const FRAME_SAMPLES: u32 = TICK_SAMPLES as u32;

/// How long UDP is tried alone.
const UDP_ALONE: Duration = Duration::from_millis(1_500);

/// How long a call may take to connect, by any way.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long one TCP connection may take to open.
const TCP_MAX: Duration = Duration::from_secs(1);

/// Bytes that wait for a TCP connection that does not take them; beyond, frames are dropped rather than late.
const WAITING_BYTES_MAX: usize = 32 * 1024;

/// What the line is told.
pub(super) enum Order {
    /// Take this call, which has this number, instead of the last.
    Dial(u32, Box<Call>),
    /// The sound begins now, or goes on.
    Begin,
    /// Say that everything is said.
    Finish,
    /// Say goodbye.
    HangUp,
}

/// How far the sound is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Status {
    pub(super) packets: u64,
    pub(super) position: Duration,
    pub(super) round_trip: Option<Duration>,
    pub(super) over: Option<Transport>,
}

/// The thread's handle.
pub(super) struct Line {
    orders: SyncSender<Order>,
    status: Arc<Mutex<Status>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Line {
    /// Starts the thread; the sound waits for [`Order::Begin`].
    pub(super) fn start(sound: Sound, tcp: bool, tell: SyncSender<News>) -> anyhow::Result<Self> {
        let encoder = Encoder::stage()?;
        let (orders, inbox) = sync_channel(SPEAK_QUEUE_ORDERS_MAX);
        let status = Arc::new(Mutex::new(Status::default()));
        let told = Arc::clone(&status);
        let run = move || {
            let speech = Speech { sound, encoder, began: None, frames: 0, packets: 0, ended: false };
            Desk { speech, tcp, tell, told, inbox, way: None }.run();
        };
        let thread = Some(std::thread::Builder::new().name("line".into()).spawn(run)?);
        Ok(Self { orders, status, thread })
    }

    /// Gives an order; a thread that is gone has said why already.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// How far the sound is.
    pub(super) fn status(&self) -> Status {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says goodbye to the stage and waits until it is said. News must be taken meanwhile, or their receiver gone.
    pub(super) fn hang_up(&mut self) -> Status {
        self.order(Order::HangUp);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.status()
    }
}

/// The sound on its way to the stage, on the clock of those who listen.
struct Speech {
    sound: Sound,
    encoder: Encoder,
    /// When the first frame was due.
    began: Option<Instant>,
    /// Frames that were due so far, spoken or not.
    frames: u32,
    packets: u64,
    ended: bool,
}

impl Speech {
    fn due(&self) -> Option<Instant> {
        self.began.filter(|_| !self.ended).map(|began| began + TICK * self.frames)
    }

    /// The frame that is due, encoded, and its timestamp.
    fn next(&mut self, packet: &mut [u8; PACKET_BYTES_MAX]) -> anyhow::Result<Option<(usize, u32)>> {
        let Some(frame) = self.sound.frame()? else {
            self.ended = true;
            return Ok(None);
        };
        let timestamp = self.frames.wrapping_mul(FRAME_SAMPLES);
        self.frames += 1;
        let bytes = self.encoder.encode(&frame, packet)?;
        Ok(Some((bytes, timestamp)))
    }
}

/// The sockets of one call.
struct Way {
    number: u32,
    call: Call,
    since: Instant,
    connected: bool,
    udp: Vec<(UdpSocket, SocketAddr)>,
    tcp: Option<Stream>,
    tried_tcp: bool,
}

struct Stream {
    socket: TcpStream,
    local: SocketAddr,
    remote: SocketAddr,
    frames: framing::Decoder,
    waiting: Vec<u8>,
}

struct Desk {
    speech: Speech,
    tcp: bool,
    tell: SyncSender<News>,
    told: Arc<Mutex<Status>>,
    inbox: Receiver<Order>,
    way: Option<Way>,
}

impl Desk {
    fn run(mut self) {
        while self.orders() {
            if let Err(error) = self.speak(Instant::now()) {
                let _ = self.tell.send(News::Unreadable(error));
                return;
            }
            let now = Instant::now();
            let wake = self.speech.due().into_iter().chain([now + TICK]).min().unwrap_or(now);
            let Some(way) = &mut self.way else {
                std::thread::sleep(wake.saturating_duration_since(now));
                continue;
            };
            let outputs = way.turn(wake, self.tcp);
            self.perform(outputs);
            self.report();
        }
        if let Some(way) = self.way.take() {
            way.close();
        }
    }

    /// Does what was ordered; false when it is time to go.
    fn orders(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(Order::Dial(number, call)) => self.way = Some(Way::open(number, *call)),
                Ok(Order::Begin) => self.speech.began = self.speech.began.or_else(|| Some(Instant::now())),
                Ok(Order::Finish) => drop(self.tell.send(News::Finished)),
                Ok(Order::HangUp) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    /// Says every frame that is due. Without a connection they pass unheard: the sound goes on in real time.
    fn speak(&mut self, now: Instant) -> anyhow::Result<()> {
        let mut packet = [0; PACKET_BYTES_MAX];
        while self.speech.due().is_some_and(|due| due <= now) {
            let Some((bytes, timestamp)) = self.speech.next(&mut packet)? else {
                let _ = self.tell.send(News::Finished);
                break;
            };
            if let Some(way) = self.way.as_mut().filter(|way| way.connected) {
                let outputs = way.call.handle(Instant::now(), Input::Sound { payload: &packet[..bytes], timestamp, level: None });
                self.speech.packets += 1;
                self.perform(outputs);
            }
        }
        Ok(())
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        let Some(way) = &mut self.way else { return };
        let mut lost = false;
        for output in outputs {
            match output {
                Output::Transmit(transmit) => send(&way.udp, way.tcp.as_mut(), &transmit),
                Output::Connected => {
                    way.connected = true;
                    let _ = self.tell.send(News::Connected(way.number));
                }
                // Nothing is played here.
                Output::Packet(_) => {}
                Output::Closed(_) => lost = true,
            }
        }
        lost |= !way.connected && way.since.elapsed() > CONNECT_MAX;
        if lost {
            let _ = self.tell.send(News::Lost(way.number));
            self.way = None;
        }
    }

    fn report(&self) {
        let over = self.way.as_ref().filter(|way| way.connected).map(|way| if way.tcp.is_some() { Transport::Tcp } else { Transport::Udp });
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.packets = self.speech.packets;
        told.position = TICK * self.speech.frames;
        told.over = over;
        told.round_trip = self.way.as_ref().and_then(|way| way.call.stats().round_trip).or(told.round_trip);
    }
}

impl Way {
    /// Opens a UDP socket for each address family of the stage. A family that this machine lacks is no loss.
    fn open(number: u32, mut call: Call) -> Self {
        let mut udp = Vec::new();
        for v4 in [true, false] {
            let remotes = call.remote_candidates();
            let wanted = remotes.iter().find(|remote| remote.transport == Transport::Udp && remote.address.is_ipv4() == v4);
            if let Some((socket, local)) = wanted.and_then(|remote| socket_towards(remote.address).ok()) {
                call.add_candidate(Candidate { transport: Transport::Udp, address: local });
                udp.push((socket, local));
            }
        }
        Self { number, call, since: Instant::now(), connected: false, udp, tcp: None, tried_tcp: false }
    }

    /// Waits for the network until `wake` at most and gives the call what came.
    fn turn(&mut self, wake: Instant, tcp_only: bool) -> Vec<Output> {
        if tcp_only && !self.udp.is_empty() {
            self.udp.clear();
        }
        if !self.connected && !self.tried_tcp && (self.udp.is_empty() || self.since.elapsed() > UDP_ALONE) {
            self.tried_tcp = true;
            self.connect();
        }
        let mut outputs = Vec::new();
        let now = Instant::now();
        if self.call.deadline().is_some_and(|deadline| deadline <= now) {
            outputs.extend(self.call.handle(now, Input::Tick));
        } else {
            let until = self.call.deadline().into_iter().chain([wake]).min().unwrap_or(wake);
            self.wait(until.saturating_duration_since(now));
        }
        self.receive(&mut outputs);
        outputs
    }

    fn connect(&mut self) {
        let remotes: Vec<_> = self.call.remote_candidates().iter().filter(|remote| remote.transport == Transport::Tcp).copied().collect();
        self.tcp = remotes.iter().find_map(|remote| Stream::open(remote.address).ok());
        if let Some(stream) = &self.tcp {
            self.call.add_candidate(Candidate { transport: Transport::Tcp, address: stream.local });
        }
    }

    fn wait(&self, time: Duration) {
        let sockets = self.udp.iter().map(|(socket, _)| PollFd::new(socket, PollFlags::IN));
        let streams = self.tcp.iter().map(|stream| {
            let waiting = if stream.waiting.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            PollFd::from_borrowed_fd(stream.socket.as_fd(), PollFlags::IN | waiting)
        });
        let mut all: Vec<_> = sockets.chain(streams).collect();
        // An interrupted wait is a short one.
        let _ = poll(&mut all, Timespec::try_from(time).ok().as_ref());
    }

    fn receive(&mut self, outputs: &mut Vec<Output>) {
        let mut bytes = [0; base::limit::DATAGRAM_BYTES_MAX];
        for (socket, local) in &self.udp {
            // A refused datagram's error comes here too: ICE decides what that means.
            while let Ok((length, source)) = socket.recv_from(&mut bytes) {
                let input = Input::Datagram { transport: Transport::Udp, source, destination: *local, bytes: &bytes[..length] };
                outputs.extend(self.call.handle(Instant::now(), input));
            }
        }
        let Some(stream) = &mut self.tcp else { return };
        let open = stream.flush().and_then(|()| stream.read());
        while let Ok(Some(frame)) = stream.frames.next_frame() {
            let input = Input::Datagram { transport: Transport::Tcp, source: stream.remote, destination: stream.local, bytes: frame };
            outputs.extend(self.call.handle(Instant::now(), input));
        }
        if open.is_err() {
            self.tcp = None;
            if self.connected {
                outputs.push(Output::Closed(ingest::Closing::Failed));
            }
        }
    }

    fn close(self) {
        let Self { call, udp, mut tcp, .. } = self;
        for output in call.close(Instant::now()) {
            if let Output::Transmit(transmit) = output {
                send(&udp, tcp.as_mut(), &transmit);
            }
        }
    }
}

fn send(udp: &[(UdpSocket, SocketAddr)], tcp: Option<&mut Stream>, transmit: &Transmit) {
    match (transmit.transport, tcp) {
        (Transport::Tcp, Some(stream)) => stream.send(&transmit.bytes),
        (Transport::Tcp, None) => {}
        (Transport::Udp, _) => {
            if let Some((socket, _)) = udp.iter().find(|(_, local)| local.is_ipv4() == transmit.destination.is_ipv4()) {
                // A datagram that can't be sent is a datagram lost.
                let _ = socket.send_to(&transmit.bytes, transmit.destination);
            }
        }
    }
}

impl Stream {
    fn open(remote: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect_timeout(&remote, TCP_MAX)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local, remote, frames: framing::Decoder::default(), waiting: Vec::new() })
    }

    fn send(&mut self, datagram: &[u8]) {
        if self.waiting.len() < WAITING_BYTES_MAX {
            let _ = framing::frame(datagram, &mut self.waiting);
        }
        // A broken connection is noticed by the next read.
        let _ = self.flush();
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(0) => anyhow::bail!("the connection is closed"),
                Ok(bytes) => drop(self.waiting.drain(..bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let mut bytes = [0; 4_096];
        match self.socket.read(&mut bytes) {
            Ok(0) => anyhow::bail!("the connection is closed"),
            Ok(length) => self.frames.push(&bytes[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// A socket that can send to any address of `remote`'s family, and the address by which `remote` sees it.
fn socket_towards(remote: SocketAddr) -> anyhow::Result<(UdpSocket, SocketAddr)> {
    let any: IpAddr = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let probe = UdpSocket::bind((any, 0))?;
    probe.connect(remote).context("there is no way to the stage")?;
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    let local = SocketAddr::new(probe.local_addr()?.ip(), socket.local_addr()?.port());
    Ok((socket, local))
}

/// The bar on the terminal; without one it shows nothing.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for a sound of this length.
    pub(super) fn new(title: &str, seconds: Option<f64>) -> Self {
        let millis = seconds.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 1e9)).as_millis());
        let bar = millis.map_or_else(ProgressBar::no_length, |millis| ProgressBar::new(u64::try_from(millis).unwrap_or(u64::MAX)));
        let look = if seconds.is_some() { "{prefix}  {wide_bar}  {msg}" } else { "{prefix}  {spinner}  {msg}" };
        if let Ok(style) = ProgressStyle::with_template(look) {
            bar.set_style(style);
        }
        bar.set_prefix(title.to_owned());
        Self { bar }
    }

    /// Shows where the sound is and how it gets there.
    pub(super) fn show(&self, status: &Status, connected: bool) {
        self.bar.set_position(u64::try_from(status.position.as_millis()).unwrap_or(u64::MAX));
        let seconds = status.position.as_secs();
        let way = match status.over {
            Some(Transport::Udp) => "UDP",
            Some(Transport::Tcp) => "TCP",
            None => "connecting",
        };
        if connected && status.packets > 0 {
            let trip = status.round_trip.map(|time| format!(", {} ms", time.as_millis())).unwrap_or_default();
            self.say(&format!("{}:{:02}:{:02} over {way}{trip}", seconds / 3_600, seconds / 60 % 60, seconds % 60));
        }
    }

    /// Shows what is going on.
    pub(super) fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
