//! The faint noise under every mix: players that are fed digital silence fall asleep, and so do some encoders.

use crate::{Frame, SILENCE};

/// The peak of a uniform noise of -90 dB power: 10^(-90/20) · √3.
const PEAK: f32 = 5.477e-5;

/// A noise of -90 dB, the same at every start: what it is does not matter, only that it is there (Marsaglia's xorshift).
#[derive(Debug, Clone)]
pub(super) struct Noise(u32);

impl Noise {
    pub(super) const fn new() -> Self {
        Self(0x9e37_79b9)
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        for sample in &mut frame {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *sample = (self.0.cast_signed() as f32 / i32::MAX as f32) * PEAK;
        }
        frame
    }
}

#[cfg(test)]
mod tests;
