//! The stage's side: it answers an offer and is ICE-lite, for its addresses are known to everybody.

use crate::peer::{self, Peer};
use crate::sdp::Offer;
use crate::wire::{Candidate, Input, Output, Purpose, Refusal, Stats, Transport};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use str0m::IceCreds;
use str0m::change::SdpOffer;

/// One peer of the stage.
pub struct Session {
    peer: Peer,
}

impl Session {
    /// Answers an offer: takes its first fitting Opus line and declines every other (video, data).
    ///
    /// `candidates` are announced in the answer, the better first. `secret` is unguessable and used once: the ICE credentials are its
    /// hex digits, 16 for the user name fragment and 48 for the password (RFC 8839, section 5.4, asks for 4 and 22). Returns the session and the SDP answer.
    ///
    /// # Errors
    /// [`Refusal`] with `BadSdp`, `NoCommonCodec` or `BodyTooLarge`.
    pub fn accept(
        now: Instant,
        purpose: Purpose,
        offer: &str,
        candidates: &[Candidate],
        secret: [u8; 32],
    ) -> Result<(Self, String), Refusal> {
        let offer = Offer::read(offer, purpose)?;
        // GStreamer's certificates are RSA, which str0m's own DTLS refuses and OpenSSL's takes. Callers keep str0m's own, which repeats a lost
        // flight by itself; OpenSSL answers what is repeated.
        let crypto = Arc::new(str0m_openssl::default_provider());
        let config = peer::config().set_crypto_provider(crypto).set_ice_lite(true);
        let mut rtc = config.set_local_ice_credentials(credentials(secret)).build(now);
        let locals = peer::add_candidates(&mut rtc, candidates);
        // str0m asserts some of what a hostile offer could break. Nothing outlives this call but the answer, so a panic in it is
        // one refused offer and not the end of everybody else's event.
        let answer = catch_unwind(AssertUnwindSafe(|| {
            let parsed = SdpOffer::from_sdp_string(offer.narrowed()).map_err(Refusal::bad_sdp)?;
            let answer = rtc.sdp_api().accept_offer(parsed).map_err(Refusal::bad_sdp)?;
            Ok((rtc, answer.to_sdp_string()))
        }));
        let (rtc, answer) = answer.unwrap_or_else(|_| Err(Refusal::bad_sdp("it breaks the parser")))?;
        let answer = offer.widen(&answer);
        let peer = Peer::new(now, rtc, locals, offer.mid_inside(), offer.payload_type());
        Ok((Self { peer }, answer))
    }

    /// The session's own ICE user name fragment, by which [`crate::stun::username_ufrag`] finds it.
    #[must_use]
    pub fn local_ufrag(&self) -> &str {
        self.peer.local_ufrag()
    }

    /// Whether a datagram is this session's. STUN is checked for its integrity, so an unknown address that is accepted once may be
    /// taken for the session's from then on.
    #[must_use]
    pub fn accepts(&self, now: Instant, transport: Transport, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        self.peer.accepts(now, transport, source, destination, bytes)
    }

    /// Takes what happened and says what to do, in order.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Vec<Output> {
        self.peer.handle(now, input)
    }

    /// When [`Input::Tick`] is due; `None` once the session is closed.
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

fn credentials(secret: [u8; 32]) -> IceCreds {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    IceCreds { ufrag: hex(&secret[..8]), pass: hex(&secret[8..]) }
}

#[cfg(test)]
mod tests;
