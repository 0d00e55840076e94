//! A listener's connection, plain or TLS: bytes in, bytes out, never waiting.

mod handshake;
pub(crate) mod kernel;
mod keys;
mod record;
mod session;

use crate::tls::Tls;
use handshake::Handshake;
use record::{Alert, Kind};
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use session::{Refused, Session};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes of a handshake taken at once.
const HANDSHAKE_READ_BYTES: usize = 4 * 1024;

/// A non-blocking connection.
pub(crate) struct Socket {
    fd: OwnedFd,
    layer: Layer,
}

/// What stands between the bytes and the wire.
enum Layer {
    Plain,
    Handshake(Box<Handshake>),
    Session(Box<Session>),
    /// The kernel seals what is sent; what is received the session opens.
    Kernel(Box<Session>),
    /// Nothing is said any more; what the peer says is thrown away unread.
    Finished,
}

impl Socket {
    /// Wraps an accepted connection.
    ///
    /// # Errors
    /// The TLS configuration can't serve.
    pub(crate) fn new(fd: OwnedFd, tls: Option<&Tls>) -> Result<Self, rustls::Error> {
        let layer = tls.map_or(Ok(Layer::Plain), |tls| Handshake::new(tls).map(|handshake| Layer::Handshake(Box::new(handshake))));
        Ok(Self { fd, layer: layer? })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The network address of the peer; none that is anybody's when the connection is gone.
    pub(crate) fn peer(&self) -> IpAddr {
        let peer = rustix::net::getpeername(&self.fd).ok().flatten().and_then(|peer| SocketAddr::try_from(peer).ok());
        peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
    }

    /// Whether the peer's bytes must be read although none are expected: TLS has messages of its own.
    pub(crate) const fn talks_besides(&self) -> bool {
        matches!(self.layer, Layer::Handshake(_) | Layer::Session(_) | Layer::Kernel(_))
    }

    /// Whether reading may cost as much as a thousand sends.
    pub(crate) const fn shakes_hands(&self) -> bool {
        matches!(self.layer, Layer::Handshake(_))
    }

    /// Reads what is there: 0 is the end, `WouldBlock` is nothing yet.
    ///
    /// # Errors
    /// `InvalidData` when TLS refuses what the peer sends: the peer has been told, and the connection is [finished](Self::finish).
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.layer {
            Layer::Plain | Layer::Finished => return receive(&self.fd, into),
            Layer::Handshake(_) => return Err(ErrorKind::WouldBlock.into()),
            Layer::Session(session) => session.read(into, |bytes| receive(&self.fd, bytes)),
            Layer::Kernel(session) => {
                let read = session.read(into, |bytes| receive(&self.fd, bytes));
                let alert = match &read {
                    Err(error) => error.get_ref().and_then(|error| error.downcast_ref::<Refused>()).map(|refused| refused.0),
                    Ok(_) => None,
                };
                // Hardly a kernel takes a second key, and hardly a listener asks for one: it comes again.
                let Some(alert) = alert.or(session.owes_update.then_some(Alert::CloseNotify)) else { return read };
                self.part(alert);
                return read.and(Err(ErrorKind::ConnectionAborted.into()));
            }
        };
        // Keys that are owed and alerts go out whatever came.
        let flushed = self.flush_what_goes();
        if read.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidData) {
            self.end();
        } else {
            flushed?;
        }
        read
    }

    /// Writes as much as goes at once; `WouldBlock` is none. `room` is room to work in.
    pub(crate) fn write(&mut self, bytes: &[u8], room: &mut Vec<u8>) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Plain => send(&self.fd, bytes),
            Layer::Session(session) => session.write(bytes, room, |bytes| send(&self.fd, bytes)),
            Layer::Kernel(session) => {
                session.count(bytes.len())?;
                send(&self.fd, bytes)
            }
            Layer::Handshake(_) => Err(ErrorKind::WouldBlock.into()),
            Layer::Finished => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// Brings out what TLS still holds; `WouldBlock` while some of it stays.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Plain | Layer::Kernel(_) | Layer::Finished => Ok(()),
            Layer::Session(session) => session.flush(|bytes| send(&self.fd, bytes)),
            Layer::Handshake(handshake) => {
                while !handshake.outgoing.is_empty() {
                    let count = send(&self.fd, &handshake.outgoing)?;
                    handshake.outgoing.drain(..count);
                }
                Ok(())
            }
        }
    }

    /// Says that nothing follows. What the peer still sends must be read before closing, or a reset may overtake the last bytes.
    pub(crate) fn finish(&mut self) {
        if let Layer::Kernel(_) = &self.layer {
            return self.part(Alert::CloseNotify);
        }
        if let Layer::Session(session) = &mut self.layer {
            session.close(Alert::CloseNotify);
            // The connection closes whether the peer learns of it or not.
            let _ = self.flush();
        }
        self.end();
    }

    /// As [`finish`](Self::finish), by the kernel. It may hold sealed records still, which it sends before it closes, but not once
    /// nothing may be sent any more.
    fn part(&mut self, alert: Alert) {
        self.layer = Layer::Finished;
        // The connection closes whether the peer learns of it or not.
        let _ = kernel::say(self.fd.as_fd(), Kind::Alert, &alert.message());
    }

    fn end(&mut self) {
        self.layer = Layer::Finished;
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Write);
    }

    /// One step of the handshake: how many bytes the peer sent for it, 0 when it has closed.
    ///
    /// # Errors
    /// As those of [`read`](Self::read).
    pub(crate) fn shake(&mut self) -> io::Result<usize> {
        self.flush_what_goes()?;
        let Layer::Handshake(handshake) = &mut self.layer else { return Err(ErrorKind::WouldBlock.into()) };
        let mut bytes = [0; HANDSHAKE_READ_BYTES];
        let count = receive(&self.fd, &mut bytes)?;
        if count == 0 {
            return Ok(0);
        }
        let taken = handshake.take(&bytes[..count]);
        self.flush_what_goes()?;
        let settled = match taken {
            Ok(false) => return Ok(count),
            Ok(true) => self.settle(),
            Err(error) => Err(error),
        };
        settled.map(|()| count).map_err(|error| {
            self.end();
            io::Error::new(ErrorKind::InvalidData, error)
        })
    }

    /// Lets go of rustls behind the handshake.
    fn settle(&mut self) -> Result<(), rustls::Error> {
        if let Layer::Handshake(handshake) = std::mem::replace(&mut self.layer, Layer::Finished) {
            let kernel_seals = handshake.kernel_seals;
            let session = Box::new(handshake.into_session()?);
            let is_handed_over = kernel_seals && session.hand_over(self.fd());
            self.layer = if is_handed_over { Layer::Kernel(session) } else { Layer::Session(session) };
        }
        Ok(())
    }

    fn flush_what_goes(&mut self) -> io::Result<()> {
        match self.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            other => other,
        }
    }
}

fn receive(fd: &OwnedFd, into: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(fd, into, RecvFlags::DONTWAIT)?.0)
}

fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}
