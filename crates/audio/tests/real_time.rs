//! The desk's tick, and all that its thread does between ticks, never calls the allocator.

use audio::mix::{Command, Desk, INPUTS, Input, Output};
use audio::opus::{Encoder, PACKET_BYTES_MAX};
use audio::{jitter, level};
use base::Rung;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    /// Calls of the allocator by this thread: the harness's other threads allocate as they like.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter any more, and no test either.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator can only be watched by being one; every call goes on to the system's")]
// SAFETY: each function hands its arguments, unchanged, to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn calls() -> u64 {
    CALLS.with(Cell::get)
}

#[test]
fn a_full_stage_on_a_bad_network_never_allocates() {
    let mut desk = Desk::new().expect("a desk");
    let mut output = Box::<Output>::default();
    let mut voice = Encoder::stage().expect("an encoder");
    let mut rungs = Rung::ALL.map(|rung| Encoder::programme(rung).expect("an encoder"));
    let mut packet = [0u8; PACKET_BYTES_MAX];
    let origin = Instant::now();
    let before = calls();
    let mut loudest = level::SILENCE_DB;
    for input in Input::all() {
        desk.apply(&Command::Open(input));
        desk.apply(&Command::SetOnAir(input, true));
    }
    for tick in 0u32..500 {
        let now = origin + Duration::from_millis(20) * tick;
        let said = std::array::from_fn(|index| 0.2 * ((tick as f32 * 960.0 + index as f32) * 0.05).sin());
        let bytes = voice.encode(&said, &mut packet).expect("a packet");
        for (number, input) in Input::all().enumerate() {
            // Losses in a row, packets twice, padding, pauses, senders that begin anew: what makes the buffer work.
            let turn = tick as usize * 7 + number * 13;
            let is_paused = tick % 200 > 120 && number % 4 == 0;
            if turn.is_multiple_of(10) || turn % 57 < 4 || is_paused {
                continue;
            }
            let jump = if tick > 300 && number == 3 { 1 << 30 } else { 0 };
            let sequence = u16::try_from(tick).expect("small");
            if let Some(packet) = jitter::Packet::new(now, sequence, tick * 960 + jump, &packet[..bytes]) {
                desk.apply(&Command::Push(input, packet));
            }
            desk.push(input, now, sequence, tick * 960 + jump, &[]);
        }
        if tick % 50 == 0 {
            for input in Input::all().filter(|input| input.number() % 3 == 0) {
                desk.apply(&Command::SetMuted(input, tick % 100 == 0));
                desk.apply(&Command::SetOnAir(input, tick % 150 == 0));
            }
            desk.apply(&Command::SetHold(tick % 200 == 100));
            desk.apply(&Command::Chime);
            desk.apply(&Command::Fade(Input::new(1).expect("an input")));
            let last = Input::new(INPUTS - 1).expect("an input");
            let command = if tick % 100 == 0 { Command::Close(last) } else { Command::Open(last) };
            desk.apply(&command);
        }
        desk.tick(now, &mut output);
        loudest = loudest.max(level::decibels(&output.programme));
        for rung in &mut rungs {
            rung.encode(&output.programme, &mut packet).expect("a packet");
        }
    }
    assert_eq!(calls() - before, 0, "calls of the allocator");
    assert!(loudest > -30.0, "the stage was silent: {loudest} dB");
    assert!(desk.counts(Input::new(3).expect("an input")).restarts > 0);
    assert_eq!(drop(vec![0u8; 64]), (), "the counter counts");
    assert!(calls() > before, "the counter counts");
}
