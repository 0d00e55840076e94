//! The network thread: datagrams to sessions and back, sound to the mixer, packets to those who hear the stage.
//!
//! It waits for one UDP socket and for a bell; TCP connections are read elsewhere and their frames come as messages.

use super::metrics::{Metrics, count};
use super::mixing::{DeskId, Order, Place};
use super::wake::Waker;
use super::words::{Ears, Report, Seat};
use ::stage::{By, Connection, SessionId};
use audio::jitter;
use audio::mix::{Command, Input as DeskInput};
use base::limit::{ADDRESSES_PER_SESSION_MAX, DATAGRAM_BYTES_MAX, MEDIA_INTRODUCTION_MILLIS_MAX, NETWORK_QUEUE_MESSAGES_MAX};
use ingest::{Input, Output, Packet, Session, Transmit, Transport};
use rtrb::Producer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The loop goes round at least this often, for its pulse.
const ROUND_MAX: Duration = Duration::from_millis(100);

/// Between two looks at the mixer's pulse: a third of what the supervisor allows.
const PULSE: Duration = Duration::from_millis(200);

/// Between two looks at how the sessions' packets fare.
const MEASURE: Duration = Duration::from_secs(1);

/// Datagrams taken in one go before anything else gets its turn.
const BATCH: usize = 256;

/// What the network thread is told.
pub(super) enum ToNetwork {
    /// An event comes; the mixer gets its desk.
    Add(Box<Place>),
    /// An event goes.
    Remove(DeskId),
    /// A session comes in.
    Open(SessionId, Seat, Box<Session>),
    /// A connected session speaks into this input from now on, muted or not.
    Seat(SessionId, DeskInput, bool),
    /// A session's voice is muted or unmuted.
    Mute(SessionId, bool),
    /// A session is on air or backstage, its voice and its ear.
    OnAir(SessionId, bool),
    /// A session's voice fades, and is muted then.
    Fade(SessionId),
    /// An event's programme carries the hold sound, or the air.
    Hold(DeskId, bool),
    /// A bell for all of an event's stage.
    Chime(DeskId),
    /// A session is closed.
    Close(SessionId),
    /// One tick for those who hear the stage.
    Hear(Ears),
    /// An ICE-TCP connection comes; its frames go to `frames`.
    TcpOpened { peer: SocketAddr, frames: mpsc::Sender<Vec<u8>> },
    /// It sent a frame.
    TcpFrame { peer: SocketAddr, local: SocketAddr, bytes: Vec<u8> },
    /// It is gone.
    TcpClosed(SocketAddr),
    /// Say goodbye to everybody and finish.
    Exit,
}

/// The way to the network thread.
#[derive(Clone)]
pub(super) struct Network {
    queue: SyncSender<ToNetwork>,
    waker: Arc<Waker>,
    metrics: Arc<Metrics>,
}

impl Network {
    /// The way, and its other end.
    pub(super) fn new(metrics: Arc<Metrics>) -> rustix::io::Result<(Self, Receiver<ToNetwork>)> {
        let (queue, receiver) = sync_channel(NETWORK_QUEUE_MESSAGES_MAX);
        Ok((Self { queue, waker: Waker::new()?.into(), metrics }, receiver))
    }

    /// Tells what must not be lost; waits for room.
    pub(super) fn order(&self, order: ToNetwork) {
        // The thread ends only with the role.
        let _ = self.queue.send(order);
        self.waker.wake();
    }

    /// Gives media, which may be lost as on any network.
    pub(super) fn media(&self, media: ToNetwork) {
        if self.queue.try_send(media).is_err() {
            count(&self.metrics.dropped);
        }
        self.waker.wake();
    }

    /// Gives one tick's sound to those who hear it.
    pub(super) fn hear(&self, ears: Ears) {
        self.media(ToNetwork::Hear(ears));
    }
}

struct Peer {
    session: Session,
    seat: Seat,
    ufrag: String,
    addresses: Vec<(Transport, SocketAddr)>,
    deadline: Option<Instant>,
    ssrc: Option<u32>,
}

/// The way back over an ICE-TCP connection.
struct Line {
    frames: mpsc::Sender<Vec<u8>>,
    since: Instant,
}

/// The network thread's state.
pub(super) struct Loop {
    socket: UdpSocket,
    local: SocketAddr,
    network: Network,
    mixer: Producer<Order>,
    /// Orders that found the mixer's ring full, in order.
    waiting: VecDeque<Order>,
    reports: SyncSender<Report>,
    /// Begins and ends of sessions that found the control thread's queue full; no more than two for a session.
    untold: VecDeque<Report>,
    peers: HashMap<SessionId, Peer>,
    by_desk: HashMap<DeskId, Vec<SessionId>>,
    by_ufrag: HashMap<String, SessionId>,
    by_address: HashMap<(Transport, SocketAddr), SessionId>,
    deadlines: BTreeSet<(Instant, SessionId)>,
    tcp: BTreeMap<SocketAddr, Line>,
    metrics: Arc<Metrics>,
}

impl Loop {
    pub(super) fn new(socket: UdpSocket, network: Network, mixer: Producer<Order>, reports: SyncSender<Report>) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        let metrics = Arc::clone(&network.metrics);
        Ok(Self {
            local: socket.local_addr()?,
            socket,
            network,
            mixer,
            waiting: VecDeque::new(),
            reports,
            untold: VecDeque::new(),
            peers: HashMap::new(),
            by_desk: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            deadlines: BTreeSet::new(),
            tcp: BTreeMap::new(),
            metrics,
        })
    }

    /// Goes round until told to exit; `beat` is called while the mixer's pulse goes on.
    pub(super) fn run(mut self, queue: &Receiver<ToNetwork>, beat: impl Fn()) {
        let mut pulse = (Instant::now(), self.metrics.ticks.load(Relaxed));
        let mut measured = Instant::now();
        loop {
            self.wait();
            self.network.waker.awake();
            // A bounded share of each: neither a flood of datagrams nor one of messages starves the other.
            for told in queue.try_iter().take(NETWORK_QUEUE_MESSAGES_MAX) {
                if matches!(told, ToNetwork::Exit) {
                    return self.farewell();
                }
                self.take(told);
            }
            self.receive();
            self.expire();
            self.flush();
            if measured.elapsed() >= MEASURE {
                measured = Instant::now();
                self.measure();
            }
            let ticks = self.metrics.ticks.load(Relaxed);
            if pulse.0.elapsed() >= PULSE && ticks != pulse.1 {
                beat();
                pulse = (Instant::now(), ticks);
                self.clear(pulse.0);
            }
        }
    }

    fn wait(&self) {
        let now = Instant::now();
        let due = self.deadlines.first().map_or(ROUND_MAX, |(at, _)| at.saturating_duration_since(now).min(ROUND_MAX));
        let pause = if self.waiting.is_empty() && self.untold.is_empty() { due } else { due.min(Duration::from_millis(5)) };
        let pause = Timespec { tv_sec: 0, tv_nsec: i64::from(pause.subsec_nanos()) };
        let mut sources = [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&*self.network.waker, PollFlags::IN)];
        // An interrupted wait is a round like any other.
        let _ = poll(&mut sources, Some(&pause));
    }

    fn take(&mut self, told: ToNetwork) {
        match told {
            ToNetwork::Add(place) => self.order(Order::Add(place)),
            ToNetwork::Remove(desk) => {
                self.order(Order::Remove(desk));
                self.by_desk.remove(&desk);
            }
            ToNetwork::Open(id, seat, session) => self.open(id, seat, *session),
            ToNetwork::Seat(id, input, muted) => self.seat(id, input, muted),
            ToNetwork::Mute(id, muted) => self.change(id, |seat| seat.muted = muted, |input| Command::SetMuted(input, muted)),
            ToNetwork::OnAir(id, on_air) => self.change(id, |seat| seat.on_air = on_air, |input| Command::SetOnAir(input, on_air)),
            ToNetwork::Fade(id) => self.change(id, |seat| seat.muted = true, Command::Fade),
            ToNetwork::Hold(desk, hold) => self.order(Order::Desk(desk, Command::SetHold(hold))),
            ToNetwork::Chime(desk) => self.order(Order::Desk(desk, Command::Chime)),
            ToNetwork::Close(id) => self.close(id),
            ToNetwork::Hear(ears) => self.hear(&ears),
            ToNetwork::TcpOpened { peer, frames } => drop(self.tcp.insert(peer, Line { frames, since: Instant::now() })),
            ToNetwork::TcpFrame { peer, local, bytes } => self.datagram(Transport::Tcp, peer, local, &bytes),
            ToNetwork::TcpClosed(peer) => self.hang_up(peer),
            ToNetwork::Exit => {}
        }
    }

    fn open(&mut self, id: SessionId, seat: Seat, session: Session) {
        let ufrag = session.local_ufrag().to_owned();
        self.by_ufrag.insert(ufrag.clone(), id);
        self.by_desk.entry(seat.desk).or_default().push(id);
        let peer = Peer { session, seat, ufrag, addresses: Vec::new(), deadline: None, ssrc: None };
        self.peers.insert(id, peer);
        self.metrics.sessions.store(self.peers.len() as u64, Relaxed);
        self.reschedule(id);
    }

    fn seat(&mut self, id: SessionId, input: DeskInput, muted: bool) {
        // One that is gone by now was reported, and its input is free again.
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.seat = Seat { input: Some(input), muted, ..peer.seat };
        let seat = peer.seat;
        self.begin(seat);
    }

    /// A voice begins at its seat, heard by whom it is to be heard.
    fn begin(&mut self, seat: Seat) {
        let Some(input) = seat.input else { return };
        for command in [Command::Open(input), Command::SetMuted(input, seat.muted), Command::SetOnAir(input, seat.on_air)] {
            self.order(Order::Desk(seat.desk, command));
        }
    }

    /// Changes a session's seat; the desk is told once it has an input there.
    fn change(&mut self, id: SessionId, change: impl FnOnce(&mut Seat), command: impl FnOnce(DeskInput) -> Command) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        change(&mut peer.seat);
        if let Seat { desk, input: Some(input), .. } = peer.seat {
            self.order(Order::Desk(desk, command(input)));
        }
    }

    fn close(&mut self, id: SessionId) {
        if let Some(peer) = self.forget(id) {
            let farewell = catch_unwind(AssertUnwindSafe(|| peer.session.close(Instant::now())));
            for output in farewell.unwrap_or_default() {
                if let Output::Transmit(transmit) = output {
                    self.transmit(&transmit);
                }
            }
        }
    }

    /// Takes a session off every list, and its voice off the desk.
    fn forget(&mut self, id: SessionId) -> Option<Peer> {
        let peer = self.peers.remove(&id)?;
        self.by_ufrag.remove(&peer.ufrag);
        for address in &peer.addresses {
            self.by_address.remove(address);
        }
        if let Some(deadline) = peer.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if let Some(sessions) = self.by_desk.get_mut(&peer.seat.desk) {
            sessions.retain(|one| *one != id);
        }
        if let Some(input) = peer.seat.input {
            self.order(Order::Desk(peer.seat.desk, Command::Close(input)));
        }
        self.metrics.sessions.store(self.peers.len() as u64, Relaxed);
        Some(peer)
    }

    fn farewell(mut self) {
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.close(id);
        }
        self.flush();
    }

    fn hear(&mut self, ears: &Ears) {
        let sessions = self.by_desk.get(&ears.desk).cloned().unwrap_or_default();
        for id in sessions {
            let Some(peer) = self.peers.get(&id) else { continue };
            if let Some(payload) = ears.packet(peer.seat.input) {
                self.give(id, Input::Sound { payload, timestamp: ears.timestamp, level: None });
            }
        }
    }

    fn receive(&mut self) {
        let mut bytes = [0; DATAGRAM_BYTES_MAX + 1];
        for _ in 0..BATCH {
            match self.socket.recv_from(&mut bytes) {
                Ok((length, _)) if length > DATAGRAM_BYTES_MAX => count(&self.metrics.dropped),
                Ok((length, from)) => self.datagram(Transport::Udp, canonical(from), self.local, &bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // What an earlier send met (a port that is closed) is reported here, and is nothing of this socket's.
                Err(_) => count(&self.metrics.dropped),
            }
        }
    }

    fn datagram(&mut self, transport: Transport, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let known = self.by_address.get(&(transport, from)).copied();
        // Whoever names another session than the last one from this address has taken its port for a new one.
        let named = ingest::stun::username_ufrag(bytes).and_then(|ufrag| self.by_ufrag.get(ufrag).copied());
        let introduced = named.filter(|named| Some(*named) != known && self.introduce(*named, transport, from, to, bytes));
        let Some(id) = introduced.or(known) else {
            count(&self.metrics.dropped);
            return;
        };
        self.give(id, Input::Datagram { transport, source: from, destination: to, bytes });
    }

    /// An address is a session's when its STUN request names the session and is genuine.
    fn introduce(&mut self, id: SessionId, transport: Transport, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        let accepts = || peer.session.accepts(Instant::now(), transport, from, to, bytes);
        if peer.addresses.len() >= ADDRESSES_PER_SESSION_MAX || !catch_unwind(AssertUnwindSafe(accepts)).unwrap_or(false) {
            return false;
        }
        peer.addresses.push((transport, from));
        self.release((transport, from));
        self.by_address.insert((transport, from), id);
        true
    }

    /// An address is no session's any more.
    fn release(&mut self, address: (Transport, SocketAddr)) {
        let before = self.by_address.remove(&address);
        if let Some(peer) = before.and_then(|id| self.peers.get_mut(&id)) {
            peer.addresses.retain(|one| *one != address);
        }
    }

    fn hang_up(&mut self, peer: SocketAddr) {
        self.tcp.remove(&peer);
        self.release((Transport::Tcp, peer));
    }

    /// Hangs up on who came over TCP and is nobody's: who names no session in time, whose session is over, and who is gone.
    fn clear(&mut self, now: Instant) {
        let patience = Duration::from_millis(MEDIA_INTRODUCTION_MILLIS_MAX);
        let late = |line: &Line| now.saturating_duration_since(line.since) >= patience;
        let unknown = |peer: &SocketAddr| !self.by_address.contains_key(&(Transport::Tcp, *peer));
        let nobodys = self.tcp.iter().filter(|(peer, line)| line.frames.is_closed() || (late(line) && unknown(peer)));
        for peer in nobodys.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.hang_up(peer);
        }
    }

    /// Tells what every connected session's way is like.
    fn measure(&self) {
        for (id, peer) in self.peers.iter().filter(|(_, peer)| peer.session.is_connected()) {
            let stats = peer.session.stats();
            let Some(heard) = stats.heard else { continue };
            let report = Report::Connection(peer.seat.event, *id, connection(&stats), heard);
            // The next one is as good.
            if self.reports.try_send(report).is_err() {
                count(&self.metrics.reports_dropped);
            }
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(&(at, id)) = self.deadlines.first()
            && at <= now
        {
            self.deadlines.remove(&(at, id));
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.deadline = None;
            }
            self.give(id, Input::Tick);
        }
    }

    /// Lets a session handle what happened. Its panic ends it and nobody else.
    fn give(&mut self, id: SessionId, input: Input<'_>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Ok(outputs) = catch_unwind(AssertUnwindSafe(|| peer.session.handle(Instant::now(), input))) else {
            count(&self.metrics.panics);
            return self.lose(id);
        };
        for output in outputs {
            match output {
                Output::Transmit(transmit) => self.transmit(&transmit),
                Output::Packet(packet) => self.sound(id, &packet),
                Output::Connected => {
                    let event = self.peers.get(&id).map(|peer| peer.seat.event);
                    self.untold.extend(event.map(|event| Report::SessionConnected(event, id)));
                }
                Output::Closed(why) => {
                    tracing::debug!(?why, "a session is over");
                    return self.lose(id);
                }
            }
        }
        self.reschedule(id);
    }

    fn lose(&mut self, id: SessionId) {
        if let Some(peer) = self.forget(id) {
            self.untold.push_back(Report::SessionClosed(peer.seat.event, id));
        }
    }

    fn reschedule(&mut self, id: SessionId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let deadline = peer.session.deadline();
        if deadline != peer.deadline {
            if let Some(before) = peer.deadline {
                self.deadlines.remove(&(before, id));
            }
            self.deadlines.extend(deadline.map(|at| (at, id)));
            peer.deadline = deadline;
        }
    }

    fn sound(&mut self, id: SessionId, packet: &Packet) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let seat @ Seat { desk, input: Some(input), .. } = peer.seat else { return };
        count(&self.metrics.packets_in);
        let changed = peer.ssrc.replace(packet.ssrc).is_some_and(|before| before != packet.ssrc);
        if changed {
            // Another microphone: another timeline, so the voice begins anew.
            self.begin(seat);
        }
        let Some(slot) = jitter::Packet::new(packet.arrival, packet.sequence, packet.timestamp, &packet.payload) else { return };
        if !self.waiting.is_empty() || self.mixer.push(Order::Desk(desk, Command::Push(input, slot))).is_err() {
            count(&self.metrics.dropped);
        }
    }

    fn transmit(&self, transmit: &Transmit) {
        let sent = match transmit.transport {
            Transport::Udp => self.socket.send_to(&transmit.bytes, self.reachable(transmit.destination)).is_ok(),
            Transport::Tcp => self.tcp.get(&transmit.destination).is_some_and(|line| line.frames.try_send(transmit.bytes.clone()).is_ok()),
        };
        count(if sent { &self.metrics.datagrams_out } else { &self.metrics.dropped });
    }

    /// A dual-stack socket reaches IPv4 through mapped addresses.
    fn reachable(&self, address: SocketAddr) -> SocketAddr {
        match (self.local, address) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            (SocketAddr::V4(_) | SocketAddr::V6(_), address) => address,
        }
    }

    fn order(&mut self, order: Order) {
        self.waiting.push_back(order);
        self.flush_orders();
    }

    fn flush_orders(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            if let Err(rtrb::PushError::Full(order)) = self.mixer.push(order) {
                self.waiting.push_front(order);
                return;
            }
        }
    }

    fn flush(&mut self) {
        self.flush_orders();
        while let Some(report) = self.untold.pop_front() {
            if let Err(TrySendError::Full(report)) = self.reports.try_send(report) {
                self.untold.push_front(report);
                return;
            }
        }
    }
}

/// What a session measured, in the stage's words.
fn connection(stats: &ingest::Stats) -> Connection {
    let millis = |time: Option<Duration>| time.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of one thousand")]
    let permille = |share: Option<f32>| (share.unwrap_or(0.0).clamp(0.0, 1.0) * 1_000.0).round() as u16;
    Connection {
        rtt_ms: millis(stats.round_trip),
        loss_up_permille: permille(stats.lost_in),
        loss_down_permille: permille(stats.lost_out),
        jitter_ms: millis(stats.jitter_in.max(stats.jitter_out)).unwrap_or(0),
        by: match stats.transport {
            Some(Transport::Tcp) => By::Tcp,
            Some(Transport::Udp) | None => By::Udp,
        },
    }
}

/// A dual-stack socket gives IPv4 peers as mapped addresses; sessions know them as IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests;
