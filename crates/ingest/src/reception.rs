//! How well a peer's packets come in: what is lost and how unevenly they arrive (RFC 3550, appendices A.3 and A.8).

use base::time::SAMPLE_RATE_HZ;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Seconds of which the loss is told: enough packets for a share to mean something, few enough to follow a change.
const WINDOW_SECONDS: usize = 10;

/// Packets that are due before there is a share at all.
const EXPECTED_MIN: u64 = 25;

/// Weight of a packet in the jitter.
const JITTER_SHARE: f64 = 1.0 / 16.0;

/// Packets that were to come, and those that came.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    expected: u64,
    received: u64,
}

/// One stream's packets as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    stream: Option<Stream>,
    /// What came since the last second ended.
    received: u64,
    seconds: VecDeque<Tally>,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    /// The newest sequence number, extended, and where it was when the last second ended.
    newest: u64,
    told: u64,
    /// Arrival and timestamp of the last packet.
    last: (Instant, u32),
    jitter: f64,
}

impl Reception {
    /// Takes a packet, sound or padding.
    pub(crate) fn hear(&mut self, arrival: Instant, ssrc: u32, sequence: u16, timestamp: u32) {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc) else {
            let newest = (1 << 16) | u64::from(sequence);
            // Another microphone: other numbers, but the same way.
            self.stream = Some(Stream { ssrc, newest, told: newest - 1, last: (arrival, timestamp), jitter: 0.0 });
            self.received = 1;
            return;
        };
        self.received += 1;
        #[expect(clippy::cast_possible_truncation, reason = "the wire has the lower 16 bits")]
        let step = sequence.wrapping_sub(stream.newest as u16).cast_signed();
        if step <= 0 {
            return;
        }
        stream.newest += u64::from(step.unsigned_abs());
        let apart = arrival.saturating_duration_since(stream.last.0).as_secs_f64();
        let spoken_apart = f64::from(timestamp.wrapping_sub(stream.last.1).cast_signed()) / f64::from(SAMPLE_RATE_HZ);
        stream.last = (arrival, timestamp);
        // A pause in speaking or another timeline says nothing about the way.
        if spoken_apart > 0.0 && spoken_apart < 1.0 {
            stream.jitter += ((apart - spoken_apart).abs() - stream.jitter) * JITTER_SHARE;
        }
    }

    /// A second is over.
    pub(crate) fn second(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let tally = Tally { expected: stream.newest - stream.told, received: std::mem::take(&mut self.received) };
        stream.told = stream.newest;
        self.seconds.push_back(tally);
        if self.seconds.len() > WINDOW_SECONDS {
            self.seconds.pop_front();
        }
    }

    /// Share of packets that were lost in the last seconds, 0 to 1.
    pub(crate) fn lost(&self) -> Option<f32> {
        let (expected, received) = self.seconds.iter().fold((0, 0), |sum, tally| (sum.0 + tally.expected, sum.1 + tally.received));
        (expected >= EXPECTED_MIN).then(|| expected.saturating_sub(received) as f32 / expected as f32)
    }

    /// How much the time between two packets differs from that between their sounds, on average.
    pub(crate) fn jitter(&self) -> Option<Duration> {
        self.stream.as_ref().map(|stream| Duration::from_secs_f64(stream.jitter))
    }
}

#[cfg(test)]
mod tests;
