//! Fetching what a listener waits for and is not on this disk: each block once, however many wait.

use super::Desk;
use super::event::Event;
use super::upstream::{Silence, Trouble};
use base::limit::COPY_FETCHES_MAX;
use base::{EventId, FragmentNumber, Place, Rung};
use programme::copy::{self, Frame, Reader};
use programme::index::Entry;
use std::collections::{BTreeSet, VecDeque};
use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

type Key = (EventId, Rung, u64);

/// The blocks that wait to be fetched, and those that are being fetched.
#[derive(Default)]
pub(super) struct Fetches {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Arc<Event>, Rung, u64)>,
    known: BTreeSet<Key>,
}

impl Fetches {
    /// Wants a block; nothing happens when it is wanted already, or too many are.
    pub(super) fn want(&self, event: Arc<Event>, rung: Rung, block: u64) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.known.len() < COPY_FETCHES_MAX && queue.known.insert((event.id, rung, block)) {
            queue.waiting.push_back((event, rung, block));
            self.more.notify_one();
        }
    }

    /// The next block, once there is one.
    fn next(&self) -> (Arc<Event>, Rung, u64) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match queue.waiting.pop_front() {
                Some(next) => return next,
                None => queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn done(&self, key: Key) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).known.remove(&key);
    }
}

/// Fetches for as long as the process lives.
pub(super) fn run(desk: &Desk) {
    loop {
        let (event, rung, block) = desk.fetches.next();
        for nth in 0..desk.upstreams.count() {
            let which = event.upstream() + nth;
            match fetch(desk, &event, rung, block, which) {
                Ok(()) => break,
                Err(trouble) => {
                    desk.metrics.trouble(trouble.name());
                    let upstream = desk.upstreams.name(which);
                    tracing::info!(event = %event.id, %rung, block, upstream, %trouble, "a block can't be fetched");
                }
            }
        }
        desk.fetches.done((event.id, rung, block));
    }
}

fn fetch(desk: &Desk, event: &Event, rung: Rung, block: u64, which: usize) -> Result<(), Trouble> {
    let entries = event.with(rung, |files| files.entries())?;
    let wanted = copy::in_block(&entries, block);
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(()) };
    let to = last.number.0 + rung.slots_per_fragment();
    let mut answer = desk.upstreams.ask(which, event.id, &format!("{rung}?from={}&to={to}", first.number), Silence::Patient)?;
    let before = first.number.0.checked_sub(rung.slots_per_fragment()).map(FragmentNumber);
    let mut reader = Reader::new(rung, before.map(|number| Place { epoch: first.epoch, number }));
    let mut bytes = vec![0; READ_BYTES];
    let mut fragments: Vec<(Entry, Vec<u8>)> = Vec::new();
    while fragments.len() < wanted.len() {
        match answer.body.read(&mut bytes) {
            // It lacks some of what was named.
            Ok(0) => return Err(Trouble::Other),
            Ok(count) => {
                desk.metrics.fetched(count);
                reader.feed(&bytes[..count]);
            }
            Err(error) => return Err(Trouble::of_read(&error)),
        }
        while let Some(frame) = reader.frame()? {
            let Some(entry) = wanted.get(fragments.len()) else { return Err(Trouble::Other) };
            match frame {
                Frame::Fragment(place, bytes) if place == entry.place() && bytes.len() == entry.length as usize => {
                    fragments.push((*entry, bytes));
                }
                Frame::Fragment(..) | Frame::Named(..) | Frame::End(_) | Frame::Cuts(_) | Frame::Journal(_) => return Err(Trouble::Other),
            }
        }
    }
    if desk.write(event, rung, |files| files.fill(block, &fragments))? {
        desk.metrics.block();
        desk.admit([(event.id, rung, block)]);
    }
    Ok(())
}
