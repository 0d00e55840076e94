//! Keeps a mix within full scale without clipping.

use crate::Frame;
use opus::{Channels, SoftClip};

/// The loudest sample that leaves.
const CEILING: f32 = 0.97;

/// Samples over which one gain is found: 2.5 ms.
const BLOCK_SAMPLES: usize = 120;

/// How far the gain recovers in a block: from half to full in 200 ms.
const RELEASE_PER_BLOCK: f32 = 0.5 / 80.0;

/// A limiter that turns down before a peak within its frame, and recovers slowly.
///
/// It has no look-ahead into the next frame; what a sudden peak at a frame's start leaves above full scale is bent, not cut.
#[derive(Debug)]
pub(super) struct Limiter {
    gain: f32,
    bend: SoftClip,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self { gain: 1.0, bend: SoftClip::new(Channels::Mono) }
    }

    /// Takes over another limiter's gain.
    pub(super) const fn follow(&mut self, other: &Self) {
        self.gain = other.gain;
    }

    /// Limits the next frame in place.
    pub(super) fn limit(&mut self, frame: &mut Frame) {
        let mut blocks = frame.chunks_exact_mut(BLOCK_SAMPLES).peekable();
        while let Some(block) = blocks.next() {
            let allowed = allowed(block);
            let next_allowed = blocks.peek().map_or(allowed, |next| self::allowed(next));
            let end = (self.gain + RELEASE_PER_BLOCK).min(allowed).min(next_allowed);
            let step = (end - self.gain) / BLOCK_SAMPLES as f32;
            if self.gain < 1.0 || end < 1.0 {
                for sample in block {
                    *sample *= self.gain;
                    self.gain += step;
                }
            }
            self.gain = end;
        }
        self.bend.apply(frame);
    }
}

/// The largest gain that keeps a block under the ceiling.
fn allowed(block: &[f32]) -> f32 {
    let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    if peak > CEILING { CEILING / peak } else { 1.0 }
}

#[cfg(test)]
mod tests;
