//! A listener's connection, plain or TLS: bytes in, bytes out, never waiting.

use rustix::net::{RecvFlags, SendFlags, Shutdown};
use rustls::{ServerConfig, ServerConnection};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// Bytes that TLS takes at once: one record, so that a slow reader holds little in user space.
const TLS_WRITE_BYTES: usize = 16 * 1024;

/// A non-blocking connection.
pub(crate) enum Socket {
    Plain(OwnedFd),
    Tls(Box<Tls>),
}

/// A connection with TLS on it.
pub(crate) struct Tls {
    wire: Wire,
    session: ServerConnection,
}

impl Socket {
    /// Wraps an accepted connection.
    ///
    /// # Errors
    /// The TLS configuration can't serve.
    pub(crate) fn new(fd: OwnedFd, tls: Option<&Arc<ServerConfig>>) -> Result<Self, rustls::Error> {
        Ok(match tls {
            None => Self::Plain(fd),
            Some(config) => Self::Tls(Box::new(Tls { wire: Wire(fd), session: ServerConnection::new(Arc::clone(config))? })),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(fd) => fd.as_fd(),
            Self::Tls(tls) => tls.wire.0.as_fd(),
        }
    }

    /// Whether the peer's bytes must be read although none are expected: TLS has messages of its own.
    pub(crate) const fn talks_besides(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Reads what is there: 0 is the end, `WouldBlock` is nothing yet.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(fd) => receive(fd, into),
            Self::Tls(tls) => tls.read(into),
        }
    }

    /// Writes as much as goes at once; `WouldBlock` is none.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(fd) => send(fd, bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    /// Brings out what TLS still holds; `WouldBlock` while some of it stays.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }

    /// Says that nothing follows. What the peer still sends must be read before closing, or a reset may overtake the last bytes.
    pub(crate) fn finish(&mut self) {
        if let Self::Tls(tls) = self {
            tls.session.send_close_notify();
            // The connection closes whether the peer learns of it or not.
            let _ = tls.flush();
        }
        let _ = rustix::net::shutdown(self.fd(), Shutdown::Write);
    }
}

impl Tls {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                other => return other,
            }
            let count = self.session.read_tls(&mut self.wire)?;
            let processed = self.session.process_new_packets();
            // Handshake messages and alerts go out even when the peer's bytes were bad.
            match self.flush() {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if count == 0 {
                return Ok(0);
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let count = self.session.writer().write(&bytes[..bytes.len().min(TLS_WRITE_BYTES)])?;
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.wire)?;
        }
        Ok(())
    }
}

/// The descriptor under a TLS session.
struct Wire(OwnedFd);

impl io::Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        receive(&self.0, into)
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(&self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn receive(fd: &OwnedFd, into: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(fd, into, RecvFlags::DONTWAIT)?.0)
}

fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}
