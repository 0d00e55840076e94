//! Everything about sound that needs a codec: Opus, the jitter buffer, levels, and the desk that mixes one event.
//!
//! The way of the sound: a speaker's RTP payloads enter a [`voice::Voice`] (jitter buffer and decoder), which gives one
//! 20 ms [`Frame`] a tick whatever the network does; the [`mix::Desk`] measures and mixes the voices; an
//! [`opus::Encoder`] turns its frames into packets for the programme's rungs and for the ears on stage.
//!
//! Knows no clock, socket, file or thread: time and bytes are arguments. Nothing allocates after construction on the
//! way from a packet to a mixed frame, so that a real-time thread can run it. Does not know who a speaker is, what an
//! event is, or where a frame goes.

pub mod jitter;
pub mod level;
pub mod mix;
pub mod mp3;
pub mod opus;
pub mod voice;

/// 20 ms of mono sound at 48 kHz, full scale at ±1.
pub type Frame = [f32; base::time::TICK_SAMPLES];

/// A frame without sound.
pub const SILENCE: Frame = [0.0; base::time::TICK_SAMPLES];

#[cfg(test)]
mod sample;
