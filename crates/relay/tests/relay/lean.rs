//! What a listener costs besides the bytes: memory, and calls of the allocator.

use crate::secure::{Certificate, Secure};
use crate::world::{Client, Stage, World, fragments};
use base::Rung;
use rustls::version::TLS13;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes of user memory that a plain listener may cost.
const LISTENER_BYTES_MAX: i64 = 512;

/// Bytes of user memory that one with TLS may cost, behind the handshake.
const TLS_LISTENER_BYTES_MAX: i64 = 1_024;

/// What this thread has asked of the allocator: the harness's other threads ask as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    calls: u64,
    /// Bytes taken, less those given back.
    bytes: i64,
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked { calls: 0, bytes: 0 }) };
}

fn note(taken: usize, given_back: usize) {
    let [taken, given_back] = [taken, given_back].map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let bytes = taken - given_back;
    // A thread that is ending has no counter any more, and no test either.
    let _ = ASKED.try_with(|asked| asked.set(Asked { calls: asked.get().calls + 1, bytes: asked.get().bytes + bytes }));
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator can only be watched by being one; every call goes on to the system's")]
// SAFETY: each function hands its arguments, unchanged, to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        note(bytes, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the worker asks of the allocator in a turn.
fn turn(world: &mut World) -> Asked {
    let before = ASKED.get();
    world.turn();
    Asked { calls: ASKED.get().calls - before.calls, bytes: ASKED.get().bytes - before.bytes }
}

/// So many listeners come in; what the worker has taken for them.
fn join(world: &mut World, stage: &Stage, count: usize) -> (Vec<Client>, i64) {
    let (mut clients, mut bytes) = (Vec::new(), 0);
    let before = world.worker.load().streams;
    // No more at once than wait in the accept queue.
    for _ in 0..count / 100 {
        clients.extend((0..100).map(|_| world.ask("GET", &stage.path(".mp4?from=-1"), "")));
        while world.worker.load().streams < before + clients.len() {
            bytes += turn(world).bytes;
        }
    }
    for client in &mut clients {
        world.until("the burst", |_| (!fragments(client.body()).is_empty()).then_some(()));
    }
    (clients, bytes)
}

#[test]
fn a_listener_is_a_few_words() {
    let mut world = World::new();
    let stage = world.live(100);
    let (_first, _) = join(&mut world, &stage, 100);
    let (_clients, bytes) = join(&mut world, &stage, 500);
    assert!(bytes / 500 <= LISTENER_BYTES_MAX, "{} bytes a listener", bytes / 500);
}

#[test]
fn a_listener_with_tls_is_some_words_more() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let stage = world.live(100);
    let config = certificate.client(&[&TLS13]);
    let mut join = |count: usize| {
        let (before, mut bytes) = (world.worker.load().streams, 0);
        let ask = |_| Secure::ask(&world, &config, &stage.path(".mp4?from=-1"), "");
        let mut clients: Vec<_> = (0..count).map(ask).collect();
        while world.worker.load().streams < before + count {
            bytes += turn(&mut world).bytes;
            clients.iter_mut().for_each(|client| client.pull(usize::MAX));
        }
        (clients, bytes)
    };
    let (_first, _) = join(100);
    let (_clients, bytes) = join(100);
    assert!(bytes / 100 <= TLS_LISTENER_BYTES_MAX, "{} bytes a listener", bytes / 100);
}

#[test]
fn a_send_asks_nothing_of_the_allocator() {
    let calls = |listeners: usize| -> Vec<u64> {
        let mut world = World::new();
        let mut stage = world.live(100);
        let (_clients, _) = join(&mut world, &stage, listeners);
        let mut slot = || {
            stage.seal(&[Rung::R64], 1);
            turn(&mut world).calls
        };
        // Lists grow to their lengths first.
        let calls = (0..10).map(|_| slot()).skip(5).collect();
        assert_eq!(world.metric("sends_total"), listeners as u64 * 11, "one for the burst, one in each slot");
        calls
    };
    assert_eq!(calls(100), calls(400));
}
