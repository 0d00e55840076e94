//! What one listener hears: which fragment comes next, and whether it came in time.

use crate::boxes::Passed;
use crate::store::Store;
use base::Cadence;

/// Reads so close together are one send of the relay.
const ONE_SEND_MILLIS: u32 = 40;

/// One listener's account, a few words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hearing {
    /// The number behind the last one heard, in slots; 0 is nothing yet, for `heard` says so.
    next: u64,
    /// When the last fragment came.
    last_at: u32,
    /// When the send began to which it belonged.
    send_at: u32,
    pub(crate) heard: bool,
    /// On this connection everything until now was heard before.
    known: bool,
    stalled: bool,
    store: Store,
}

/// What a fragment was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Noted {
    /// The first that this listener heard at all.
    pub(crate) is_first: bool,
    /// Something before it is missing.
    pub(crate) is_gap: bool,
    /// It was heard before, on the same connection.
    pub(crate) is_repeat: bool,
    /// Milliseconds since the send before, when it is the first of a send.
    pub(crate) cadence_ms: Option<u32>,
    /// It came after a silence longer than the player's buffer.
    pub(crate) ends_stall: bool,
}

impl Hearing {
    /// A connection begins: what it repeats at first of the one before is no fault, for fragments of the saver rung begin at every fifth number.
    pub(crate) fn connected(&mut self, now: u32) {
        self.known = true;
        self.store.connected(now);
    }

    /// The stream announces a cadence.
    pub(crate) fn announced(&mut self, now: u32, millis: u16) {
        self.store.announced(now, millis);
    }

    /// The cadence for which the player has enough in store.
    pub(crate) fn ready(&self, now: u32) -> Cadence {
        self.store.ready(now)
    }

    /// The longest silence that the player bridges: what it has for the cadence, and its buffer.
    fn limit_ms(&self, now: u32, buffer_ms: u32) -> u32 {
        buffer_ms.saturating_add(self.store.at(now).into())
    }

    /// A fragment came at `now`; the player keeps `buffer_ms` besides the cadence.
    pub(crate) fn note(&mut self, now: u32, buffer_ms: u32, passed: Passed) -> Noted {
        let limit_ms = self.limit_ms(now, buffer_ms);
        self.store.heard();
        let end = passed.number.saturating_add(passed.slots);
        let mut noted = Noted { is_first: !self.heard, ..Noted::default() };
        if noted.is_first {
            (self.next, self.known) = (passed.number, false);
        } else if end <= self.next {
            noted.is_repeat = !self.known;
            return noted;
        } else {
            let silence = now.saturating_sub(self.last_at);
            noted.is_gap = passed.number > self.next;
            noted.ends_stall = silence > limit_ms && !self.stalled;
            noted.cadence_ms = (silence > ONE_SEND_MILLIS).then(|| now.saturating_sub(self.send_at));
        }
        if noted.is_first || noted.cadence_ms.is_some() {
            self.send_at = now;
        }
        (self.heard, self.known, self.stalled) = (true, false, false);
        (self.next, self.last_at) = (end, now);
        noted
    }

    /// Looks at the clock: true when a stall has just begun.
    pub(crate) fn is_newly_stalled(&mut self, now: u32, buffer_ms: u32) -> bool {
        let begins = self.heard && !self.stalled && now.saturating_sub(self.last_at) > self.limit_ms(now, buffer_ms);
        self.stalled |= begins;
        begins
    }

    /// Whether sound came lately enough that a player still plays.
    pub(crate) fn plays(&self, now: u32, buffer_ms: u32) -> bool {
        self.heard && now.saturating_sub(self.last_at) <= self.limit_ms(now, buffer_ms)
    }

    /// Who leaves on purpose hears nothing on purpose.
    pub(crate) const fn came_back(&mut self, now: u32) {
        (self.last_at, self.send_at, self.stalled) = (now, now, false);
    }

    /// The number to go on with; `None` when nothing was heard.
    pub(crate) fn next(&self) -> Option<u64> {
        self.heard.then_some(self.next)
    }
}

#[cfg(test)]
mod tests;
