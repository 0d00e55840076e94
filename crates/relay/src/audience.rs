//! How many listen by HLS, where nobody holds a connection open.
//!
//! A client counts while it asked for a media playlist of the event within the last ten seconds (a player asks at
//! least once a segment, which is 6 s). It is told apart by a keyed hash of its network address and its `User-Agent`; the key is drawn
//! at start, the hash is forgotten after those ten seconds, and nothing else of the client is kept. Two listeners in one
//! household with the same browser count as one, one who moves between workers for a moment as two: the number is honest, not exact.

use base::{EventId, Rung, limit};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long a client counts after its last playlist.
const KEPT: Duration = Duration::from_secs(10);

/// The HLS clients of one worker.
#[derive(Default)]
pub(crate) struct Audience {
    clients: HashMap<u64, Client>,
    key: RandomState,
}

struct Client {
    event: EventId,
    rung: Rung,
    seen: Instant,
}

impl Audience {
    /// Somebody fetched a playlist.
    pub(crate) fn saw(&mut self, event: EventId, rung: Rung, address: IpAddr, user_agent: &[u8], now: Instant) {
        let hash = self.key.hash_one((event, address, user_agent));
        if self.clients.len() < limit::HLS_CLIENTS_MAX || self.clients.contains_key(&hash) {
            self.clients.insert(hash, Client { event, rung, seen: now });
        }
    }

    /// Forgets those who have not been seen for a while.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.clients.retain(|_, client| now.saturating_duration_since(client.seen) < KEPT);
    }

    /// Event and rung of every client, in no order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (EventId, Rung)> {
        self.clients.values().map(|client| (client.event, client.rung))
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }
}

#[cfg(test)]
mod tests;
