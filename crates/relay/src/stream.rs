//! One endless stream: where a listener is in the programme, and what to send next.

use crate::event::{Event, Phase};
use crate::pace::Pace;
use crate::rota::Seat;
use base::cadence::SLOT_MILLIS;
use base::{Cadence, EventId, FragmentNumber, Rung, limit};
use programme::view::Extent;
use programme::view::live::{self, From};
use programme::{fragment, init};
use std::io;
use std::num::NonZeroU64;
use std::rc::Rc;

/// Seconds of sound with which a stream that was moved to the live edge begins again.
const BURST_SECONDS: u64 = 1;

/// A box's length and kind.
const FREE_HEADER_BYTES: u64 = 8;

const BEHIND_SLOTS_MAX: u64 = limit::LISTENER_BEHIND_MILLIS_MAX / SLOT_MILLIS;

/// Slots that a player has in store besides the cadence when its stream begins: what [`live::start`] gives.
const STORE_SLOTS: u64 = 5;

/// What a listener asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) rung: Rung,
    pub(crate) from: From,
    /// The cadence for which the player has enough in store, when it says so: it comes from another connection.
    pub(crate) ready: Option<Cadence>,
    /// It waits for the event to begin.
    pub(crate) wait: bool,
}

/// Everything about a listener but the descriptor and bytes half sent: plain data, which another process could go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) event: EventId,
    /// The first number that is not in hand.
    next: FragmentNumber,
    pub(crate) pace: Pace,
    /// The how manieth stream of the event it is: that says its group.
    ordinal: u32,
    /// Bytes that are sent of what is in hand.
    sent: u32,
    /// The least that the listener has been behind the edge, in slots: who rewound is not slow.
    least_behind: u32,
    /// The rung asked for.
    pub(crate) rung: Rung,
    /// Whether this listener counts: a prefetch does not.
    pub(crate) counts: bool,
    /// Its turn has come and it has not been sent anything since.
    owed: bool,
    /// It waits for bytes of a copy that are not here.
    pub(crate) lacks: bool,
}

impl Place {
    /// The group in which it has its turn.
    pub(crate) fn seat(&self) -> Seat {
        Seat::of(self.ordinal, self.rung, self.pace.now)
    }
}

/// One listener's stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) place: Place,
    /// The number of the ticket that let the listener into a private event.
    pub(crate) ticket: Option<NonZeroU64>,
    /// The opening, or whole fragments that are shared with everybody at the same place; some of it sent.
    hand: Option<Rc<[u8]>>,
}

/// What makes two streams begin with the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpeningKey {
    rung: Rung,
    cadence: Cadence,
    from: FragmentNumber,
    is_padded: bool,
}

/// What there is to send.
pub(crate) enum Next {
    /// These bytes.
    Bytes(Rc<[u8]>, usize),
    /// Nothing yet.
    Wait,
    /// Nothing ever.
    End,
}

impl Stream {
    /// A stream that begins with the answer's `head` and what `wish` says, at a cadence of `target` or quicker. Those who join in the same
    /// slot share what they are sent first, which is one send.
    ///
    /// # Errors
    /// The bytes can't be read.
    pub(crate) fn open(event: &mut Event, wish: Wish, counts: bool, target: Cadence, head: &[u8]) -> io::Result<Self> {
        let cadence = birth(event, wish, target);
        let from = live::start(&event.programme(), wish.rung, wish.from, cadence);
        let least_behind = behind(event, from);
        let is_near = u64::from(least_behind) <= burst_slots(wish.rung, cadence);
        let key = OpeningKey { rung: wish.rung, cadence, from, is_padded: wish.from == From::Live };
        let (bytes, next) = event.opening(key, head, |event| {
            let announced = if cadence == Cadence::QUICKEST { Vec::new() } else { fragment::cadence(from, cadence) };
            let mut bytes = [head, init::segment()].concat();
            if key.is_padded {
                let (burst, _) = event.programme().extents(key.rung, from, event.mark());
                let sound = burst.iter().map(Extent::length).sum::<u64>();
                free(padding_bytes((init::segment().len() + announced.len()) as u64 + sound), &mut bytes);
            }
            let burst = if is_near { event.chunk(key.rung, from, true, None) } else { Ok(None) };
            // What a copy lacks it is sent once it is here.
            let burst = burst.or_else(|error| event.note_missing(error).map(|()| None))?;
            let (sound, next) = burst.unwrap_or_else(|| ([].into(), from));
            bytes.extend_from_slice(&announced);
            bytes.extend_from_slice(&sound);
            Ok((bytes.into(), next))
        })?;
        let place = Place {
            event: event.id,
            next,
            pace: Pace::born(cadence),
            ordinal: event.next_ordinal(),
            sent: 0,
            least_behind,
            rung: wish.rung,
            counts,
            owed: next == from,
            lacks: false,
        };
        Ok(Self { place, ticket: None, hand: Some(bytes) })
    }

    /// Its turn has come.
    pub(crate) const fn owe(&mut self) {
        self.place.owed = true;
    }

    /// What to send next: the rest of what is in hand, else the fragments that follow, when it has its turn or is more than a cadence
    /// behind. Counts what it does in `skips`: moves to the live edge.
    ///
    /// # Errors
    /// The bytes can't be read.
    pub(crate) fn next(&mut self, event: &mut Event, target: Cadence, skips: &mut u64) -> io::Result<Next> {
        if let Some(bytes) = &self.hand {
            return Ok(Next::Bytes(Rc::clone(bytes), self.place.sent as usize));
        }
        let has_ended = event.phase() == Phase::Ended;
        let behind = u64::from(self.keep_up(event, skips));
        let place = &mut self.place;
        if !place.owed && !has_ended && behind <= place.pace.now.slots() {
            return Ok(Next::Wait);
        }
        let (pace, announced) = place.pace.next(target.max(Cadence::least(place.rung)), event.mark());
        let chunk = event.chunk(place.rung, place.next, behind <= burst_slots(place.rung, place.pace.now), announced);
        place.lacks = chunk.is_err();
        match chunk.or_else(|error| event.note_missing(error).map(|()| None))? {
            Some((bytes, next)) => {
                (place.pace, place.next, place.owed) = (pace, next, false);
                self.hand = Some(Rc::clone(&bytes));
                Ok(Next::Bytes(bytes, 0))
            }
            None if has_ended && !place.lacks => Ok(Next::End),
            None => Ok(Next::Wait),
        }
    }

    /// Notes that so many bytes of what is in hand are sent; whether that was all.
    pub(crate) fn advance(&mut self, count: usize) -> bool {
        self.place.sent += u32::try_from(count).unwrap_or(u32::MAX);
        let is_all = self.hand.as_ref().is_none_or(|bytes| self.place.sent as usize >= bytes.len());
        if is_all {
            self.hand = None;
            self.place.sent = 0;
        }
        is_all
    }

    /// Moves a listener who fell too far behind to the live edge; at a fragment boundary, for nothing is in hand. Gives how far behind
    /// it is, in slots.
    fn keep_up(&mut self, event: &Event, skips: &mut u64) -> u32 {
        let place = &mut self.place;
        let now = behind(event, place.next);
        if u64::from(now) > u64::from(place.least_behind) + place.pace.now.slots() + BEHIND_SLOTS_MAX {
            *skips += 1;
            place.next = live::start(&event.programme(), place.rung, From::SecondsBack(BURST_SECONDS), place.pace.now);
            place.least_behind = behind(event, place.next);
            return place.least_behind;
        }
        place.least_behind = place.least_behind.min(now);
        now
    }
}

/// Bytes of the kernel's room for a stream's unsent bytes: a whole send of the cadence and what a stream begins with. What lies there can't
/// be skipped, so a slow reader's lag must not hide in it.
#[expect(clippy::cast_possible_truncation, reason = "22 s of the best rung are 220 kB")]
pub(crate) const fn buffer_bytes(rung: Rung, cadence: Cadence) -> usize {
    // A quarter more than the sound: boxes and live facts.
    let bytes_per_slot = rung.bits_per_second() as u64 / 8 * 5 / 4 * SLOT_MILLIS / 1_000;
    (burst_slots(rung, cadence) * bytes_per_slot) as usize
}

/// Slots that are sent at once at most: the cadence, and what a stream begins with besides.
const fn burst_slots(rung: Rung, cadence: Cadence) -> u64 {
    cadence.slots() + (live::burst_seconds(rung) + 1) * 1_000 / SLOT_MILLIS
}

/// The cadence that a listener begins with: the worker's, for a new stream has a store that suits it. Who goes on at a fragment has
/// the store that it has: it begins with what it says that it is ready for, else with what lies between its fragment and the edge.
fn birth(event: &Event, wish: Wish, target: Cadence) -> Cadence {
    let Wish { rung, from, ready, wait: _ } = wish;
    let least = Cadence::least(rung);
    let cadence = match from {
        From::Live | From::SecondsBack(_) => target,
        From::Fragment(number) => {
            let behind = u64::from(behind(event, number));
            let stored = Cadence::ALL.into_iter().rev().find(|cadence| cadence.slots() + STORE_SLOTS <= behind);
            target.min(stored.max(ready).unwrap_or(Cadence::QUICKEST))
        }
    };
    cadence.max(least)
}

/// Bytes that a `free` box must have so that a stream whose opening has this many bytes besides ends its burst with a block.
fn padding_bytes(bytes: u64) -> u64 {
    let bytes = bytes + FREE_HEADER_BYTES;
    FREE_HEADER_BYTES + bytes.next_multiple_of(live::ELEMENT_BLOCK_BYTES) - bytes
}

/// Appends a `free` box (ISO/IEC 14496-12, 8.1.2) of so many bytes, its header included; a block at most.
fn free(bytes: u64, into: &mut Vec<u8>) {
    let length = u32::try_from(bytes).unwrap_or(8);
    into.extend_from_slice(&length.to_be_bytes());
    into.extend_from_slice(b"free");
    into.resize(into.len() + length as usize - 8, 0);
}

fn behind(event: &Event, number: FragmentNumber) -> u32 {
    u32::try_from(event.mark().0.saturating_sub(number.0)).unwrap_or(u32::MAX)
}
