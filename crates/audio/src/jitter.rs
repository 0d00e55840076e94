//! The jitter buffer.
use base::limit::DATAGRAM_BYTES_MAX;
use std::time::Instant;

/// One RTP packet's payload with what the buffer must know about it; of fixed size, so that it crosses a ring without allocating.
#[derive(Debug, Clone)]
pub struct Packet {
    /// When it arrived.
    pub arrived: Instant,
    /// RTP's sequence number.
    pub sequence: u16,
    /// RTP's timestamp, in samples.
    pub timestamp: u32,
    bytes: u16,
    payload: [u8; DATAGRAM_BYTES_MAX],
}

impl Packet {
    /// Copies a payload; `None` when it is empty, as browsers' padding is, or longer than a datagram.
    #[must_use]
    pub fn new(arrived: Instant, sequence: u16, timestamp: u32, payload: &[u8]) -> Option<Self> {
        let mut packet = Self { arrived, sequence, timestamp, bytes: u16::try_from(payload.len()).ok()?, payload: [0; DATAGRAM_BYTES_MAX] };
        packet.payload.get_mut(..payload.len()).filter(|room| !room.is_empty())?.copy_from_slice(payload);
        Some(packet)
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload[..usize::from(self.bytes)]
    }
}

/// What a buffer has seen, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets taken.
    pub taken: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that were there already.
    pub duplicate: u64,
    /// Payloads that are empty, too long or no Opus.
    pub malformed: u64,
    /// Times that the sender's timeline began anew.
    pub restarts: u64,
    /// Packets left out to catch up.
    pub skipped: u64,
}
