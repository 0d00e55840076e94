//! How often each number of milliseconds was seen: exact below 64, within 3 % above. Histograms of many processes add up.

use serde::{Deserialize, Serialize};

/// Values below are counted one by one.
const EXACT: u32 = 64;
/// Steps in which a doubling is divided.
const STEPS: u32 = 32;
const BUCKETS: usize = EXACT as usize + 26 * STEPS as usize;

/// A histogram of milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Histogram {
    counts: Vec<u64>,
    max: u32,
}

/// What two processes say of one: the buckets that hold something, and the greatest value.
#[derive(Serialize, Deserialize)]
struct Wire(Vec<(usize, u64)>, u32);

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], max: 0 }
    }
}

impl From<Wire> for Histogram {
    fn from(Wire(buckets, max): Wire) -> Self {
        let mut histogram = Self { max, ..Self::default() };
        for (bucket, count) in buckets {
            if let Some(slot) = histogram.counts.get_mut(bucket) {
                *slot = count;
            }
        }
        histogram
    }
}

impl From<Histogram> for Wire {
    fn from(histogram: Histogram) -> Self {
        Self(histogram.counts.into_iter().enumerate().filter(|(_, count)| *count > 0).collect(), histogram.max)
    }
}

impl Histogram {
    /// Counts one value.
    pub fn note(&mut self, millis: u32) {
        self.counts[bucket(millis)] += 1;
        self.max = self.max.max(millis);
    }

    /// Takes over what another has counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    /// What was counted since an earlier state of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts: Vec<u64> = self.counts.iter().zip(&earlier.counts).map(|(now, then)| now.saturating_sub(*then)).collect();
        let last = counts.iter().rposition(|&count| count > 0);
        let max = last.map_or(0, |bucket| least(bucket + 1).saturating_sub(1).min(self.max));
        Self { counts, max }
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The greatest value; `None` when nothing was counted.
    #[must_use]
    pub fn max(&self) -> Option<u32> {
        (self.count() > 0).then_some(self.max)
    }

    /// The value below or at which so many percent of all lie (nearest rank); `None` when nothing was counted.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u32> {
        let count = self.count();
        let rank = (count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|&more| {
            seen += more;
            seen >= rank
        });
        bucket.map(|bucket| least(bucket).min(self.max))
    }
}

const fn bucket(value: u32) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let doubling = value.ilog2();
    let step = (value >> (doubling - 5)) & (STEPS - 1);
    (EXACT + (doubling - 6) * STEPS + step) as usize
}

/// The least value that falls into a bucket.
fn least(bucket: usize) -> u32 {
    let bucket = u32::try_from(bucket).unwrap_or(u32::MAX);
    let Some(above) = bucket.checked_sub(EXACT) else { return bucket };
    let value = u64::from(STEPS + above % STEPS) << (1 + above / STEPS);
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
