//! What goes into a session and what comes out.

use base::FaultKind;
use base::fact::LevelDb;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::net::Protocol;

/// What the peer is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It sends its sound (RFC 9725); with a `sendrecv` offer it gets sound back.
    Whip,
    /// It receives sound and sends none.
    Whep,
}

/// An offer that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}", kind.code())]
pub struct Refusal {
    /// What the peer is told.
    pub kind: FaultKind,
    /// What exactly is wrong, as half a sentence about the offer.
    pub cause: String,
}

impl Refusal {
    pub(crate) fn bad_sdp(cause: impl ToString) -> Self {
        Self { kind: FaultKind::BadSdp, cause: cause.to_string() }
    }

    pub(crate) fn no_opus(cause: impl ToString) -> Self {
        Self { kind: FaultKind::NoCommonCodec, cause: cause.to_string() }
    }
}

/// What carries a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP with a length before each datagram (RFC 4571, see [`crate::framing`]); the peer opens the connection.
    Tcp,
}

impl Transport {
    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Udp => Protocol::Udp,
            Self::Tcp => Protocol::Tcp,
        }
    }

    pub(crate) const fn from_protocol(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Udp => Some(Self::Udp),
            Protocol::Tcp => Some(Self::Tcp),
            Protocol::SslTcp | Protocol::Tls => None,
        }
    }
}

/// An address at which a peer can be reached (a host candidate of RFC 8445).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// What carries the datagrams.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Time has passed.
    Tick,
    /// A datagram, or one RFC 4571 frame, has arrived.
    Datagram {
        /// What carried it.
        transport: Transport,
        /// Who sent it. An IPv4 address mapped into IPv6 is taken for the IPv4 address that it is.
        source: SocketAddr,
        /// The local address it came to. One that is no candidate (a wildcard, or an address behind a one-to-one NAT) stands for
        /// the first candidate of its transport and of the sender's address family.
        destination: SocketAddr,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// One Opus frame for the peer; dropped while it is not connected or does not receive.
    Sound {
        /// The frame.
        payload: &'a [u8],
        /// The first sample's place in samples of 1/48000 s, wrapping.
        timestamp: u32,
        /// How loud it is, for the audio-level header (RFC 6464).
        level: Option<LevelDb>,
    },
}

/// What to do.
#[derive(Debug)]
pub enum Output {
    /// Send these bytes.
    Transmit(Transmit),
    /// ICE and DTLS are up: sound can flow.
    Connected,
    /// The peer's sound. Never empty: padding is dropped here.
    Packet(Packet),
    /// The session is over; it is inert from now on.
    Closed(Closing),
}

/// Bytes to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Over what; TCP bytes need their frame (see [`crate::framing::frame`]).
    pub transport: Transport,
    /// From which candidate's address.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// One datagram.
    pub bytes: Vec<u8>,
}

/// One RTP packet of Opus, in the order of arrival.
#[derive(Debug, Clone)]
pub struct Packet {
    /// When it came.
    pub arrival: Instant,
    /// The stream it belongs to: when it changes, sequence and timestamp start anew.
    pub ssrc: u32,
    /// RTP's sequence number, wrapping.
    pub sequence: u16,
    /// The first sample's place on the sender's timeline, in samples of 1/48000 s, wrapping.
    pub timestamp: u32,
    /// One Opus packet, not empty.
    pub payload: Arc<[u8]>,
    /// What the sender says about its loudness (RFC 6464).
    pub level: Option<LevelDb>,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The peer said goodbye.
    Left,
    /// Nothing came for [`base::limit::SESSION_SILENT_MILLIS_MAX`].
    Silent,
    /// ICE, DTLS or SRTP failed.
    Failed,
}

/// What a session has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Sound packets that came.
    pub packets_in: u64,
    /// Sound packets that went out.
    pub packets_out: u64,
    /// Datagrams dropped: too large, too many, or not understood.
    pub dropped: u64,
    /// The last round trip measured.
    pub round_trip: Option<Duration>,
    /// Share of the peer's packets that were lost on their way here in the last ten seconds, 0 to 1.
    pub lost_in: Option<f32>,
    /// Share of our packets that the peer said it lost, in its last report, 0 to 1.
    pub lost_out: Option<f32>,
    /// How unevenly the peer's packets come (RFC 3550, section 6.4.1).
    pub jitter_in: Option<Duration>,
    /// How unevenly ours come, as the peer says.
    pub jitter_out: Option<Duration>,
    /// What carried the last datagram that came.
    pub transport: Option<Transport>,
    /// When that was.
    pub heard: Option<Instant>,
}
