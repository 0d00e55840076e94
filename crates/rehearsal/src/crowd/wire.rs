//! Connections of the crowd: from a source address of its own, never waiting, plain or TLS.

use crate::ports::Ports;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, socket_with, sockopt};
use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// Addresses that are tried before the crowd has none left.
const TRIES_MAX: usize = 64;

/// Bytes that a slow reader's kernel takes ahead of it.
const SLOW_BUFFER_BYTES: usize = 4_096;

/// A connection under way.
pub(super) struct Opened(pub(super) OwnedFd);

/// Begins a connection from the next free address.
///
/// # Errors
/// `EADDRNOTAVAIL` or `EADDRINUSE` when no port is left, `EMFILE` when no descriptor is, or what the network says.
pub(super) fn open(server: SocketAddr, ports: &mut Ports, slow: bool) -> Result<Opened, Errno> {
    let family = if server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut last = Errno::ADDRNOTAVAIL;
    for _ in 0..TRIES_MAX {
        let fd = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
        if slow {
            sockopt::set_socket_recv_buffer_size(&fd, SLOW_BUFFER_BYTES)?;
        }
        if let Some(source) = ports.next() {
            // A port that waits after its last connection may be taken for another peer.
            sockopt::set_socket_reuseaddr(&fd, true)?;
            if let Err(error) = bind(&fd, &source) {
                last = error;
                continue;
            }
        }
        match connect(&fd, &server) {
            Ok(()) | Err(Errno::INPROGRESS) => return Ok(Opened(fd)),
            Err(error @ (Errno::ADDRNOTAVAIL | Errno::ADDRINUSE)) if !ports.is_free() => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// A TLS session and the bytes that it and its request still have to send.
pub(super) struct Secure(pub(super) ClientConnection);

impl Secure {
    /// Reads sound: 0 is the end, `WouldBlock` nothing yet.
    pub(super) fn receive(&mut self, fd: &OwnedFd, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Servers that are killed say no farewell.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            let count = self.0.read_tls(&mut Wire(fd))?;
            let processed = self.0.process_new_packets();
            self.flush(fd)?;
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if count == 0 {
                return Ok(0);
            }
        }
    }

    pub(super) fn send(&mut self, fd: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
        self.0.writer().write_all(bytes)?;
        self.flush(fd)
    }

    /// Sends what waits; what does not go now goes when the socket is writable.
    pub(super) fn flush(&mut self, fd: &OwnedFd) -> io::Result<()> {
        while self.0.wants_write() {
            match self.0.write_tls(&mut Wire(fd)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The descriptor under a TLS session.
struct Wire<'a>(&'a OwnedFd);

impl io::Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        receive(self.0, into)
    }
}

impl io::Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn receive(fd: &OwnedFd, into: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(fd, into, RecvFlags::DONTWAIT)?.0)
}

pub(super) fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}
