//! One endless stream: where a listener is in the programme, and what to send next.

use crate::event::{Event, Phase};
use base::time::FRAGMENT_SAMPLES;
use base::{EventId, FragmentNumber, Rung, limit};
use programme::init;
use programme::view::Extent;
use programme::view::live::{self, From};
use std::io;
use std::rc::Rc;

/// Seconds of sound with which a stream that was moved to the live edge begins again.
const BURST_SECONDS: u64 = 1;

/// A box's length and kind.
const FREE_HEADER_BYTES: u64 = 8;

/// Milliseconds of one slot.
const SLOT_MILLIS: u64 = FRAGMENT_SAMPLES / 48;

const BEHIND_SLOTS_MAX: u64 = limit::LISTENER_BEHIND_MILLIS_MAX / SLOT_MILLIS;

/// One listener's place.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) event: EventId,
    /// The rung asked for.
    pub(crate) asked: Rung,
    /// Whether this listener counts: a prefetch does not.
    pub(crate) counts: bool,
    /// The first number that is not in hand.
    next: FragmentNumber,
    /// Whole fragments, some of them sent; shared with everybody who is at the same place.
    hand: Option<Rc<[u8]>>,
    sent: usize,
    /// The least that the listener has been behind the edge, in slots: who rewound is not slow.
    least_behind: u64,
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
    pub(crate) fn new(event: &Event, asked: Rung, counts: bool, from: From) -> Self {
        let next = live::start(&event.programme(), asked, from);
        Self { event: event.id, asked, counts, next, hand: None, sent: 0, least_behind: behind(event, next) }
    }

    /// Bytes that a `free` box must have between the init segment and the sound, so that the sound ends with a block.
    pub(crate) fn padding_bytes(&self, event: &Event) -> u64 {
        let (burst, _) = event.programme().extents(self.asked, self.next, event.mark());
        let bytes = init::segment().len() as u64 + burst.iter().map(Extent::length).sum::<u64>() + FREE_HEADER_BYTES;
        FREE_HEADER_BYTES + bytes.next_multiple_of(live::ELEMENT_BLOCK_BYTES) - bytes
    }

    /// What to send next: the rest of what is in hand, else the fragments that follow. `skips` counts moves to the live edge.
    ///
    /// # Errors
    /// The bytes can't be read.
    pub(crate) fn next(&mut self, event: &mut Event, skips: &mut u64) -> io::Result<Next> {
        if let Some(bytes) = &self.hand {
            return Ok(Next::Bytes(Rc::clone(bytes), self.sent));
        }
        self.keep_up(event, skips);
        match event.chunk(self.asked, self.next)? {
            Some((bytes, next)) => {
                self.next = next;
                self.hand = Some(Rc::clone(&bytes));
                Ok(Next::Bytes(bytes, 0))
            }
            None if event.phase() == Phase::Ended => Ok(Next::End),
            None => Ok(Next::Wait),
        }
    }

    /// Notes that so many bytes of what is in hand are sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.hand.as_ref().is_none_or(|bytes| self.sent >= bytes.len()) {
            self.hand = None;
            self.sent = 0;
        }
    }

    /// Moves a listener who fell too far behind to the live edge; at a fragment boundary, for nothing is in hand.
    fn keep_up(&mut self, event: &Event, skips: &mut u64) {
        let now = behind(event, self.next);
        if now > self.least_behind.saturating_add(BEHIND_SLOTS_MAX) {
            *skips += 1;
            self.next = live::start(&event.programme(), self.asked, From::SecondsBack(BURST_SECONDS));
            self.least_behind = behind(event, self.next);
        } else {
            self.least_behind = self.least_behind.min(now);
        }
    }
}

fn behind(event: &Event, number: FragmentNumber) -> u64 {
    event.mark().0.saturating_sub(number.0)
}
