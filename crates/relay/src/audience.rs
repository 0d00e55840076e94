//! How many listen by HLS, where nobody holds a stream open.
//!
//! A player whose playlist reloads are held (LL-HLS) counts while one of them is held, and a moment longer: when it breaks one off and asks for
//! nothing else, it is gone. One that polls counts for ten seconds after its last playlist (it asks at least once a segment, which is 6 s), less
//! when it closes the connections that it used more than once. Behind a proxy, which pools connections and may answer itself, it is always
//! ten seconds.
//!
//! Players are told apart by a keyed hash of network address and `User-Agent`; the key is drawn at start, the hash is forgotten with the
//! listener, and nothing else of them is kept. Of players that share both, in one household or behind one address of a telephone company,
//! as many are counted as have reloads held at once, those that poll as one. One that moves between workers is for a moment two.

use base::{EventId, Rung, limit};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// How long a player that polls counts after its last playlist.
const POLLED: Duration = Duration::from_secs(10);

/// How long one whose reloads are held counts after the last: it asks again as soon as it has it.
const RELOADED: Duration = Duration::from_secs(1);

/// How long one counts that has broken off: on its way to another rung it asks again at once.
const LEFT: Duration = Duration::from_millis(250);

/// Players with one address and one `User-Agent` at one event.
pub(crate) type Key = NonZeroU64;

/// Who asks for a playlist.
pub(crate) struct Asker<'a> {
    pub(crate) event: EventId,
    pub(crate) rung: Rung,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: &'a [u8],
    /// Over a proxy's connection.
    pub(crate) is_proxied: bool,
}

/// The HLS clients of one worker.
#[derive(Default)]
pub(crate) struct Audience {
    clients: HashMap<Key, Client>,
    /// Who used a connection last, by its serial.
    connections: HashMap<u32, Key>,
    key: RandomState,
}

struct Client {
    event: EventId,
    rung: Rung,
    is_proxied: bool,
    /// Until when it counts without a reload that is held.
    until: Instant,
    /// Reloads that are held, the most at once of late, and when that was.
    held: u32,
    most: u32,
    most_at: Instant,
    /// Connections over which it asked, and whether it asked more than once over any.
    open: u32,
    keeps: bool,
}

impl Client {
    fn count(&self, now: Instant) -> u32 {
        let of_late = if now < self.most_at + RELOADED { self.most } else { 0 };
        self.held.max(of_late).max(u32::from(now < self.until))
    }

    /// Notes how many reloads are held, when that is the most.
    fn note(&mut self, now: Instant) {
        if self.held >= self.most || now >= self.most_at + RELOADED {
            (self.most, self.most_at) = (self.held, now);
        }
    }
}

impl Audience {
    /// Somebody asks for a playlist that is held until there is more in it; none when there are too many to be told apart.
    pub(crate) fn holds(&mut self, asker: &Asker<'_>, now: Instant) -> Option<Key> {
        let (key, client) = self.client(asker, now)?;
        client.held += 1;
        client.note(now);
        Some(key)
    }

    /// A reload that was held is answered.
    pub(crate) fn released(&mut self, key: Key, now: Instant) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.note(now);
            client.held = client.held.saturating_sub(1);
        }
    }

    /// A reload that was held is broken off by who asked.
    pub(crate) fn broke_off(&mut self, key: Key, now: Instant) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.held = client.held.saturating_sub(1);
            if client.is_proxied {
                client.until = now + POLLED;
                return;
            }
            client.most = client.most.saturating_sub(1).max(client.held);
            if client.held == 0 {
                client.until = now + LEFT;
            }
        }
    }

    /// Somebody is given a playlist over a connection; whether it is theirs, and its end is to be told.
    pub(crate) fn given(&mut self, asker: &Asker<'_>, was_reload: bool, connection: u32, now: Instant) -> bool {
        let before = self.connections.get(&connection).copied();
        let Some((key, client)) = self.client(asker, now) else { return before.is_some() };
        let is_reload = was_reload && !client.is_proxied;
        client.until = now + if is_reload { RELOADED } else { POLLED };
        if client.is_proxied {
            return before.is_some();
        }
        if before == Some(key) {
            client.keeps = true;
        } else {
            client.open += 1;
            self.closed(connection, now);
            self.connections.insert(connection, key);
        }
        true
    }

    /// A connection is closed, or used by others from now on.
    pub(crate) fn closed(&mut self, connection: u32, now: Instant) {
        let key = self.connections.remove(&connection);
        if let Some(client) = key.and_then(|key| self.clients.get_mut(&key)) {
            client.open = client.open.saturating_sub(1);
            if client.open == 0 && client.keeps && client.held == 0 {
                client.most = 0;
                client.until = client.until.min(now + LEFT);
            }
        }
    }

    fn client(&mut self, asker: &Asker<'_>, now: Instant) -> Option<(Key, &mut Client)> {
        let &Asker { event, rung, address, user_agent, is_proxied } = asker;
        let key = NonZeroU64::MIN | self.key.hash_one((event, address, user_agent));
        if self.clients.len() >= limit::HLS_CLIENTS_MAX && !self.clients.contains_key(&key) {
            return None;
        }
        let fresh = || Client { event, rung, is_proxied, until: now, held: 0, most: 0, most_at: now, open: 0, keeps: false };
        let client = self.clients.entry(key).or_insert_with(fresh);
        (client.rung, client.is_proxied) = (rung, is_proxied);
        Some((key, client))
    }

    /// Forgets those who are gone.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.clients.retain(|_, client| client.open > 0 || client.count(now) > 0);
    }

    /// Event, rung and number of those who listen, in no order.
    pub(crate) fn all(&self, now: Instant) -> impl Iterator<Item = (EventId, Rung, u32)> {
        self.clients.values().map(move |client| (client.event, client.rung, client.count(now)))
    }

    /// How many listen.
    pub(crate) fn count(&self, now: Instant) -> usize {
        self.all(now).map(|(.., count)| count as usize).sum()
    }
}

#[cfg(test)]
mod tests;
