//! The mixing thread: every event's desk, once every 20 ms on a schedule that never drifts.
//!
//! In the tick it neither locks nor allocates nor frees: desks and output boxes come in and go out through rings. After a stall it
//! makes up for every tick that is due, and so it does when the encoders are behind: the programme's time is never left out.

use super::metrics::{Metrics, count};
use audio::mix::{Command, Desk, Output};
use base::limit::{ENCODER_QUEUE_TICKS_MAX, LIVE_EVENTS_MAX, MIXER_QUEUE_ORDERS_MAX};
use rtrb::{Consumer, Producer, RingBuffer};
use rustix::thread::{ClockId, clock_nanosleep_absolute};
use rustix::time::{Timespec, clock_gettime};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Between two ticks.
const TICK: Duration = Duration::from_millis(20);

/// What the thread's niceness is set to if it may.
const NICENESS: i32 = -15;

/// One event's place in the stage's media threads; the serial tells it from who had the slot before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct DeskId {
    /// Below [`LIVE_EVENTS_MAX`].
    pub slot: usize,
    /// Never used twice.
    pub serial: u64,
}

/// A desk as it travels to the mixer and back.
pub(super) struct Place {
    id: DeskId,
    desk: Desk,
    /// Which encoder thread has it.
    line: usize,
    /// The next tick to mix; set when it arrives.
    next: u64,
}

impl Place {
    /// A new desk, to be encoded by the encoder thread number `line`.
    pub(super) fn new(id: DeskId, line: usize) -> Result<Self, audio::opus::Error> {
        Ok(Self { id, desk: Desk::new()?, line, next: 0 })
    }

    /// Whose it is.
    pub(super) const fn id(&self) -> DeskId {
        self.id
    }
}

/// What the mixer is told.
#[expect(clippy::large_enum_variant, reason = "a box would be freed on the mixing thread")]
pub(super) enum Order {
    /// An event comes.
    Add(Box<Place>),
    /// An event goes.
    Remove(DeskId),
    /// For one event's desk.
    Desk(DeskId, Command),
}

/// What the mixer gives to an encoder thread.
pub(super) enum Mixed {
    /// One event's tick.
    Tick(DeskId, Box<Output>),
    /// An event is gone; its desk is to be freed.
    Gone(Box<Place>),
}

/// The mixer's side of the rings to one encoder thread.
pub(super) struct Line {
    out: Producer<Mixed>,
    back: Consumer<Box<Output>>,
    free: Vec<Box<Output>>,
    thread: Thread,
}

/// An encoder thread's side of them.
pub(super) struct Pickup {
    /// Ticks to encode.
    pub mixed: Consumer<Mixed>,
    /// Boxes to give back.
    pub back: Producer<Box<Output>>,
}

/// The rings between the mixer and one encoder thread. The thread comes later: it must have the pickup to start.
pub(super) fn line() -> (impl FnOnce(Thread) -> Line, Pickup) {
    // What goes out is bounded by the boxes, but for the desks that go: there is room for all of them.
    let (out, mixed) = RingBuffer::new(ENCODER_QUEUE_TICKS_MAX + 2 * LIVE_EVENTS_MAX);
    let (mut give, back) = RingBuffer::new(ENCODER_QUEUE_TICKS_MAX);
    for _ in 0..ENCODER_QUEUE_TICKS_MAX {
        let _ = give.push(Box::<Output>::default());
    }
    let free = Vec::with_capacity(ENCODER_QUEUE_TICKS_MAX);
    (move |thread| Line { out, back, free, thread }, Pickup { mixed, back: give })
}

/// The ring of orders.
pub(super) fn orders() -> (Producer<Order>, Consumer<Order>) {
    RingBuffer::new(MIXER_QUEUE_ORDERS_MAX)
}

/// The mixing thread's state.
pub(super) struct Mixer {
    orders: Consumer<Order>,
    lines: Vec<Line>,
    places: Vec<Option<Box<Place>>>,
    metrics: Arc<Metrics>,
}

impl Mixer {
    pub(super) fn new(orders: Consumer<Order>, lines: Vec<Line>, metrics: Arc<Metrics>) -> Self {
        let places = (0..LIVE_EVENTS_MAX).map(|_| None).collect();
        Self { orders, lines, places, metrics }
    }

    /// Ticks until told to stop.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        // Without the right to it the thread runs as any other.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
        let start = (clock_gettime(rustix::time::ClockId::Monotonic), Instant::now());
        let mut tick = 0u64;
        while !stop.load(Relaxed) {
            let after = Duration::from_nanos(tick * 20_000_000);
            sleep_until(start.0, after);
            let due = start.1 + after;
            self.metrics.tick(due.elapsed());
            self.tick(start.1, tick);
            tick += 1;
        }
    }

    fn tick(&mut self, start: Instant, tick: u64) {
        while let Ok(order) = self.orders.pop() {
            self.obey(order, tick);
        }
        for line in &mut self.lines {
            while line.free.len() < line.free.capacity()
                && let Ok(free) = line.back.pop()
            {
                line.free.push(free);
            }
        }
        for place in self.places.iter_mut().flatten() {
            let line = &mut self.lines[place.line];
            while place.next <= tick {
                let Some(mut output) = line.free.pop() else {
                    count(&self.metrics.ticks_postponed);
                    break;
                };
                let due = start + TICK * u32::try_from(place.next).unwrap_or(u32::MAX);
                mix(&mut place.desk, due, &mut output, &self.metrics);
                place.next += 1;
                // Never full: there are no more boxes than places in the ring.
                let _ = line.out.push(Mixed::Tick(place.id, output));
            }
        }
        for line in &self.lines {
            line.thread.unpark();
        }
    }

    fn obey(&mut self, order: Order, tick: u64) {
        match order {
            Order::Add(mut place) => {
                place.next = tick;
                let slot = place.id.slot;
                if let Some(before) = self.places[slot].replace(place) {
                    self.dismiss(before);
                }
            }
            Order::Remove(id) => {
                if let Some(place) = self.places[id.slot].take_if(|place| place.id == id) {
                    self.dismiss(place);
                }
            }
            Order::Desk(id, command) => {
                if let Some(place) = self.places[id.slot].as_mut().filter(|place| place.id == id) {
                    place.desk.apply(&command);
                }
            }
        }
    }

    /// Lets another thread free a desk.
    fn dismiss(&mut self, place: Box<Place>) {
        let _ = self.lines[place.line].out.push(Mixed::Gone(place));
    }
}

/// One event's fault is its own: the others' sound goes on.
fn mix(desk: &mut Desk, due: Instant, output: &mut Output, metrics: &Metrics) {
    if catch_unwind(AssertUnwindSafe(|| desk.tick(due, output))).is_err() {
        count(&metrics.panics);
        output.silence();
    }
}

fn sleep_until(start: Timespec, after: Duration) {
    let nanos = start.tv_nsec + i64::from(after.subsec_nanos());
    let seconds = start.tv_sec + i64::try_from(after.as_secs()).unwrap_or(i64::MAX / 2) + nanos / 1_000_000_000;
    let due = Timespec { tv_sec: seconds, tv_nsec: nanos % 1_000_000_000 };
    while clock_nanosleep_absolute(ClockId::Monotonic, &due) == Err(rustix::io::Errno::INTR) {}
}
