//! One process's share of the crowd: an event loop with its listeners.
//!
//! The shell calls [`Crowd::wait`] and [`Crowd::turn`] in turns and owns the clock. Sockets are watched edge-triggered; a wake-up of
//! a listener is one `recv` into a buffer that all share and a walk over box headers, with no allocation.

mod answer;
mod listener;
mod wire;

use crate::pace::{self, Chance};
use crate::plan::Order;
use crate::ports::Ports;
use crate::tally::Tally;
use crate::tls::{self, NoTrust};
use answer::Fate;
use listener::{Listener, Stage};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::Opened;

/// Bytes read at once: a send of the slowest cadence and the opening burst fit.
const READ_BYTES: usize = 256 * 1024;

/// Bytes that a slow reader takes each second: less than a programme has.
const SLOW_READ_BYTES: usize = 1_500;

/// Room for what is ready at once.
const READY_EVENTS: usize = 1_024;

/// Joins begun before those inside have their turn.
const JOINS_PER_TURN: usize = 128;

/// How often what has its time is looked at: joins, who comes back, slow readers.
const TICK_MILLIS: u32 = 20;

/// Turns of the slow readers in a second.
const SLOW_TURNS: usize = 10;

const SLOW_TURN_MILLIS: u32 = 100;

/// Milliseconds that one who leaves is away: half of it, and as much more by chance.
const AWAY_MILLIS: f64 = 10_000.0;

/// Milliseconds over which everybody leaves when it is no surge.
const LEAVING_MILLIS: u32 = 2_000;

/// A crowd that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum NoCrowd {
    /// The kernel refuses what it needs.
    #[error(transparent)]
    System(#[from] io::Error),
    /// There is nothing to trust.
    #[error(transparent)]
    Trust(#[from] NoTrust),
    /// The server's name can be in no certificate.
    #[error("{0} is no name that a certificate can have")]
    Name(String),
}

/// What all listeners of a process share.
struct Shared {
    order: Order,
    /// The rung that players of HLS ask for, and the directory of their playlists.
    hls: answer::Playlists,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    tally: Tally,
    chance: Chance,
    /// Milliseconds since the crowd began.
    now: u32,
}

/// Listeners of one process.
pub struct Crowd {
    epoll: OwnedFd,
    ready: Vec<epoll::Event>,
    began: Instant,
    listeners: Vec<Listener>,
    slow: Vec<usize>,
    slow_turn: usize,
    slow_at: u32,
    ticked_at: u32,
    /// Who has something to do when: milliseconds, listener.
    times: BinaryHeap<Reverse<(u32, usize)>>,
    ports: Ports,
    leaving: Option<u32>,
    /// Parts of listeners that have left for a while, carried from turn to turn.
    churn: f64,
    shared: Shared,
    buffer: Vec<u8>,
}

impl Crowd {
    /// A crowd that begins to come at `now`.
    ///
    /// # Errors
    /// [`NoCrowd`].
    pub fn new(order: Order, now: Instant) -> Result<Self, NoCrowd> {
        let tls = match &order.trust {
            Some(trust) if order.tls => {
                let name = ServerName::try_from(answer::host_name(&order.host)).map_err(|_| NoCrowd::Name(order.host.clone()))?;
                Some((tls::trusting(trust)?, name.to_owned()))
            }
            Some(_) | None => None,
        };
        let tally = Tally { asked: order.listeners as u64, ..Tally::default() };
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?,
            ready: Vec::with_capacity(READY_EVENTS),
            began: now,
            listeners: Vec::with_capacity(order.listeners),
            slow: Vec::new(),
            slow_turn: 0,
            slow_at: 0,
            ticked_at: 0,
            times: BinaryHeap::new(),
            ports: Ports::new(order.sources.clone()),
            leaving: None,
            churn: 0.0,
            buffer: vec![0; READ_BYTES],
            shared: Shared {
                hls: answer::Playlists::of(&order.target),
                chance: Chance::new(order.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                order,
                tls,
                tally,
                now: 0,
            },
        })
    }

    /// Waits until something is ready or due, but no longer than `at_most`.
    ///
    /// # Errors
    /// The kernel refuses to wait.
    pub fn wait(&mut self, at_most: Duration) -> io::Result<()> {
        let timeout = at_most.min(Duration::from_millis(TICK_MILLIS.into()));
        let timeout = rustix::time::Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.ready.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.ready), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Does what there is to do at `now`.
    pub fn turn(&mut self, now: Instant) {
        self.shared.now = u32::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX);
        let ready = std::mem::take(&mut self.ready);
        for event in &ready {
            if let Ok(key) = usize::try_from(event.data.u64()) {
                self.socket_says(key, event.flags);
            }
        }
        self.ready = ready;
        if self.shared.now.saturating_sub(self.ticked_at) >= TICK_MILLIS || self.listeners.is_empty() {
            self.tick();
            self.ticked_at = self.shared.now;
        }
    }

    /// What was counted so far; looks at every listener for whether it hears.
    pub fn tally(&mut self) -> Tally {
        let (now, buffer_ms, raw) = (self.shared.now, self.shared.order.buffer_ms, self.shared.order.raw);
        let (mut hearing, mut away) = (0, 0);
        for listener in &mut self.listeners {
            if listener.stage == Stage::Away || listener.stage == Stage::Ended {
                away += u64::from(listener.stage == Stage::Away);
                continue;
            }
            // A slow reader stalls by its own will.
            self.shared.tally.stalls += u64::from(listener.hearing.is_newly_stalled(now, buffer_ms) && !listener.slow && !raw);
            hearing += u64::from(listener.is_connected() && listener.hearing.plays(now, buffer_ms));
        }
        (self.shared.tally.hearing, self.shared.tally.away) = (hearing, away);
        self.shared.tally.clone()
    }

    /// Everybody goes: at once when the order says so, else over two seconds.
    pub fn leave(&mut self) {
        if self.shared.order.exit_surge {
            self.listeners.iter_mut().for_each(Listener::close);
        }
        self.leaving.get_or_insert(self.shared.now);
    }

    /// Whether everybody has gone after [`Crowd::leave`].
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.leaving.is_some() && self.listeners.iter().all(|listener| !listener.is_connected())
    }

    fn tick(&mut self) {
        if let Some(since) = self.leaving {
            let gone = pace::due(
                u64::from(self.shared.now - since),
                self.listeners.len() as f64 * 1_000.0 / f64::from(LEAVING_MILLIS),
                self.listeners.len(),
            );
            self.listeners[..gone].iter_mut().for_each(Listener::close);
            return;
        }
        self.join();
        self.come_back();
        self.churn();
        self.read_slowly();
    }

    fn join(&mut self) {
        let order = &self.shared.order;
        let due = pace::due(self.shared.now.into(), order.joins_per_second, order.listeners);
        for _ in 0..due.saturating_sub(self.listeners.len()).min(JOINS_PER_TURN) {
            let key = self.listeners.len();
            let is_hls = self.shared.order.mix.is_hls(key);
            // Spread over all: the first hundred would have come in the same tick.
            let slow =
                !is_hls && (key as f64 * self.shared.order.slow_percent / 100.0).fract() + self.shared.order.slow_percent / 100.0 >= 1.0;
            let samples = key.is_multiple_of(self.shared.order.listeners_per_sample) && !self.shared.order.raw && !slow;
            self.listeners.push(Listener::new(slow, is_hls.then_some((self.shared.hls.rung, key)), samples));
            if slow {
                self.slow.push(key);
            }
            self.shared.tally.started += 1;
            self.connect(key);
        }
    }

    fn come_back(&mut self) {
        while let Some(&Reverse((at, key))) = self.times.peek()
            && at <= self.shared.now
        {
            self.times.pop();
            let listener = &mut self.listeners[key];
            if listener.stage == Stage::Away {
                listener.hearing.came_back(self.shared.now);
                self.shared.tally.returns += 1;
            }
            if !listener.is_connected() && listener.stage != Stage::Ended {
                self.connect(key);
            }
        }
    }

    /// Some leave for a while.
    fn churn(&mut self) {
        let order = &self.shared.order;
        let ticks_per_minute = f64::from(60_000 / TICK_MILLIS);
        self.churn += self.listeners.len() as f64 * order.churn_percent / 100.0 / ticks_per_minute;
        while self.churn >= 1.0 {
            self.churn -= 1.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of listeners")]
            let key = (self.shared.chance.next() * self.listeners.len() as f64) as usize;
            let listener = &mut self.listeners[key];
            if listener.stage == Stage::Sound {
                listener.close();
                listener.stage = Stage::Away;
                let wait = AWAY_MILLIS * (0.5 + self.shared.chance.next() / 2.0);
                self.later(key, wait);
            }
        }
    }

    /// A tenth of the slow readers takes one small chunk.
    fn read_slowly(&mut self) {
        if self.shared.now.saturating_sub(self.slow_at) < SLOW_TURN_MILLIS {
            return;
        }
        self.slow_at = self.shared.now;
        self.slow_turn = (self.slow_turn + 1) % SLOW_TURNS;
        for nth in (self.slow_turn..self.slow.len()).step_by(SLOW_TURNS) {
            let key = self.slow[nth];
            if self.listeners[key].is_connected() && self.listeners[key].stage != Stage::Connecting {
                self.read(key, SLOW_READ_BYTES, false, false);
            }
        }
    }

    fn later(&mut self, key: usize, millis: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floating point saturate")]
        let at = self.shared.now.saturating_add(millis as u32);
        self.times.push(Reverse((at, key)));
    }

    fn connect(&mut self, key: usize) {
        let slow = self.listeners[key].slow;
        match wire::open(self.shared.order.server, &mut self.ports, slow) {
            Ok(Opened(fd)) => {
                let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                if epoll::add(&self.epoll, &fd, EventData::new_u64(key as u64), flags).is_ok() {
                    self.listeners[key].connecting(fd, self.shared.now);
                } else {
                    self.shared.tally.exhausted += 1;
                    self.lost(key);
                }
            }
            Err(error) => {
                let is_ours =
                    matches!(error, Errno::MFILE | Errno::NFILE | Errno::ADDRNOTAVAIL | Errno::ADDRINUSE | Errno::NOBUFS | Errno::NOMEM);
                let counter = if is_ours { &mut self.shared.tally.exhausted } else { &mut self.shared.tally.unreachable };
                *counter += 1;
                self.lost(key);
            }
        }
    }

    /// A connection is gone or never was: another try, later and later, and not all at the same time.
    fn lost(&mut self, key: usize) {
        let listener = &mut self.listeners[key];
        listener.close();
        listener.stage = Stage::Lost;
        let wait = pace::back_off_ms(listener.tries.into(), self.shared.chance.next());
        listener.tries = listener.tries.saturating_add(1);
        self.later(key, f64::from(wait));
    }

    fn socket_says(&mut self, key: usize, flags: EventFlags) {
        let Some(listener) = self.listeners.get_mut(key) else { return };
        if !listener.is_connected() {
            return;
        }
        if listener.stage == Stage::Connecting && flags.intersects(EventFlags::OUT | EventFlags::ERR | EventFlags::HUP) {
            if listener.has_failed() || listener.greet(&self.shared).is_err() {
                self.shared.tally.unreachable += 1;
                return self.lost(key);
            }
        } else if flags.contains(EventFlags::OUT) && listener.flush().is_err() {
            return self.ended(key);
        }
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::ERR | EventFlags::HUP) {
            if !self.listeners[key].slow {
                self.read(key, READ_BYTES, true, flags.intersects(EventFlags::RDHUP | EventFlags::ERR | EventFlags::HUP));
            } else if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
                self.ended(key);
            }
        }
    }

    /// Reads `size` bytes; and on until nothing is there when it `is_all`, up to the end when it `is_last`.
    fn read(&mut self, key: usize, size: usize, is_all: bool, is_last: bool) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            match self.listeners[key].receive(&mut buffer[..size]) {
                Ok(0) => {
                    self.ended(key);
                    break;
                }
                Ok(count) => {
                    self.shared.tally.bytes += count as u64;
                    if !self.take(key, &buffer[..count]) {
                        break;
                    }
                    // What comes later wakes the loop again, but for the end that was told already; TLS may hold more than it gave.
                    if !is_all || (count < size && !is_last && self.shared.tls.is_none()) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.ended(key);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    /// Hands bytes to a listener; false when its connection is no more.
    fn take(&mut self, key: usize, bytes: &[u8]) -> bool {
        match self.listeners[key].take(bytes, &mut self.shared) {
            Fate::Goes => true,
            Fate::Refused => {
                self.shared.tally.refused += 1;
                self.lost(key);
                false
            }
            Fate::Foreign => {
                self.shared.tally.foreign += 1;
                self.lost(key);
                false
            }
            Fate::Over => {
                let listener = &mut self.listeners[key];
                // The end of an event closes every stream: what looked like a break was none.
                if std::mem::take(&mut listener.broke) {
                    self.shared.tally.disconnects -= 1;
                }
                listener.close();
                listener.stage = Stage::Ended;
                self.shared.tally.ended += 1;
                false
            }
        }
    }

    /// The server's end of a connection is gone.
    fn ended(&mut self, key: usize) {
        let listener = &mut self.listeners[key];
        if listener.stage == Stage::Sound {
            listener.broke = true;
            self.shared.tally.disconnects += 1;
        } else {
            self.shared.tally.unreachable += 1;
        }
        self.lost(key);
    }
}

#[cfg(test)]
mod tests;
