//! How often somebody may do something: so many times in each window of time, counted for a bounded number of them.

use base::UnixMillis;
use std::collections::BTreeMap;

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
        let window = now.0.div_euclid(self.millis);
        if window != self.window {
            self.window = window;
            self.counts.clear();
        }
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
}

#[cfg(test)]
mod tests;
