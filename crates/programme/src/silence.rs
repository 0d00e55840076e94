//! Silence as Opus packets of exactly a rung's frame size.
//!
//! A code 3 packet (RFC 6716, 3.2.5) with one frame and padding: a decoder reads the two bytes of the frame, which CELT
//! decodes to digital silence, and skips the rest. A constant bitrate stays constant whatever is played.

use base::Rung;

/// Fullband CELT, 20 ms, mono (config 31), code 3.
const TOC: u8 = 31 << 3 | 3;
/// Constant bitrate, padding follows, one frame.
const COUNT: u8 = 0x40 | 1;
/// CELT's silence flag, range coded.
const FRAME: [u8; 2] = [0xff, 0xfe];
const PACKET_64: [u8; Rung::R64.frame_bytes()] = packet();
const PACKET_32: [u8; Rung::R32.frame_bytes()] = packet();
const PACKET_16: [u8; Rung::R16.frame_bytes()] = packet();

/// One silent 20 ms packet of the rung's frame size.
#[must_use]
pub const fn frame(rung: Rung) -> &'static [u8] {
    match rung {
        Rung::R64 => &PACKET_64,
        Rung::R32 => &PACKET_32,
        Rung::R16 => &PACKET_16,
    }
}

/// The shortest silent 20 ms packet, for where nothing asks for a constant bitrate.
pub const SHORTEST: [u8; 3] = [TOC & !3, FRAME[0], FRAME[1]];

/// `count` silent packets, one after the other.
#[must_use]
pub fn frames(rung: Rung, count: usize) -> Vec<u8> {
    frame(rung).repeat(count)
}

#[expect(clippy::cast_possible_truncation, reason = "asserted below 255")]
const fn packet<const N: usize>() -> [u8; N] {
    // Head: TOC, frame count, one byte of padding length; a longer padding would need more bytes of length.
    let padding = N - 3 - FRAME.len();
    assert!(padding < 255);
    let mut bytes = [0; N];
    bytes[0] = TOC;
    bytes[1] = COUNT;
    bytes[2] = padding as u8;
    bytes[3] = FRAME[0];
    bytes[4] = FRAME[1];
    bytes
}

#[cfg(test)]
mod tests;
