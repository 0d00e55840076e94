//! A network in virtual time that loses, delays, reorders and repeats datagrams, all from one seed.

use crate::chance::Chance;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Virtual time: it stands still until the test moves it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    now: Instant,
}

impl Clock {
    /// A clock at zero.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a clock that starts is no default")]
    pub fn new() -> Self {
        let start = Instant::now();
        Self { start, now: start }
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What has passed since the clock began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.duration_since(self.start)
    }

    /// Moves to `at`; a time that has passed already changes nothing.
    pub fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    /// Moves on.
    pub fn advance(&mut self, by: Duration) {
        self.now += by;
    }
}

/// How bad the way between two endpoints is, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    /// Datagrams lost, in thousandths.
    pub loss_permille: u16,
    /// Datagrams that arrive twice, in thousandths.
    pub duplicate_permille: u16,
    /// What every datagram takes at least.
    pub delay: Duration,
    /// What a datagram takes more, evenly spread: more than the distance between two datagrams reorders them.
    pub jitter: Duration,
}

/// A datagram on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The network.
#[derive(Debug)]
pub struct Network {
    chance: Chance,
    weather: Weather,
    /// By time of arrival, and then in the order of sending.
    flying: BTreeMap<(Instant, u64), Datagram>,
    launched: u64,
    sent: u64,
    lost: u64,
}

impl Network {
    /// A network without anything on its way.
    #[must_use]
    pub const fn new(seed: u64, weather: Weather) -> Self {
        Self { chance: Chance::new(seed), weather, flying: BTreeMap::new(), launched: 0, sent: 0, lost: 0 }
    }

    /// Changes the weather for what is sent from now on.
    pub const fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Sends a datagram, which may never arrive, or twice.
    pub fn send(&mut self, now: Instant, datagram: Datagram) {
        self.sent += 1;
        if self.chance.below(1_000) < u64::from(self.weather.loss_permille) {
            self.lost += 1;
            return;
        }
        if self.chance.below(1_000) < u64::from(self.weather.duplicate_permille) {
            self.launch(now, datagram.clone());
        }
        self.launch(now, datagram);
    }

    /// The next datagram that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Datagram> {
        let first = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// Datagrams sent and datagrams lost so far.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.sent, self.lost)
    }

    fn launch(&mut self, now: Instant, datagram: Datagram) {
        let jitter = u64::try_from(self.weather.jitter.as_micros()).unwrap_or(u64::MAX);
        let late = Duration::from_micros(self.chance.below(jitter));
        self.launched += 1;
        let key = (now + self.weather.delay + late, self.launched);
        self.flying.insert(key, datagram);
    }
}

#[cfg(test)]
mod tests;
