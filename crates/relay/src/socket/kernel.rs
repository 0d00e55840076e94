//! Kernel TLS: the kernel seals what is sent, when it has the module `tls` (Linux, Documentation/networking/tls.rst).
//!
//! Only what is sent: a listener says next to nothing. And only TLS 1.3 with one key for each connection.

use super::keys::{Cipher, Keys};
use super::record::Kind;
use ktls_core::{AeadKey, ConnectionTrafficSecrets, ContentType, ProtocolVersion, TlsCryptoInfoTx};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

/// Whether this kernel seals: tried out on a connection of its own.
pub(crate) fn is_here() -> bool {
    let seals = || -> io::Result<bool> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let connection = TcpStream::connect(listener.local_addr()?)?;
        Ok(seals(connection.as_fd(), &Keys::of_secret(Cipher::Aes128Gcm, &[0; 32], 0)))
    };
    seals().unwrap_or(false)
}

/// Lets the kernel seal what is sent on a connection from now on; `false` when it does not, and then nothing has changed.
pub(crate) fn seals(fd: BorrowedFd<'_>, keys: &Keys) -> bool {
    let info = secrets(keys).and_then(|secrets| TlsCryptoInfoTx::new(ProtocolVersion::TLSv1_3, secrets, keys.sequence).ok());
    info.is_some_and(|info| ktls_core::setup_ulp(&fd).and_then(|()| info.set(&fd)).is_ok())
}

/// Sends a record that is no data.
pub(crate) fn say(fd: BorrowedFd<'_>, kind: Kind, what: &[u8]) -> io::Result<usize> {
    let kind = match kind {
        Kind::Alert => ContentType::Alert,
        Kind::Handshake => ContentType::Handshake,
        Kind::Data => ContentType::ApplicationData,
    };
    ktls_core::ffi::send_tls_control_message(fd.as_raw_fd(), kind, &mut what.to_vec())
}

/// Keys in the words of `linux/tls.h`: four bytes of a nonce that it calls salt, and the rest.
fn secrets(keys: &Keys) -> Option<ConnectionTrafficSecrets> {
    let (cipher, key, nonce) = keys.parts();
    let (salt, iv) = nonce.split_first_chunk()?;
    Some(match cipher {
        Cipher::Aes128Gcm => {
            ConnectionTrafficSecrets::Aes128Gcm { key: AeadKey::new(key.try_into().ok()?), iv: iv.try_into().ok()?, salt: *salt }
        }
        Cipher::Aes256Gcm => {
            ConnectionTrafficSecrets::Aes256Gcm { key: AeadKey::new(key.try_into().ok()?), iv: iv.try_into().ok()?, salt: *salt }
        }
        Cipher::Chacha20Poly1305 => {
            ConnectionTrafficSecrets::Chacha20Poly1305 { key: AeadKey::new(key.try_into().ok()?), iv: *nonce, salt: [] }
        }
    })
}

#[cfg(test)]
mod tests;
