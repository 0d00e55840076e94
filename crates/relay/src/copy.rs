//! One copy: where another relay is in an event, and what to tell it next.

use crate::event::{Event, Told};
use crate::stream::Next;
use base::{EventId, FragmentNumber, Rung};
use std::io;
use std::rc::Rc;

/// Of which fragments another relay wants the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Of all.
    All,
    /// Of those with which its listeners sound at once, and what follows.
    Live,
    /// Of none.
    None,
}

/// What of a rung is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) rung: Rung,
    pub(crate) from: FragmentNumber,
    /// The number after the last; without one it goes on to the end of the event.
    pub(crate) to: Option<FragmentNumber>,
    pub(crate) bytes: Bytes,
}

/// Another relay's place.
pub(crate) struct Copy {
    pub(crate) event: EventId,
    pub(crate) rung: Rung,
    /// Whether it counts as one listener: nobody says how many it serves.
    pub(crate) counts: bool,
    /// The number of the ticket that let it into a private event.
    pub(crate) ticket: Option<u64>,
    next: FragmentNumber,
    to: Option<FragmentNumber>,
    bytes_from: FragmentNumber,
    told: Told,
    ended: bool,
    hand: Rc<[u8]>,
    sent: usize,
}

impl Copy {
    pub(crate) fn new(event: &Event, wanted: &Wanted, ticket: Option<u64>, counts: bool) -> Self {
        let bytes_from = match wanted.bytes {
            Bytes::All => FragmentNumber(0),
            Bytes::Live => event.burst(wanted.rung),
            Bytes::None => FragmentNumber(u64::MAX),
        };
        let Wanted { rung, from: next, to, .. } = *wanted;
        let (told, hand) = (Told::default(), Rc::from([]));
        Self { event: event.id, rung, counts, ticket, next, to, bytes_from, told, ended: false, hand, sent: 0 }
    }

    /// What to send next.
    ///
    /// # Errors
    /// A file can't be read.
    pub(crate) fn next(&mut self, event: &mut Event) -> io::Result<Next> {
        while self.sent == self.hand.len() {
            let hand = match self.take(event) {
                Ok(Some(hand)) => hand,
                Ok(None) if self.ended => return Ok(Next::End),
                Ok(None) => return Ok(Next::Wait),
                Err(error) => {
                    event.note_missing(error)?;
                    return Ok(Next::Wait);
                }
            };
            (self.hand, self.sent) = (hand, 0);
        }
        Ok(Next::Bytes(Rc::clone(&self.hand), self.sent))
    }

    /// Notes that so many bytes of what is in hand are sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent += count;
    }

    fn take(&mut self, event: &mut Event) -> io::Result<Option<Rc<[u8]>>> {
        if self.ended {
            return Ok(None);
        }
        if self.rung == Rung::R64 && self.to.is_none() {
            let documents = event.documents(&mut self.told)?;
            if !documents.is_empty() {
                return Ok(Some(documents.into()));
            }
        }
        let before = self.to.unwrap_or(FragmentNumber(u64::MAX));
        if let Some((frames, next)) = event.frames(self.rung, self.next, before, self.bytes_from)? {
            self.next = next;
            return Ok(Some(frames));
        }
        self.ended = event.is_over() || before <= event.mark();
        let end = event.end_of(self.rung).filter(|_| self.ended && self.to.is_none());
        Ok(end.map(|place| {
            let mut frame = Vec::new();
            programme::copy::Frame::End(place).put(&mut frame);
            frame.into()
        }))
    }
}
