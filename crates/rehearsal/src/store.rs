//! How much sound a player keeps for the time between two sends, as it follows the cadence that its stream announces.

use base::Cadence;
use base::limit::PLAYER_SLOWDOWN_PERCENT;

/// What a player has in store besides its own buffer, a few words (docs/formats.md, "The cadence").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    has_ms: u16,
    wants_ms: u16,
    /// When it began to want more.
    since: u32,
    /// A connection has begun and nothing has come on it.
    opening: bool,
}

/// What a stream has that announces nothing.
const QUICKEST_MS: u16 = 200;

impl Default for Store {
    fn default() -> Self {
        Self { has_ms: QUICKEST_MS, wants_ms: QUICKEST_MS, since: 0, opening: true }
    }
}

impl Store {
    /// A connection begins: what was in store stays until it says something.
    pub fn connected(&mut self, now: u32) {
        (self.has_ms, self.opening) = (self.at(now), true);
        self.wants_ms = self.has_ms;
    }

    /// The stream announces a cadence. What it begins with is in its burst; later a player fills its store as fast as it can slow down.
    pub fn announced(&mut self, now: u32, millis: u16) {
        let is_opening = std::mem::take(&mut self.opening);
        self.has_ms = if is_opening { millis } else { self.at(now).min(millis) };
        (self.wants_ms, self.since) = (millis, now);
    }

    /// Sound comes: a connection that has announced nothing before has the quickest cadence.
    pub fn heard(&mut self) {
        if std::mem::take(&mut self.opening) {
            (self.has_ms, self.wants_ms) = (QUICKEST_MS, QUICKEST_MS);
        }
    }

    /// Milliseconds in store at `now`.
    #[must_use]
    pub fn at(&self, now: u32) -> u16 {
        let grown = u64::from(now.saturating_sub(self.since)) * PLAYER_SLOWDOWN_PERCENT / 100;
        self.has_ms.saturating_add(u16::try_from(grown).unwrap_or(u16::MAX)).min(self.wants_ms)
    }

    /// The slowest cadence for which there is enough at `now`.
    #[must_use]
    pub fn ready(&self, now: u32) -> Cadence {
        let has = u64::from(self.at(now));
        Cadence::ALL.into_iter().rev().find(|cadence| cadence.millis() <= has).unwrap_or_default()
    }

    /// The cadence that was announced last, in milliseconds.
    #[must_use]
    pub const fn wanted_ms(&self) -> u16 {
        self.wants_ms
    }
}

#[cfg(test)]
mod tests;
