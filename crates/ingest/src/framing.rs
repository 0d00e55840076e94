//! ICE over TCP: each datagram with its length before it, in two bytes, big-endian (RFC 4571, RFC 6544).

use base::limit::DATAGRAM_BYTES_MAX;

/// Bytes of the length before each datagram.
pub const PREFIX_BYTES: usize = 2;

/// A peer announced a frame larger than [`DATAGRAM_BYTES_MAX`]: the connection is no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {bytes} bytes is larger than {DATAGRAM_BYTES_MAX}")]
pub struct Oversized {
    /// The length announced.
    pub bytes: usize,
}

/// Puts one datagram's frame at the end of `out`.
///
/// # Errors
/// [`Oversized`] when the datagram is larger than a peer may expect; nothing is written.
pub fn frame(datagram: &[u8], out: &mut Vec<u8>) -> Result<(), Oversized> {
    let oversized = Oversized { bytes: datagram.len() };
    if datagram.len() > DATAGRAM_BYTES_MAX {
        return Err(oversized);
    }
    let length = u16::try_from(datagram.len()).map_err(|_| oversized)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(datagram);
    Ok(())
}

/// Cuts a TCP connection's bytes into datagrams, however they are torn.
///
/// It holds what was pushed and not yet taken, so the caller pushes what one read gave and takes all frames before the next read.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole datagram; `None` until more bytes come. Empty frames (keep-alives) are skipped.
    ///
    /// # Errors
    /// [`Oversized`], and again at every call after it.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, Oversized> {
        loop {
            let rest = &self.buffer[self.taken..];
            let Some((prefix, body)) = rest.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
            let length = usize::from(u16::from_be_bytes(*prefix));
            if length > DATAGRAM_BYTES_MAX {
                return Err(Oversized { bytes: length });
            }
            if body.len() < length {
                return Ok(None);
            }
            let start = self.taken + PREFIX_BYTES;
            self.taken = start + length;
            if length > 0 {
                return Ok(Some(&self.buffer[start..self.taken]));
            }
        }
    }
}

#[cfg(test)]
mod tests;
