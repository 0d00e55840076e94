//! When who comes: joins spread evenly over time.

/// How many of `total` should have come `elapsed_ms` after the first, at so many a second.
pub(crate) const fn due(elapsed_ms: u64, per_second: f64, total: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floating point saturate")]
    let come = (elapsed_ms as f64 * per_second / 1_000.0) as usize;
    let come = come.saturating_add(1);
    if come < total { come } else { total }
}

/// Milliseconds before another try: 100 at first, 2,000 at last, half of it `chance` (0 to 1).
pub(crate) fn back_off_ms(tries: u32, chance: f64) -> u32 {
    let most = (100u32 << tries.min(5)).min(2_000);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000")]
    let more = (f64::from(most) / 2.0 * chance.clamp(0.0, 1.0)) as u32;
    most / 2 + more
}

/// A small source of spread (xorshift): the crowd's choices need no secrecy, and the same seed makes the same crowd.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Between 0 and 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
