//! How often somebody may do something: so many times in each window of time, counted for a bounded number of them.

use base::UnixMillis;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A network address as it is counted: who has one IPv6 address has 2^64 of them (RFC 6177).
#[must_use]
pub fn household(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
    }
}

/// Counts of one window.
#[derive(Debug)]
pub struct Rate {
    millis: i64,
    counted_max: usize,
    window: i64,
    counts: BTreeMap<u128, u32>,
}

impl Rate {
    /// Nobody did anything yet. `millis`: how long a window is; `counted_max`: how many are told apart in one.
    #[must_use]
    pub const fn new(millis: i64, counted_max: usize) -> Self {
        Self { millis, counted_max, window: 0, counts: BTreeMap::new() }
    }

    /// Whether whoever has this key may do it once more, at most `max` times in the window that `now` is in; counts it when they may.
    pub fn allows(&mut self, key: u128, max: u32, now: UnixMillis) -> bool {
        self.turn_to(now);
        let has_room = self.counts.len() < self.counted_max;
        match self.counts.get_mut(&key) {
            Some(count) if *count >= max => false,
            Some(count) => {
                *count += 1;
                true
            }
            None if has_room && max > 0 => {
                self.counts.insert(key, 1);
                true
            }
            None => false,
        }
    }

    /// Whether whoever has this key did it in the window that `now` is in.
    pub fn has_counted(&mut self, key: u128, now: UnixMillis) -> bool {
        self.turn_to(now);
        self.counts.contains_key(&key)
    }

    fn turn_to(&mut self, now: UnixMillis) {
        let window = now.0.div_euclid(self.millis);
        if window != self.window {
            self.window = window;
            self.counts.clear();
        }
    }
}

#[cfg(test)]
mod tests;
