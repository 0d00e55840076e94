//! The supervisor: every listening socket, the list of roles, and what becomes of a role that dies.
//!
//! One loop owns all of it. Links, processes, signals and the internal address are small tasks that say to the loop what
//! happened; [`roster`] decides, the loop performs.

mod door;
mod internal;
mod metrics;
mod process;
mod roster;
mod sockets;
mod start;

use crate::link::wire::{FromRole, ToRole};
use crate::link::{RoleName, Standing};
use crate::settings::Settings;
use base::fact::Fact;
use base::limit::{ASKS_MAX, RELAY_WORKERS_MAX, ROLE_STOP_MILLIS_MAX};
use door::Hello;
use internal::{Answer, Asker};
use process::Process;
use roster::{Input, Order, RoleId, Roster};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

pub(crate) use start::serve;

/// How often the loop looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// How often relay workers are asked how full they are: thousands join between two looks.
const FILLING: Duration = Duration::from_millis(500);

/// A tick that comes later than this shows that the supervisor itself stood still.
const LATE: Duration = Duration::from_millis(300);

/// What happened, as the small tasks say it to the loop.
#[derive(Debug)]
pub(crate) enum Event {
    /// A role connected.
    Hello { connection: u64, hello: Hello },
    /// A role said something.
    Said { connection: u64, said: FromRole },
    /// A link ended.
    Closed { connection: u64 },
    /// A process ended.
    Exited { id: RoleId, pid: i32 },
    /// The internal address asks who is there.
    Roles { reply: oneshot::Sender<Vec<(RoleId, bool, u64)>> },
    /// The internal address asks a role.
    Ask { id: RoleId, path: String, reply: oneshot::Sender<Answer> },
    /// Every relay worker fills up.
    RelaysFull,
    /// The operator wants the end.
    Stop,
}

/// One role's link.
struct Peer {
    connection: u64,
    lines: mpsc::Sender<String>,
    standing: Standing,
}

struct Supervisor {
    settings: Settings,
    log: Vec<(&'static str, String)>,
    events: mpsc::Sender<Event>,
    complete: watch::Sender<bool>,
    roster: Roster,
    sockets: BTreeMap<RoleName, Vec<OwnedFd>>,
    processes: BTreeMap<RoleId, Process>,
    peers: BTreeMap<RoleId, Peer>,
    asks: BTreeMap<u64, (RoleId, oneshot::Sender<Answer>)>,
    ask_next: u64,
    /// Whether the log says already that there are as many relay workers as may be.
    told_full: bool,
    stopping_since: Option<Instant>,
}

impl Supervisor {
    /// Goes round until every role has ended.
    async fn run(mut self, mut heard: mpsc::Receiver<Event>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticked = Instant::now();
        let watchdog = sd_notify::watchdog_enabled().is_some();
        while self.stopping_since.is_none() || !self.processes.is_empty() {
            tokio::select! {
                // What was said is heard before anybody is judged.
                biased;
                Some(event) = heard.recv() => self.hear(event),
                _ = tick.tick() => {
                    let now = Instant::now();
                    let passed = now - std::mem::replace(&mut ticked, now);
                    self.ticked(now, passed, watchdog);
                }
            }
        }
    }

    fn ticked(&mut self, now: Instant, passed: Duration, watchdog: bool) {
        if passed > LATE {
            tracing::debug!(millis = passed.as_millis(), "the supervisor stood still");
            self.handle(Input::Delayed(passed - TICK));
        }
        self.handle(Input::Tick);
        self.asks.retain(|_, (_, reply)| !reply.is_closed());
        let complete = self.roster.complete();
        self.complete.send_if_modified(|known| std::mem::replace(known, complete) != complete);
        if watchdog {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        if let Some(since) = self.stopping_since {
            let signal = match now - since {
                long if long > Duration::from_millis(ROLE_STOP_MILLIS_MAX) + 10 * TICK => Signal::KILL,
                long if long > Duration::from_millis(ROLE_STOP_MILLIS_MAX) => Signal::TERM,
                _ => return,
            };
            self.processes.values().for_each(|process| process.signal(signal));
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Hello { connection, hello } => self.greet(connection, hello),
            Event::Said { connection, said } => {
                if let Some(id) = self.of(connection) {
                    self.said(id, said);
                }
            }
            Event::Closed { connection } => {
                if let Some(id) = self.of(connection) {
                    self.unlink(id);
                }
            }
            Event::Exited { id, pid } => self.exited(id, pid),
            Event::Roles { reply } => drop(reply.send(self.roster.roles().collect())),
            Event::Ask { id, path, reply } => self.ask(id, path, reply),
            Event::RelaysFull => self.add_relay(),
            Event::Stop => self.stop(),
        }
    }

    fn add_relay(&mut self) {
        let index = self.processes.keys().filter(|id| id.role == RoleName::Relay).map(|id| id.index + 1).max().unwrap_or(0);
        if usize::try_from(index).is_ok_and(|count| count < RELAY_WORKERS_MAX) {
            if self.stopping_since.is_none() {
                tracing::info!(index, "every relay worker fills up; one more starts");
                self.handle(Input::Wanted(RoleId { role: RoleName::Relay, index }));
            }
        } else if !std::mem::replace(&mut self.told_full, true) {
            tracing::warn!(
                workers = RELAY_WORKERS_MAX,
                "every relay worker fills up and there are as many as may be: listeners beyond their descriptors wait; \
                 raise LimitNOFILE or ulimit -n, or add a machine"
            );
        }
    }

    /// Lets the roster decide and does what it says.
    fn handle(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for order in self.roster.handle(Instant::now(), input) {
                match order {
                    Order::Start(id) => inputs.push(self.start(id)),
                    Order::Kill(id) => {
                        tracing::warn!(role = %id, "silent for too long; killed");
                        if let Some(process) = self.processes.get(&id) {
                            process.signal(Signal::KILL);
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, id: RoleId) -> Input {
        if self.processes.contains_key(&id) {
            return Input::Started(id);
        }
        match self.try_start(id) {
            Ok(true) => Input::Started(id),
            Ok(false) => Input::NotStarted(id),
            Err(error) => {
                tracing::error!(role = %id, "{error:#}");
                Input::NotStarted(id)
            }
        }
    }

    /// False while the role's sockets are still to come with a role that outlived an earlier supervisor.
    fn try_start(&mut self, id: RoleId) -> anyhow::Result<bool> {
        if !self.sockets.contains_key(&id.role) {
            if self.processes.keys().any(|other| other.role == id.role) {
                return Ok(false);
            }
            self.sockets.insert(id.role, sockets::bind(&self.settings, id.role)?);
        }
        let sockets = self.sockets.get(&id.role).map(Vec::as_slice).unwrap_or_default();
        let process = Process::start(id, &self.settings, &self.log, sockets)?;
        tracing::debug!(role = %id, pid = process.pid.as_raw_nonzero(), "started");
        self.watch(id, process);
        Ok(true)
    }

    /// Keeps a running process and hears of its end.
    fn watch(&mut self, id: RoleId, process: Process) {
        let (events, handle, pid) = (self.events.clone(), process.handle.clone(), process.pid.as_raw_nonzero().get());
        self.processes.insert(id, process);
        tokio::task::spawn_blocking(move || {
            process::wait(&handle);
            let _ = events.blocking_send(Event::Exited { id, pid });
        });
    }

    fn exited(&mut self, id: RoleId, pid: i32) {
        let Some(process) = self.processes.get(&id).filter(|process| process.pid.as_raw_nonzero().get() == pid) else { return };
        let pid = process.pid.as_raw_nonzero();
        let how = self.processes.remove(&id).map(Process::reap).unwrap_or_default();
        process::sweep(&self.settings.run_dir(), id);
        self.unlink(id);
        if self.stopping_since.is_none() {
            tracing::warn!(role = %id, pid, how, "ended; it is replaced");
            self.handle(Input::Exited(id));
        }
    }

    /// A role connects: one of ours, one that an earlier supervisor started, or one too many.
    fn greet(&mut self, connection: u64, hello: Hello) {
        let id = RoleId { role: hello.role, index: hello.index };
        match self.processes.get(&id).map(|process| process.pid.as_raw_nonzero().get()) {
            Some(pid) if pid == hello.pid => {}
            Some(pid) => {
                tracing::warn!(role = %id, pid, stranger = hello.pid, "two processes play one role; the other is killed");
                return Process::adopt(hello.pid).map_or((), |stranger| stranger.signal(Signal::KILL));
            }
            None => {
                let Some(process) = Process::adopt(hello.pid) else { return };
                self.watch(id, process);
                self.handle(Input::Wanted(id));
                self.handle(Input::Started(id));
            }
        }
        tracing::debug!(role = %id, pid = hello.pid, version = hello.version, "linked");
        if hello.sockets.len() == id.role.sockets() {
            self.sockets.entry(id.role).or_insert(hello.sockets);
        }
        let stopping = self.stopping_since.map(|_| ToRole::Stop {}.line());
        for line in self.known_to(id).iter().map(|fact| ToRole::Fact(fact.into()).line()).chain(stopping) {
            let _ = hello.lines.try_send(line);
        }
        self.peers.insert(id, Peer { connection, lines: hello.lines, standing: Standing::default() });
    }

    fn of(&self, connection: u64) -> Option<RoleId> {
        self.peers.iter().find(|(_, peer)| peer.connection == connection).map(|(id, _)| *id)
    }

    fn said(&mut self, id: RoleId, said: FromRole) {
        match said {
            FromRole::Hello { .. } => {}
            FromRole::Beat {} => self.handle(Input::Beat(id)),
            FromRole::Answer { id, status, body } => {
                if let Some((_, reply)) = self.asks.remove(&id) {
                    let _ = reply.send((status, body));
                }
            }
            FromRole::Fact(wire) => {
                let Some(fact) = wire.known() else { return };
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.standing.note(fact.clone());
                }
                match fact {
                    Fact::Listening { event, .. } => self.tell(id, &Standing::sum(self.standings(), event)),
                    Fact::Live { .. }
                    | Fact::Ended { .. }
                    | Fact::Wanted { .. }
                    | Fact::Missing { .. }
                    | Fact::Copied { .. }
                    | Fact::Announced { .. }
                    | Fact::Reacted { .. }
                    | Fact::Hands { .. }
                    | Fact::Board { .. }
                    | Fact::Barred { .. }
                    | Fact::Bar { .. }
                    | Fact::Seats { .. } => self.tell(id, &fact),
                }
            }
        }
    }

    /// The link is gone, and with it what the role said of listeners.
    fn unlink(&mut self, id: RoleId) {
        let Some(peer) = self.peers.remove(&id) else { return };
        for event in peer.standing.listened() {
            self.tell(id, &Standing::sum(self.standings(), event));
        }
        self.asks.retain(|_, (asked, _)| *asked != id);
    }

    fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.peers.values().map(|peer| &peer.standing)
    }

    /// What a role that connects has to know of the others.
    fn known_to(&self, id: RoleId) -> Vec<Fact> {
        let live = self.standings().flat_map(Standing::live).cloned();
        let listened: std::collections::BTreeSet<_> = self.standings().flat_map(Standing::listened).collect();
        let listening = listened.into_iter().map(|event| Standing::sum(self.standings(), event));
        let kept = self.standings().flat_map(Standing::kept).filter(|fact| concerns(fact, id.role)).cloned();
        live.chain(listening.filter(|_| id.role != RoleName::Relay)).chain(kept).collect()
    }

    /// Passes a fact on, to whom it concerns.
    fn tell(&self, from: RoleId, fact: &Fact) {
        let line = ToRole::Fact(fact.into()).line();
        for (_, peer) in self.peers.iter().filter(|(id, _)| **id != from && concerns(fact, id.role)) {
            let _ = peer.lines.try_send(line.clone());
        }
    }

    fn ask(&mut self, id: RoleId, path: String, reply: oneshot::Sender<Answer>) {
        let Some(peer) = self.peers.get(&id).filter(|_| self.asks.len() < ASKS_MAX) else { return };
        self.ask_next += 1;
        if peer.lines.try_send(ToRole::Ask { id: self.ask_next, path }.line()).is_ok() {
            self.asks.insert(self.ask_next, (id, reply));
        }
    }

    /// Tells every role to finish; who does not is terminated, then killed.
    fn stop(&mut self) {
        if self.stopping_since.replace(Instant::now()).is_some() {
            return;
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.handle(Input::Stop);
        for (id, process) in &self.processes {
            match self.peers.get(id) {
                Some(peer) => drop(peer.lines.try_send(ToRole::Stop {}.line())),
                None => process.signal(Signal::TERM),
            }
        }
    }
}

/// Whether a role has to do with a fact. Relays count for themselves and want nothing of one another.
const fn concerns(fact: &Fact, role: RoleName) -> bool {
    match fact {
        Fact::Listening { .. } => !matches!(role, RoleName::Relay),
        Fact::Live { .. } | Fact::Ended { .. } => true,
        Fact::Wanted { .. } | Fact::Missing { .. } => matches!(role, RoleName::Copy),
        Fact::Copied { .. } => matches!(role, RoleName::Relay),
        Fact::Announced { .. } | Fact::Reacted { .. } | Fact::Hands { .. } | Fact::Board { .. } | Fact::Bar { .. } => {
            matches!(role, RoleName::Stage)
        }
        Fact::Barred { .. } | Fact::Seats { .. } => matches!(role, RoleName::Square),
    }
}

/// Starts one more worker whenever every one fills up.
async fn watch_relays(asker: Asker) {
    let mut tick = tokio::time::interval(FILLING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shares: BTreeMap<RoleId, u64> = BTreeMap::new();
    loop {
        tick.tick().await;
        let relays: Vec<RoleId> = asker.roles().await.iter().map(|(id, ..)| *id).filter(|id| id.role == RoleName::Relay).collect();
        let answers = asker.ask_all(relays, "/metrics").await;
        // Who is too busy to answer is as full as it last said; who never said anything is just starting.
        shares = answers
            .iter()
            .filter_map(|(id, said)| {
                let now = said.as_ref().and_then(|(_, text)| metrics::filled_percent(text));
                Some((*id, now.or_else(|| shares.get(id).copied())?))
            })
            .collect();
        let full = |id| shares.get(id).is_some_and(|share| *share >= base::limit::WORKERS_FILLING_PERCENT);
        if !answers.is_empty() && answers.iter().all(|(id, _)| full(id)) {
            let _ = asker.events.send(Event::RelaysFull).await;
        }
    }
}
