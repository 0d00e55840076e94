//! One relay worker: the event loop that accepts, follows the files and drives every connection.
//!
//! The shell calls [`Worker::wait`], [`Worker::turn`] and [`Worker::took`] in turns and owns the clock. Sockets are watched
//! edge-triggered, so a listener costs one system call a cadence; files are watched with inotify, and looked at four times a second besides.
//!
//! Sends that are due go before everything else, and everything in a turn is bounded by a count, so that neither a crowd that joins nor a
//! pass over very many listeners keeps the others or the supervisor waiting.

mod follow;
mod pass;
mod watch;

use crate::connection::{Connection, Fate};
use crate::event::{Event, Member};
use crate::governor::Governor;
use crate::house::House;
use crate::http::Date;
use crate::metrics::{Load, Metrics};
use crate::rota::Seat;
use crate::socket::Socket;
use crate::tls::Tls;
use crate::tree::{Shares, Upstream, Want};
use base::{Cadence, EventId, Rung, UnixMillis, limit};
use pass::Pass;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, sockopt};
use rustix::process::{Resource, getrlimit};
use slab::Slab;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use watch::Watch;

/// How often files are looked at whatever inotify says: a delay that passes, a directory that appears.
const LOOK_MILLIS: u64 = 250;

/// How often connections are looked at for those that are overdue.
const SWEEP_MILLIS: u64 = 1_000;

/// How often unchanged counts are told again, for a stage or a supervisor that was replaced.
const RETELL_MILLIS: u64 = 5_000;

/// How long an event stays open unused.
const UNUSED_MILLIS: u64 = 30_000;

/// Connections accepted before the others have their turn: as many as have their requests read in one.
const ACCEPTS_PER_TURN: usize = READY_EVENTS;

/// Held requests answered, and connections that go on by themselves, before the others have their turn.
const QUEUED_PER_TURN: usize = 256;

/// Descriptors that are neither connections nor events' files: epoll, inotify, link, logs.
const OTHER_DESCRIPTORS: usize = 16;

/// Room for what is ready at once: as many requests are answered before those who are due have their turn again, some 15 ms.
const READY_EVENTS: usize = 256;

const WATCH_TOKEN: u64 = u64::MAX;
const LISTENER_TOKEN: u64 = u64::MAX - 1;

/// What a worker needs to know.
pub struct Config {
    /// The directory of events.
    pub events: PathBuf,
    /// The directory of what is kept in memory while the disk is full; it need not be there.
    pub spill: PathBuf,
    /// The keys of tickets; without them nobody hears a private event.
    pub keys: Option<gate::Keys>,
    /// TLS for every connection.
    pub tls: Option<Tls>,
    /// Whether the events are copies: what is not here is wanted of the copier ([`Worker::wants`]).
    pub copies: bool,
    /// Descriptors that it may use, when that is not what the system allows.
    pub descriptors: Option<usize>,
    /// The cadence, when it is not left to the worker.
    pub cadence: Option<Cadence>,
}

/// Listeners of one event by rung, as they are told to the other roles. A rung with none is left out.
pub type Listening = (EventId, Vec<(Rung, u32)>);

/// One worker.
pub struct Worker {
    epoll: OwnedFd,
    watch: Watch,
    listeners: Vec<OwnedFd>,
    tls: Option<Tls>,
    connections: Slab<Connection>,
    /// Given to the next connection.
    serial: u32,
    house: House,
    ready: Vec<epoll::Event>,
    /// Connections that go on without a word from their sockets.
    again: VecDeque<Member>,
    /// Held requests for something that is there now, and its event.
    released: VecDeque<(EventId, Member)>,
    pass: Pass,
    /// Endless streams at each cadence.
    by_cadence: [usize; Cadence::COUNT],
    told: BTreeMap<EventId, Vec<(Rung, u32)>>,
    told_at: Instant,
    looked_at: Instant,
    swept_at: Instant,
    descriptors_limit: usize,
    paused: bool,
}

impl Worker {
    /// A worker on listening sockets that it may share with other workers.
    ///
    /// # Errors
    /// The kernel refuses what it needs.
    pub fn new(config: Config, listeners: Vec<OwnedFd>, now: Instant, wall: UnixMillis) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let watch = Watch::new();
        if let Some(fd) = watch.fd() {
            epoll::add(&epoll, fd, EventData::new_u64(WATCH_TOKEN), EventFlags::IN)?;
        }
        let allowed = || getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let house = House {
            directory: config.events,
            spill: config.spill,
            keys: config.keys,
            events: BTreeMap::new(),
            opened: Vec::new(),
            audience: Default::default(),
            upstream: config.copies.then(Upstream::default),
            shares: Shares::default(),
            metrics: Metrics::default(),
            governor: Governor::new(config.cadence, now),
            start: now,
            now,
            wall,
            date: Date::default(),
            scratch: Vec::new(),
            span: Vec::new(),
            sealed: Vec::new(),
            is_roomy: true,
            handshakes_left: 0,
        };
        let mut worker = Self {
            epoll,
            watch,
            listeners,
            tls: config.tls,
            connections: Slab::new(),
            serial: 0,
            house,
            ready: Vec::with_capacity(READY_EVENTS),
            again: VecDeque::new(),
            released: VecDeque::new(),
            pass: Pass::default(),
            by_cadence: [0; Cadence::COUNT],
            told: BTreeMap::new(),
            told_at: now,
            looked_at: now,
            swept_at: now,
            descriptors_limit: config.descriptors.unwrap_or_else(allowed),
            paused: true,
        };
        for listener in &worker.listeners {
            rustix::io::ioctl_fionbio(listener, true)?;
            // What is accepted inherits them, which saves two system calls a join. Without them a connection only works less well.
            let _ = sockopt::set_tcp_nodelay(listener, true);
            let _ = sockopt::set_tcp_user_timeout(listener, u32::try_from(limit::LISTENER_STALLED_MILLIS_MAX).unwrap_or(u32::MAX));
        }
        worker.resume()?;
        Ok(worker)
    }

    /// Waits until something is ready, but no longer than `at_most`.
    ///
    /// # Errors
    /// The kernel refuses to wait.
    pub fn wait(&mut self, at_most: Duration) -> io::Result<()> {
        let is_idle = self.again.is_empty() && self.released.is_empty() && self.pass.is_over();
        let timeout = if is_idle { at_most.min(Duration::from_millis(LOOK_MILLIS)) } else { Duration::ZERO };
        let timeout = rustix::time::Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.ready.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.ready), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Does what there is to do at `now`; `wall` is the wall clock, for tickets.
    ///
    /// # Errors
    /// The worker can't go on; a fault of one connection or event is none.
    pub fn turn(&mut self, now: Instant, wall: UnixMillis) -> io::Result<()> {
        (self.house.now, self.house.wall) = (now, wall);
        self.house.handshakes_left = limit::TLS_HANDSHAKES_PER_TURN_MAX;
        self.house.date.set(wall);
        self.house.metrics.turns += 1;
        self.watch.read();
        self.look(now);
        self.serve();
        self.release();
        self.go_on();
        let ready = std::mem::take(&mut self.ready);
        for event in &ready {
            let (flags, token) = (event.flags, event.data.u64());
            match u32::try_from(token) {
                // It was read already.
                _ if token == WATCH_TOKEN => {}
                _ if token == LISTENER_TOKEN => self.accept()?,
                Ok(key) => self.socket_says(key, flags),
                Err(_) => {}
            }
        }
        self.ready = ready;
        if now.saturating_duration_since(self.swept_at) >= Duration::from_millis(SWEEP_MILLIS) {
            self.swept_at = now;
            self.house.is_roomy = !self.is_full(limit::WORKER_FULL_PERCENT - limit::WORKERS_FILLING_PERCENT);
            self.sweep(now);
            if self.paused && !self.is_full(2) {
                self.resume()?;
            }
        }
        Ok(())
    }

    /// Notes how long the turn took.
    pub fn took(&mut self, time: Duration) {
        self.judge(time);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.house.metrics.turn_micros_total = self.house.metrics.turn_micros_total.saturating_add(micros);
        self.house.metrics.turn_micros_max = self.house.metrics.turn_micros_max.max(micros);
    }

    /// Tickets are checked with these keys from now on.
    pub fn set_keys(&mut self, keys: Option<gate::Keys>) {
        self.house.keys = keys;
    }

    /// Listeners are sent to at this cadence from now on; without one at what the worker's own lag asks for.
    pub fn set_cadence(&mut self, cadence: Option<Cadence>) {
        self.house.governor.fix(cadence);
    }

    /// How much it has to do.
    #[must_use]
    pub fn load(&self) -> Load {
        let events = self.house.events.values();
        let copies = self.connections.iter().filter(|(_, connection)| connection.is_copy()).count();
        Load {
            connections: self.connections.len(),
            streams: events.clone().map(|event| event.counts.iter().map(|&count| count as usize).sum::<usize>()).sum(),
            hls_clients: self.house.audience.count(self.house.now),
            held: events.map(|event| event.waiters.len()).sum::<usize>().saturating_add(self.released.len()).saturating_sub(copies),
            copies,
            events: self.house.events.len(),
            descriptors_used: self.descriptors_used(),
            descriptors_limit: self.descriptors_limit,
            full: self.paused,
            cadence: self.house.governor.target(),
            kernel_tls: self.tls.as_ref().is_some_and(|tls| tls.kernel_seals),
            cadence_fixed: self.house.governor.is_fixed(),
            by_cadence: self.by_cadence,
        }
    }

    /// Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.house.metrics.text(&self.load())
    }

    /// Listeners of the events where they changed since the last call; now and then of all events.
    pub fn listening(&mut self, now: Instant) -> Vec<Listening> {
        let mut counts: BTreeMap<EventId, [u32; 3]> = self.house.events.values().map(|event| (event.id, event.counts)).collect();
        for (event, rung, count) in self.house.audience.all(now) {
            counts.entry(event).or_default()[rung.place()] += count;
        }
        for (event, share) in self.house.shares.all() {
            let counts = counts.entry(event).or_default();
            counts.iter_mut().zip(share).for_each(|(count, more)| *count = count.saturating_add(more));
        }
        let fresh: BTreeMap<EventId, Vec<(Rung, u32)>> = counts
            .into_iter()
            .map(|(event, counts)| (event, Rung::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect::<Vec<_>>()))
            .filter(|(_, by_rung)| !by_rung.is_empty())
            .collect();
        let again = now.saturating_duration_since(self.told_at) >= Duration::from_millis(RETELL_MILLIS);
        if again {
            self.told_at = now;
        }
        let gone = self.told.keys().filter(|event| !fresh.contains_key(event)).map(|&event| (event, Vec::new()));
        let changed = fresh.iter().filter(|(event, by_rung)| again || self.told.get(event) != Some(by_rung));
        let news = changed.map(|(&event, by_rung)| (event, by_rung.clone())).chain(gone).collect();
        self.told = fresh;
        news
    }

    /// What the copier is to do: events to be found or gone on with, and bytes that listeners wait for. Said again every second.
    pub fn wants(&mut self, now: Instant) -> Vec<Want> {
        let Some(upstream) = &mut self.house.upstream else { return Vec::new() };
        let blocks = |event: &Event| event.missing.iter().map(|&(rung, block)| Want::Block(event.id, rung, block)).collect::<Vec<_>>();
        upstream.wants(self.house.events.values().flat_map(|event| blocks(event).into_iter().chain([Want::Event(event.id)])), now)
    }

    /// The copier's word about an event that was wanted: it is here, or no upstream has it.
    pub fn hear(&mut self, event: EventId, known: bool) {
        let Some(upstream) = &mut self.house.upstream else { return };
        let waiters = upstream.hear(event, known, self.house.now);
        if !waiters.is_empty()
            && let Some(event) = self.house.open_known(event)
        {
            // Who waits for a part of it goes on waiting here.
            event.waiters.extend(&waiters);
        }
        for (key, serial) in waiters {
            if self.is_member(key, serial) {
                self.queue(key);
            }
        }
    }

    fn socket_says(&mut self, key: u32, flags: EventFlags) {
        let Some(connection) = self.connections.get_mut(key as usize) else { return };
        let has_room = flags.contains(EventFlags::OUT) && connection.unblock();
        let says = flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        if says {
            connection.hear();
        }
        let is_gone = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        if is_gone {
            self.close(key);
        } else if flags.contains(EventFlags::RDHUP) && connection.is_over_when_peer_is_silent() {
            connection.part();
            self.close(key);
        } else if says || has_room {
            self.drive(key);
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for nth in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                if self.is_full(0) {
                    return self.pause();
                }
                match accept_with(&self.listeners[nth], SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                    Ok(fd) => self.welcome(fd),
                    Err(Errno::AGAIN) => break,
                    Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => return self.pause(),
                    // Those who gave up while they waited.
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn welcome(&mut self, fd: OwnedFd) {
        self.house.metrics.accepted += 1;
        let Ok(socket) = Socket::new(fd, self.tls.as_ref()) else { return };
        self.serial = self.serial.wrapping_add(1);
        let key = self.connections.insert(Connection::new(socket, self.serial, self.house.deadline(limit::REQUEST_HEAD_MILLIS_MAX)));
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        if epoll::add(&self.epoll, self.connections[key].socket().fd(), EventData::new_u64(key as u64), flags).is_err() {
            self.connections.remove(key);
        }
    }

    /// Leaves new connections to other workers, or to the queue of the socket.
    fn pause(&mut self) -> io::Result<()> {
        if !self.paused {
            self.paused = true;
            self.house.metrics.accept_pauses += 1;
            tracing::info!(connections = self.connections.len(), "full: new listeners are left to other workers");
            for listener in &self.listeners {
                epoll::delete(&self.epoll, listener)?;
            }
        }
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.paused = false;
        for listener in &self.listeners {
            // One of the workers that share the socket is woken, not all.
            epoll::add(&self.epoll, listener, EventData::new_u64(LISTENER_TOKEN), EventFlags::IN | EventFlags::EXCLUSIVE)?;
        }
        Ok(())
    }

    fn descriptors_used(&self) -> usize {
        OTHER_DESCRIPTORS + self.connections.len() + self.house.events.values().map(|event| event.descriptors()).sum::<usize>()
    }

    /// Whether the share of descriptors in use is at most `slack` percent below the limit.
    fn is_full(&self, slack: u64) -> bool {
        self.descriptors_used() as u64 * 100 >= self.descriptors_limit as u64 * (limit::WORKER_FULL_PERCENT - slack)
    }

    fn is_member(&self, key: u32, serial: u32) -> bool {
        self.connections.get(key as usize).is_some_and(|connection| connection.serial == serial)
    }

    /// Lets a connection do what it can, and keeps the books about it.
    fn drive(&mut self, key: u32) {
        let Some(connection) = self.connections.get_mut(key as usize) else { return };
        let (serial, waited, booked) = (connection.serial, connection.waits_at(), booked(connection));
        let fate = match catch_unwind(AssertUnwindSafe(|| connection.drive(&mut self.house))) {
            Ok(fate) => fate.unwrap_or(Fate::Closes),
            Err(_) => {
                self.house.metrics.panics += 1;
                connection.fault(&self.house.date);
                Fate::Closes
            }
        };
        let (waits, books) = (connection.waits_at(), self::booked(connection));
        if books != booked {
            self.unbook(booked);
            self.book(books, (key, serial));
        }
        if let Some(id) = waits.filter(|_| waits != waited) {
            match self.house.events.get_mut(&id) {
                Some(event) => event.waiters.push((key, serial)),
                None => self.house.wait_for_upstream(id, (key, serial)),
            }
        }
        for id in std::mem::take(&mut self.house.opened) {
            if let Some(event) = self.house.events.get(&id) {
                self.watch.add(event);
            }
        }
        match fate {
            Fate::Stays => {}
            Fate::Again => self.queue(key),
            Fate::Closes => self.close(key),
        }
    }

    /// Drives a connection again soon, whatever its socket says.
    fn queue(&mut self, key: u32) {
        if let Some(connection) = self.connections.get_mut(key as usize)
            && connection.queue()
        {
            self.again.push_back((key, connection.serial));
        }
    }

    /// Drives those who go on without a word from their sockets, as many as a turn has time for.
    fn go_on(&mut self) {
        for _ in 0..self.again.len().min(QUEUED_PER_TURN) {
            let Some((key, serial)) = self.again.pop_front() else { return };
            if self.is_member(key, serial) {
                self.connections[key as usize].unqueue();
                self.drive(key);
            }
        }
    }

    fn close(&mut self, key: u32) {
        if let Some(connection) = self.connections.try_remove(key as usize) {
            self.unbook(booked(&connection));
            connection.leaves(&mut self.house);
            if connection.tells {
                self.house.shares.leave(connection.serial);
            }
        }
    }

    fn book(&mut self, booking: Option<Booking>, member: Member) {
        if let Some(Booking { event, seat, counts }) = booking
            && let Some(event) = self.house.events.get_mut(&event)
        {
            event.rota.seat(seat, member);
            event.streams += 1;
            event.counts[seat.rung.place()] += u32::from(counts);
            self.by_cadence[seat.cadence.place()] += 1;
        }
    }

    /// The member itself is left out of the rota when its group next has its turn.
    fn unbook(&mut self, booking: Option<Booking>) {
        if let Some(Booking { event, seat, counts }) = booking
            && let Some(event) = self.house.events.get_mut(&event)
        {
            let count = &mut event.counts[seat.rung.place()];
            *count = count.saturating_sub(u32::from(counts));
            event.streams = event.streams.saturating_sub(1);
            self.by_cadence[seat.cadence.place()] = self.by_cadence[seat.cadence.place()].saturating_sub(1);
        }
    }
}

/// What a stream stands in the books for: its event, its seat there, and whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Booking {
    event: EventId,
    seat: Seat,
    counts: bool,
}

fn booked(connection: &Connection) -> Option<Booking> {
    connection.place().map(|place| Booking { event: place.event, seat: place.seat(), counts: place.counts })
}
