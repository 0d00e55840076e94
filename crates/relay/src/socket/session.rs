//! A TLS connection once its handshake is over: keys, two sequence numbers, and what is on its way.
//!
//! It never shakes hands, never chooses anything, and gives no byte to the reader that was not authenticated. Everything that a
//! peer may say after a handshake and that is not said here ends the connection with an alert.

use super::kernel;
use super::keys::{Keys, Version};
use super::record::{self, Alert, Kind, PLAIN_BYTES_MAX};
use base::limit;
use std::io;
use std::os::fd::BorrowedFd;

/// Bytes taken from the wire at once.
const READ_BYTES: usize = 4 * 1024;

/// Bytes sealed at once: what one connection is given in one turn.
const SEALED_BYTES_MAX: usize = 512 * 1024;

/// Records after which keys are renewed. In tests they wear out sooner, so that every test goes through it.
const RECORDS_MAX: u64 = if cfg!(test) { 24 } else { limit::TLS_RECORDS_PER_KEY_MAX };

/// `KeyUpdate` of five bytes, without its request (RFC 8446, section 4.6.3).
const KEY_UPDATE: [u8; 4] = [24, 0, 0, 1];
const NOT_REQUESTED: u8 = 0;
const REQUESTED: u8 = 1;

const WORN_OUT: &str = "the keys are worn out, and there are no next ones";

const ALERT_CLOSE_NOTIFY: u8 = 0;
const ALERT_USER_CANCELED: u8 = 90;

/// A peer has sent what it may not, and this is what it is told.
#[derive(Debug, thiserror::Error)]
#[error("a peer's record is refused: {0:?}")]
pub(crate) struct Refused(pub(crate) Alert);

/// The state of a connection: plain data, which another process could go on with.
pub(crate) struct Session {
    version: Version,
    sending: Keys,
    receiving: Keys,
    /// The peer asked for new keys and has not got them yet.
    pub(crate) owes_update: bool,
    /// How often it asked.
    updates: u32,
    is_closed: bool,
    /// The beginning of a record that is not here yet.
    incoming: Vec<u8>,
    /// What the peer said and nobody has read yet.
    heard: Vec<u8>,
    /// What is sealed and the wire did not take: the rest of one record, and one that says something about the connection.
    unsent: Vec<u8>,
}

impl Session {
    /// Goes on behind a handshake: `incoming` is what it has not looked at, `unsent` what it has to say still.
    pub(crate) const fn new(version: Version, sending: Keys, receiving: Keys, incoming: Vec<u8>, unsent: Vec<u8>) -> Self {
        let heard = Vec::new();
        Self { version, sending, receiving, owes_update: false, updates: 0, is_closed: false, incoming, heard, unsent }
    }

    /// Lets the kernel seal what is sent from now on; what is received is opened here all the same. `false` when it does not, and
    /// then nothing has changed.
    pub(crate) fn hand_over(&self, fd: BorrowedFd<'_>) -> bool {
        // In TLS 1.2 the kernel would begin with the explicit nonce that the handshake's last record had.
        self.version == Version::Tls13 && self.unsent.is_empty() && kernel::seals(fd, &self.sending)
    }

    /// Counts records that the kernel seals: `Err` when the keys are worn out.
    pub(crate) fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.sending.sequence += bytes.div_ceil(PLAIN_BYTES_MAX) as u64;
        if self.sending.sequence < RECORDS_MAX { Ok(()) } else { Err(io::Error::other(WORN_OUT)) }
    }

    /// Seals bytes and sends them with one call of `send`, which says how many it took; `room` is room to work in. How many of
    /// the bytes are on their way, one record's rest here perhaps; `WouldBlock` is none.
    pub(crate) fn write(
        &mut self,
        bytes: &[u8],
        room: &mut Vec<u8>,
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.sending.sequence >= RECORDS_MAX {
            if self.version == Version::Tls12 {
                return Err(io::Error::other(WORN_OUT));
            }
            self.owes_update = true;
        }
        self.flush(&mut send)?;
        // A key does not wear out in the middle of this.
        let records = usize::try_from(RECORDS_MAX - self.sending.sequence).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(SEALED_BYTES_MAX).min(records.saturating_mul(PLAIN_BYTES_MAX))];
        let first = self.sending.sequence;
        let aead = self.sending.aead();
        let more = record::sealed_bytes(self.version, &self.sending, 0);
        let whole = PLAIN_BYTES_MAX + more;
        let length = bytes.len() + bytes.len().div_ceil(PLAIN_BYTES_MAX) * more;
        if room.len() < length {
            room.resize(length, 0);
        }
        let room = &mut room[..length];
        for (plain, record) in bytes.chunks(PLAIN_BYTES_MAX).zip(room.chunks_mut(whole)) {
            record::seal(self.version, &mut self.sending, &aead, Kind::Data, plain, record);
        }
        let sent = send(room);
        // What nobody saw was never sealed: its numbers are used for what is sent next.
        let begun = sent.as_ref().map_or(0, |&sent| sent.div_ceil(whole));
        self.sending.sequence = first + begun as u64;
        let sent = sent?;
        self.unsent = room[sent..room.len().min(begun * whole)].to_vec();
        Ok(bytes.len().min(begun * PLAIN_BYTES_MAX))
    }

    /// Sends what is sealed and not sent, and the keys that are owed; `WouldBlock` while some of it stays.
    pub(crate) fn flush(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        loop {
            while !self.unsent.is_empty() {
                let sent = send(&self.unsent)?;
                self.unsent.drain(..sent);
            }
            self.unsent = Vec::new();
            if !std::mem::take(&mut self.owes_update) {
                return Ok(());
            }
            let [a, b, c, d] = KEY_UPDATE;
            self.say(Kind::Handshake, &[a, b, c, d, NOT_REQUESTED]);
            self.sending.renew();
        }
    }

    /// Gives the peer's data; 0 is the end. `receive` takes bytes from the wire.
    ///
    /// # Errors
    /// Those of `receive`; `InvalidData` when the peer has sent what it may not: it has been told why, and nothing follows.
    pub(crate) fn read(&mut self, into: &mut [u8], mut receive: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            if !self.heard.is_empty() {
                let count = self.heard.len().min(into.len());
                into[..count].copy_from_slice(&self.heard[..count]);
                self.heard.drain(..count);
                if self.heard.is_empty() {
                    self.heard = Vec::new();
                }
                return Ok(count);
            }
            if self.is_closed {
                return Ok(0);
            }
            match self.open() {
                Ok(true) => {}
                Ok(false) => {
                    let mut bytes = [0; READ_BYTES];
                    let count = receive(&mut bytes)?;
                    if count == 0 {
                        self.is_closed = true;
                    }
                    self.incoming.extend_from_slice(&bytes[..count]);
                }
                Err(alert) => {
                    self.close(alert);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, Refused(alert)));
                }
            }
        }
    }

    /// Says that nothing follows, and why. What the peer sends from now on means nothing.
    pub(crate) fn close(&mut self, alert: Alert) {
        self.owes_update = false;
        self.is_closed = true;
        self.say(Kind::Alert, &alert.message());
    }

    fn say(&mut self, kind: Kind, what: &[u8]) {
        let aead = self.sending.aead();
        let start = self.unsent.len();
        self.unsent.resize(start + record::sealed_bytes(self.version, &self.sending, what.len()), 0);
        record::seal(self.version, &mut self.sending, &aead, kind, what, &mut self.unsent[start..]);
    }

    /// Opens the next record; `false` when it is not here yet.
    fn open(&mut self) -> Result<bool, Alert> {
        let Some(length) = record::length(self.version, &self.incoming)? else { return Ok(false) };
        let Some(record) = self.incoming.get_mut(..length) else { return Ok(false) };
        let (kind, plain) = record::open(self.version, &mut self.receiving, record)?;
        match kind {
            Kind::Data => self.heard.extend_from_slice(plain),
            Kind::Alert => match plain {
                // Its level means nothing (RFC 8446, section 6).
                [_, ALERT_CLOSE_NOTIFY] => self.is_closed = true,
                [_, ALERT_USER_CANCELED] => {}
                [_, _] => return Err(Alert::CloseNotify),
                _ => return Err(Alert::DecodeError),
            },
            Kind::Handshake => {
                let update = plain.strip_prefix(&KEY_UPDATE).filter(|_| self.version == Version::Tls13);
                let asks = match update.ok_or(Alert::UnexpectedMessage)? {
                    [NOT_REQUESTED] => false,
                    [REQUESTED] => true,
                    [_] => return Err(Alert::IllegalParameter),
                    // It ends its record, for the next one has other keys (RFC 8446, section 5.1).
                    _ => return Err(Alert::UnexpectedMessage),
                };
                self.updates += 1;
                if self.updates > limit::TLS_KEY_UPDATES_MAX {
                    return Err(Alert::UnexpectedMessage);
                }
                self.receiving.renew();
                // However often it asks before it is answered, once is enough.
                self.owes_update |= asks;
            }
        }
        self.incoming.drain(..length);
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
