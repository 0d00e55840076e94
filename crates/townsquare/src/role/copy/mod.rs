//! The copier: it has the events that listeners of this machine ask for copied from the upstreams, each once.
//!
//! The loop hears what relay workers want and decides what is followed; threads do the rest: one for each rung that is followed, a few
//! that fetch single blocks, one that says upstream how many listen. Nothing waits for a disk or a network in the loop.

mod event;
mod fetch;
mod files;
mod follow;
mod metrics;
mod shelf;
mod tell;
mod upstream;
mod window;

use crate::link::{FromSupervisor, Link, RoleName};
use crate::settings::Settings;
use anyhow::Context as _;
use base::fact::Fact;
use base::limit::{COPIES_MAX, COPIES_SOUGHT_MAX};
use base::{EventId, Rung};
use event::Event;
use metrics::{Load, Metrics};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use upstream::Trouble;

/// The longest wait of the loop: it beats more often than the supervisor looks.
const WAIT: Duration = Duration::from_millis(100);

/// How long a copy goes on after it was last wanted: relay workers say so every second.
const UNWANTED: Duration = Duration::from_secs(15);

/// How long a rung besides the recording goes on after its last listener.
const UNHEARD: Duration = Duration::from_secs(30);

/// How often copies that are too many are removed.
const TIDY: Duration = Duration::from_secs(60);

/// Threads that fetch blocks.
const FETCHERS: usize = 4;

/// Bytes of a thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// What the threads share.
struct Desk {
    link: Link,
    upstreams: upstream::Upstreams,
    window: window::Window,
    fetches: fetch::Fetches,
    listening: tell::Listening,
    metrics: Metrics,
    directory: PathBuf,
    /// The events that are copied.
    events: Mutex<BTreeMap<EventId, Arc<Event>>>,
}

impl Desk {
    /// Blocks have come; others go for them.
    fn admit(&self, blocks: impl IntoIterator<Item = window::Block>) {
        let mut go = self.window.admit(blocks);
        let count = go.len();
        let mut stay = Vec::new();
        for (id, rung, block) in go.drain(..) {
            let open = self.events.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
            let gone = match open {
                Some(event) => event.evict(rung, block),
                None => files::evict_closed(&self.directory.join(id.to_string()), rung, block).map(|()| true),
            };
            match gone {
                Ok(true) => {}
                Ok(false) => stay.push((id, rung, block)),
                Err(error) => tracing::warn!(event = %id, %rung, block, %error, "a block can't be taken away"),
            }
        }
        self.metrics.evicted(count - stay.len());
        // Where a copy goes on nothing is taken away: it goes when it is no longer the last.
        self.window.keep(stay);
    }

    /// Works on a rung's files; on a full disk once more, when older blocks have made room.
    fn write<T>(&self, event: &Event, rung: Rung, mut work: impl FnMut(&mut files::Files) -> io::Result<T>) -> Result<T, Trouble> {
        match event.with(rung, &mut work) {
            Err(Trouble::Disk(error)) if error.kind() == io::ErrorKind::StorageFull && self.window.shrink() => {
                tracing::warn!(window_bytes = self.window.bytes().1, "the disk is full before the window is: the window becomes smaller");
                self.admit([]);
                event.with(rung, work)
            }
            done => done,
        }
    }
}

/// One event as the loop sees it.
struct Slot {
    event: Arc<Event>,
    wanted: Instant,
    counts: tell::Counts,
    rungs: [Followed; 3],
}

/// One rung of it.
#[derive(Default)]
struct Followed {
    heard: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

struct Copier {
    desk: Arc<Desk>,
    slots: BTreeMap<EventId, Slot>,
    tidied: Instant,
}

/// Plays the role until the supervisor says stop.
pub(crate) fn run(settings: &Settings, index: u32) -> anyhow::Result<()> {
    let copy = settings.copy.as_ref().context("a copier needs upstreams")?;
    let directory = settings.data.join("events");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    shelf::prepare(&settings.data.join("copies"), &directory, boot.trim()).context("the copies can't be looked through")?;
    let (link, orders) = Link::open(settings, RoleName::Copy, index, Vec::new());
    let desk = Arc::new(Desk {
        link: link.clone(),
        upstreams: upstream::Upstreams::new(settings, copy)?,
        window: window::Window::new(copy.window_bytes, &directory),
        fetches: fetch::Fetches::default(),
        listening: tell::Listening::default(),
        metrics: Metrics::default(),
        directory,
        events: Mutex::default(),
    });
    // A window that became smaller.
    desk.admit([]);
    for _ in 0..FETCHERS {
        let desk = Arc::clone(&desk);
        spawn("fetch", move || fetch::run(&desk))?;
    }
    let (stop, stopped) = mpsc::channel();
    let telling = Arc::clone(&desk);
    spawn("tell", move || tell::run(&telling, &stopped))?;
    let mut copier = Copier { desk, slots: BTreeMap::new(), tidied: Instant::now() };
    loop {
        match orders.recv_timeout(WAIT) {
            Ok(FromSupervisor::Fact(fact)) => copier.hear(fact),
            Ok(FromSupervisor::Ask { id, path }) => match path.as_str() {
                "/metrics" => link.answer(id, 200, copier.metrics()),
                "/healthz" | "/readyz" => link.answer(id, 200, "ok\n".to_owned()),
                _ => link.answer(id, 404, "unknown\n".to_owned()),
            },
            Ok(FromSupervisor::Stop) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(WAIT),
        }
        copier.look(Instant::now())?;
        link.beat();
    }
    drop(stop);
    Ok(())
}

impl Copier {
    fn hear(&mut self, fact: Fact) {
        match fact {
            Fact::Wanted { event } => self.want(event),
            Fact::Missing { event, rung, block } => {
                self.want(event);
                if let Some(slot) = self.slots.get(&event) {
                    self.desk.fetches.want(Arc::clone(&slot.event), rung, block);
                }
            }
            Fact::Listening { event, by_rung } => {
                if by_rung.iter().any(|(_, count)| *count > 0) {
                    self.want(event);
                }
                let Some(slot) = self.slots.get_mut(&event) else { return };
                let mut counts = [0; 3];
                for (rung, count) in by_rung {
                    counts[rung.place()] = count;
                    if count > 0 {
                        slot.rungs[rung.place()].heard = Some(Instant::now());
                    }
                }
                slot.counts = counts;
                self.desk.listening.set(&slot.event, counts);
            }
            Fact::Live { .. }
            | Fact::Ended { .. }
            | Fact::Copied { .. }
            | Fact::Announced { .. }
            | Fact::Reacted { .. }
            | Fact::Hands { .. }
            | Fact::Board { .. }
            | Fact::Bar { .. }
            | Fact::Barred { .. }
            | Fact::Seats { .. } => {}
        }
    }

    /// Somebody asks for an event.
    fn want(&mut self, id: EventId) {
        let now = Instant::now();
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.wanted = now;
            if slot.event.is_current() && !slot.event.stops() {
                self.desk.link.tell(Fact::Copied { event: id, known: true });
            }
            return;
        }
        let sought = self.slots.values().filter(|slot| !slot.event.is_current()).count();
        if self.slots.len() >= COPIES_MAX || sought >= COPIES_SOUGHT_MAX {
            return;
        }
        let event = Arc::new(Event::new(id, self.desk.directory.join(id.to_string())));
        self.desk.events.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&event));
        self.slots.insert(id, Slot { event, wanted: now, counts: [0; 3], rungs: Default::default() });
    }

    /// Starts what is to be followed, and lets go what is not.
    fn look(&mut self, now: Instant) -> anyhow::Result<()> {
        for slot in self.slots.values_mut() {
            if now.saturating_duration_since(slot.wanted) >= UNWANTED {
                slot.event.stop();
            }
            for rung in Rung::ALL {
                let Followed { heard, thread } = &mut slot.rungs[rung.place()];
                // A rung is heard for as long as somebody listens: what does not change is not said again.
                if slot.counts[rung.place()] > 0 {
                    *heard = Some(now);
                }
                slot.event.set_wanted(rung, heard.is_some_and(|at| now.saturating_duration_since(at) < UNHEARD));
                if thread.as_ref().is_some_and(JoinHandle::is_finished) {
                    *thread = None;
                }
                if thread.is_none() && slot.event.wants(rung) && (rung == Rung::R64 || slot.event.is_current()) {
                    let (desk, event) = (Arc::clone(&self.desk), Arc::clone(&slot.event));
                    *thread = Some(spawn("follow", move || follow::run(&desk, &event, rung))?);
                }
            }
        }
        let done = |slot: &Slot| slot.event.stops() && slot.rungs.iter().all(|rung| rung.thread.is_none());
        let gone: Vec<EventId> = self.slots.iter().filter(|(_, slot)| done(slot)).map(|(id, _)| *id).collect();
        for id in gone {
            self.slots.remove(&id);
            self.desk.listening.forget(id);
            self.desk.events.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        if now.saturating_duration_since(self.tidied) >= TIDY {
            self.tidied = now;
            for id in shelf::tidy(&self.desk.directory, |id| self.slots.contains_key(&id)) {
                self.desk.window.forget(id);
            }
        }
        Ok(())
    }

    fn metrics(&self) -> String {
        self.desk.metrics.text(&Load { events: self.slots.len(), window: self.desk.window.bytes() })
    }
}

fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<JoinHandle<T>> {
    let thread = std::thread::Builder::new().name(name.into()).stack_size(STACK_BYTES);
    thread.spawn(work).with_context(|| format!("the system gives no thread to {name}"))
}
