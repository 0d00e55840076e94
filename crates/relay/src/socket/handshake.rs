//! A TLS handshake: rustls does it, and is let go as soon as it is done.
//!
//! Rustls is shown one record at a time, so that it never sees one behind the handshake: those belong to the [`Session`].

use super::keys::{Cipher, Keys, NONCE_BYTES, Version};
use super::record::HEADER_BYTES;
use super::session::Session;
use crate::tls::Tls;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use rustls::{ConnectionTrafficSecrets, Error, KeyLog, ProtocolVersion, ServerConfig};
use std::fmt;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// Bytes that a record may have in any version, and the kinds that there are: what is none of them, rustls refuses at once.
const RECORD_BYTES_MAX: usize = 18 * 1024;
const KINDS: std::ops::RangeInclusive<u8> = 20..=24;

/// A handshake under way.
pub(crate) struct Handshake {
    connection: UnbufferedServerConnection,
    secrets: Arc<Secrets>,
    /// Whether the kernel seals what is sent behind it.
    pub(crate) kernel_seals: bool,
    incoming: Vec<u8>,
    /// How much of it rustls may see: whole records.
    shown: usize,
    /// What is to be sent.
    pub(crate) outgoing: Vec<u8>,
}

impl Handshake {
    pub(crate) fn new(tls: &Tls) -> Result<Self, Error> {
        let secrets = Arc::new(Secrets::default());
        // Every connection has a configuration of its own, which shares all but the ear for its secrets.
        let mut config = ServerConfig::clone(&tls.config);
        config.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
        let connection = UnbufferedServerConnection::new(Arc::new(config))?;
        let (incoming, outgoing) = (Vec::new(), Vec::new());
        Ok(Self { connection, secrets, kernel_seals: tls.kernel_seals, incoming, shown: 0, outgoing })
    }

    /// Goes on with the peer's bytes; `true` when it is done.
    ///
    /// # Errors
    /// It has failed: `outgoing` ends with an alert.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        self.incoming.extend_from_slice(bytes);
        loop {
            match self.step() {
                Ok(Step::Again) => {}
                Ok(Step::Done) => return Ok(true),
                Ok(Step::Blocked) if self.show_more() => {}
                Ok(Step::Blocked) => return Ok(false),
                Err(error) => {
                    self.shown = 0;
                    while matches!(self.step(), Ok(Step::Again)) {}
                    return Err(error);
                }
            }
        }
    }

    /// What goes on behind it.
    ///
    /// # Errors
    /// Its keys are not to be had.
    pub(crate) fn into_session(mut self) -> Result<Session, Error> {
        let (extracted, connection) = self.connection.dangerous_into_kernel_connection()?;
        // No third is offered.
        let version = if connection.protocol_version() == ProtocolVersion::TLSv1_3 { Version::Tls13 } else { Version::Tls12 };
        let keys = |(sequence, secrets): (u64, ConnectionTrafficSecrets), secret: &OnceLock<Zeroizing<Vec<u8>>>| {
            let (cipher, key, iv) = match secrets {
                ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Cipher::Aes128Gcm, key, iv),
                ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Cipher::Aes256Gcm, key, iv),
                ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (Cipher::Chacha20Poly1305, key, iv),
                _ => return Err(Error::General("a cipher that was never offered".into())),
            };
            let broken = || Error::General("the keys of a handshake do not follow from its secrets".into());
            match version {
                Version::Tls12 => {
                    let iv = <[u8; NONCE_BYTES]>::try_from(iv.as_ref()).map_err(|_| broken())?;
                    Ok(Keys::given(cipher, key.as_ref(), iv, sequence))
                }
                Version::Tls13 => {
                    let keys = Keys::of_secret(cipher, secret.get().ok_or_else(broken)?, sequence);
                    if keys.are(cipher, key.as_ref(), iv.as_ref()) { Ok(keys) } else { Err(broken()) }
                }
            }
        };
        let (sending, receiving) = (keys(extracted.tx, &self.secrets.server)?, keys(extracted.rx, &self.secrets.client)?);
        // Most often both are empty, and stay for hours.
        self.incoming.shrink_to_fit();
        self.outgoing.shrink_to_fit();
        Ok(Session::new(version, sending, receiving, self.incoming, self.outgoing))
    }

    fn step(&mut self) -> Result<Step, Error> {
        let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.incoming[..self.shown]);
        let step = match state {
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing).map(|()| Step::Again),
            Ok(ConnectionState::TransmitTlsData(data)) => {
                // It is kept until it is sent, by this connection alone.
                data.done();
                Ok(Step::Again)
            }
            Ok(ConnectionState::BlockedHandshake) => Ok(Step::Blocked),
            Ok(ConnectionState::WriteTraffic(_)) => Ok(Step::Done),
            Ok(
                ConnectionState::ReadTraffic(_)
                | ConnectionState::ReadEarlyData(_)
                | ConnectionState::PeerClosed
                | ConnectionState::Closed
                | _,
            ) => Err(Error::HandshakeNotComplete),
            Err(error) => Err(error),
        };
        self.incoming.drain(..discard);
        self.shown -= discard;
        step
    }

    /// Shows one more record to rustls; `false` when none is here.
    fn show_more(&mut self) -> bool {
        let hidden = &self.incoming[self.shown..];
        let Some(&[kind, _, _, high, low]) = hidden.first_chunk::<HEADER_BYTES>() else { return false };
        let length = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        if length > RECORD_BYTES_MAX || !KINDS.contains(&kind) {
            self.shown = self.incoming.len();
        } else if hidden.len() >= length {
            self.shown += length;
        } else {
            return false;
        }
        true
    }
}

enum Step {
    Again,
    Blocked,
    Done,
}

fn encode(mut data: EncodeTlsData<'_, rustls::server::ServerConnectionData>, into: &mut Vec<u8>) -> Result<(), Error> {
    let start = into.len();
    let failed = |error: EncodeError| Error::General(error.to_string());
    match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(wanted)) => into.resize(start + wanted.required_size, 0),
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    data.encode(&mut into[start..]).map(|_| ()).map_err(failed)
}

/// The traffic secrets of one connection, of which its later keys are made.
#[derive(Default)]
struct Secrets {
    client: OnceLock<Zeroizing<Vec<u8>>>,
    server: OnceLock<Zeroizing<Vec<u8>>>,
}

impl Secrets {
    fn place(&self, label: &str) -> Option<&OnceLock<Zeroizing<Vec<u8>>>> {
        match label {
            "CLIENT_TRAFFIC_SECRET_0" => Some(&self.client),
            "SERVER_TRAFFIC_SECRET_0" => Some(&self.server),
            _ => None,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Secrets")
    }
}

impl KeyLog for Secrets {
    fn will_log(&self, label: &str) -> bool {
        self.place(label).is_some()
    }

    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if let Some(place) = self.place(label) {
            // There is one of each.
            let _ = place.set(Zeroizing::new(secret.to_vec()));
        }
    }
}
