//! One peer's WebRTC session, without sockets, clocks or threads: datagrams in, Opus packets out, and back.
//!
//! [`Session`] is the stage's side (ICE-lite, it answers), a [`Caller`] that becomes a [`Call`] the other (it offers): what a browser does, for commands,
//! tests and rehearsals. Both are cores of one shape: [`Session::handle`] takes the time and what happened and says what to do,
//! [`Session::deadline`] says when to come back with [`Input::Tick`] at the latest.
//!
//! It knows WebRTC (str0m does ICE, DTLS and SRTP inside; its secrets come from the crypto library's own generator) and nothing of
//! people, events or mixing. Reordering, loss and late packets are passed on as they come: the jitter buffer lives in `audio`.

mod caller;
pub mod framing;
mod peer;
mod reception;
mod sdp;
mod session;
pub mod stun;
mod wire;

pub use caller::{Call, Caller, Wish};
pub use session::Session;
pub use wire::{Candidate, Closing, Input, Output, Packet, Purpose, Refusal, Stats, Transmit, Transport};
