//! The other side: it offers, as a browser or an encoder does.

use crate::peer::{self, Peer};
use crate::wire::{Candidate, Input, Output, Refusal, Stats, Transport};
use std::net::SocketAddr;
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::{Rtc, RtcConfig};

/// Which way sound shall flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Only to the stage.
    Send,
    /// To the stage and back.
    Both,
    /// Only from the stage.
    Receive,
}

/// An offer that waits for its answer.
pub struct Caller {
    rtc: Rtc,
    pending: SdpPendingOffer,
    mid: Mid,
}

impl Caller {
    /// Makes an offer without candidates: the stage is ICE-lite and finds its callers by their first packet.
    #[must_use]
    pub fn offer(now: Instant, wish: Wish) -> (Self, String) {
        let config: RtcConfig = peer::config();
        let mut rtc = config.build(now);
        let direction = match wish {
            Wish::Send => Direction::SendOnly,
            Wish::Both => Direction::SendRecv,
            Wish::Receive => Direction::RecvOnly,
        };
        let mut changes = rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let (offer, pending) = changes.apply().expect("an added line is always a change to negotiate");
        (Self { rtc, pending, mid }, offer.to_sdp_string())
    }

    /// Takes the answer. The stage's addresses are in [`Call::remote_candidates`]; open a socket to one of them and tell the call with
    /// [`Call::add_candidate`].
    ///
    /// # Errors
    /// [`Refusal`] with `BadSdp` or `NoCommonCodec`.
    pub fn answered(self, now: Instant, answer: &str) -> Result<Call, Refusal> {
        let Self { mut rtc, pending, mid } = self;
        let remote_candidates = crate::sdp::candidates(answer);
        let parsed = SdpAnswer::from_sdp_string(answer).map_err(Refusal::bad_sdp)?;
        rtc.sdp_api().accept_answer(pending, parsed).map_err(Refusal::bad_sdp)?;
        let payload_type = rtc.media(mid).and_then(|media| media.remote_pts().first().copied());
        let payload_type = payload_type.ok_or_else(|| Refusal::no_opus("the answer has no Opus"))?;
        Ok(Call { peer: Peer::new(now, rtc, Vec::new(), mid, payload_type), remote_candidates })
    }
}

/// A call that was answered.
pub struct Call {
    peer: Peer,
    remote_candidates: Vec<Candidate>,
}

impl Call {
    /// Where the stage can be reached, in its order.
    #[must_use]
    pub fn remote_candidates(&self) -> &[Candidate] {
        &self.remote_candidates
    }

    /// Names an own socket: a UDP socket's address, or a TCP connection's own end.
    pub fn add_candidate(&mut self, candidate: Candidate) {
        self.peer.add_candidate(candidate);
    }

    /// Whether a datagram is this call's.
    #[must_use]
    pub fn accepts(&self, now: Instant, transport: Transport, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        self.peer.accepts(now, transport, source, destination, bytes)
    }

    /// Takes what happened and says what to do, in order.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Vec<Output> {
        self.peer.handle(now, input)
    }

    /// When [`Input::Tick`] is due; `None` once the call is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.peer.deadline()
    }

    /// Whether sound can flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.peer.is_connected()
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.peer.stats()
    }

    /// Says goodbye: what is still to be sent.
    #[must_use]
    pub fn close(self, now: Instant) -> Vec<Output> {
        self.peer.close(now)
    }
}
