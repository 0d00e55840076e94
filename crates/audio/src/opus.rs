//! Opus (RFC 6716) as the house uses it: mono, 48 kHz, into the caller's buffers, without allocating.

use crate::Frame;
use ::opus as libopus;
use base::Rung;
use base::time::SAMPLE_RATE_HZ;
use libopus::{Application, Bitrate, Channels, Signal};

/// The longest packet: 120 ms (RFC 6716, section 2.1.4).
pub const PACKET_SAMPLES_MAX: usize = 5_760;

/// The shortest frame, and the grain of every concealment: 2.5 ms.
pub const GRAIN_SAMPLES: usize = 120;

/// Samples by which every encoder here is behind its input: the decoded sound's first samples to leave out (`pre-skip`).
/// It is the same on every rung, so that all rungs share one sample timeline.
pub const LOOKAHEAD_SAMPLES: usize = 312;

/// Bytes that hold whatever [`Encoder::encode`] writes for 20 ms (RFC 6716, section 3.2.1: one frame and its first byte).
pub const PACKET_BYTES_MAX: usize = 1_276;

/// What the codec can say no to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no Opus packet.
    #[error("the bytes are no Opus packet")]
    BadPacket,
    /// The caller's buffer is smaller than what there is to write, or of a length that Opus does not know.
    #[error("the buffer does not fit the sound")]
    BadBuffer,
    /// The codec could not be set up: out of memory, or a libopus that does not know what it is asked.
    #[error("libopus could not be set up")]
    Setup,
}

impl Error {
    fn of_decoding(error: &libopus::Error) -> Self {
        match error.code() {
            libopus::ErrorCode::BufferTooSmall | libopus::ErrorCode::BadArg => Self::BadBuffer,
            libopus::ErrorCode::InvalidPacket
            | libopus::ErrorCode::InternalError
            | libopus::ErrorCode::Unimplemented
            | libopus::ErrorCode::InvalidState
            | libopus::ErrorCode::AllocFail
            | libopus::ErrorCode::Unknown => Self::BadPacket,
        }
    }
}

/// Samples that a packet holds, at most [`PACKET_SAMPLES_MAX`].
///
/// # Errors
/// [`Error::BadPacket`] when it is empty or its head makes no sense.
pub fn packet_samples(packet: &[u8]) -> Result<usize, Error> {
    if packet.is_empty() {
        return Err(Error::BadPacket);
    }
    match libopus::packet::get_nb_samples(packet, SAMPLE_RATE_HZ) {
        Ok(samples @ 1..=PACKET_SAMPLES_MAX) => Ok(samples),
        Ok(_) | Err(_) => Err(Error::BadPacket),
    }
}

/// Packets in, sound out. Takes mono and stereo packets of any duration; the sound is always mono.
#[derive(Debug)]
pub struct Decoder(libopus::Decoder);

impl Decoder {
    /// A decoder that has heard nothing.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn new() -> Result<Self, Error> {
        libopus::Decoder::new(SAMPLE_RATE_HZ, Channels::Mono).map(Self).map_err(|_| Error::Setup)
    }

    /// Decodes one packet to the front of `sound` and returns its samples. [`PACKET_SAMPLES_MAX`] always fits.
    ///
    /// # Errors
    /// [`Error::BadPacket`], also for an empty one, which libopus would take for a loss; [`Error::BadBuffer`].
    pub fn decode(&mut self, packet: &[u8], sound: &mut [f32]) -> Result<usize, Error> {
        if packet.is_empty() {
            return Err(Error::BadPacket);
        }
        self.0.decode_float(packet, sound, false).map_err(|error| Error::of_decoding(&error))
    }

    /// Fills `sound` with what was lost directly before the packet `next`, from the redundancy in it (RFC 6716,
    /// section 2.1.7); conceals where there is none. `next` itself is to be decoded afterwards.
    ///
    /// # Errors
    /// [`Error::BadBuffer`] unless `sound` is a multiple of [`GRAIN_SAMPLES`] and not empty; [`Error::BadPacket`].
    pub fn recover(&mut self, next: &[u8], sound: &mut [f32]) -> Result<(), Error> {
        if next.is_empty() {
            return Err(Error::BadPacket);
        }
        self.fill(next, sound, true)
    }

    /// Fills `sound` with a continuation of what was heard last, fading with every call in a row.
    ///
    /// # Errors
    /// [`Error::BadBuffer`] unless `sound` is a multiple of [`GRAIN_SAMPLES`] and not empty.
    pub fn conceal(&mut self, sound: &mut [f32]) -> Result<(), Error> {
        self.fill(&[], sound, false)
    }

    /// Forgets what was heard, as for another sender.
    ///
    /// # Errors
    /// [`Error::Setup`], which libopus has no reason to give.
    pub fn reset(&mut self) -> Result<(), Error> {
        self.0.reset_state().map_err(|_| Error::Setup)
    }

    fn fill(&mut self, packet: &[u8], sound: &mut [f32], redundancy: bool) -> Result<(), Error> {
        if sound.is_empty() || !sound.len().is_multiple_of(GRAIN_SAMPLES) {
            return Err(Error::BadBuffer);
        }
        for part in sound.chunks_mut(PACKET_SAMPLES_MAX) {
            let samples = self.0.decode_float(packet, part, redundancy).map_err(|error| Error::of_decoding(&error))?;
            if samples != part.len() {
                return Err(Error::BadBuffer);
            }
        }
        Ok(())
    }
}

/// 20 ms frames in, packets out.
#[derive(Debug)]
pub struct Encoder {
    codec: libopus::Encoder,
    /// The size of every packet, where it is constant.
    packet_bytes: Option<usize>,
}

impl Encoder {
    /// Bits a second between stage and speaker, either way.
    pub const STAGE_BITS_PER_SECOND: u32 = 40_000;

    /// Share of packets that the sender to a speaker expects to be lost, in percent.
    pub const STAGE_LOSS_PERCENT: u8 = 10;

    /// For a rung of the programme: constant bitrate, every packet [`Rung::frame_bytes`] long, never discontinuous.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn programme(rung: Rung) -> Result<Self, Error> {
        // At 16 kbit/s the speech model carries further than the general one; above, music and applause count too.
        let application = match rung {
            Rung::R64 | Rung::R32 => Application::Audio,
            Rung::R16 => Application::Voip,
        };
        Self::set_up(application, rung.bits_per_second(), |codec| codec.set_vbr(false))
            .map(|codec| Self { codec, packet_bytes: Some(rung.frame_bytes()) })
    }

    /// For a voice between two who talk with each other: a speaker's way to the stage, or the stage's mix-minus back.
    /// Variable bitrate around [`Self::STAGE_BITS_PER_SECOND`], with redundancy against loss, never discontinuous.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn stage() -> Result<Self, Error> {
        Self::set_up(Application::Voip, Self::STAGE_BITS_PER_SECOND, |codec| {
            codec.set_vbr(true)?;
            codec.set_vbr_constraint(true)?;
            codec.set_signal(Signal::Voice)?;
            codec.set_inband_fec(true)?;
            codec.set_packet_loss_perc(i32::from(Self::STAGE_LOSS_PERCENT))
        })
        .map(|codec| Self { codec, packet_bytes: None })
    }

    /// Encodes one frame to the front of `packet` and returns its bytes. [`PACKET_BYTES_MAX`] always fits; a rung needs
    /// no more than [`Rung::frame_bytes`] and fills them all.
    ///
    /// # Errors
    /// [`Error::BadBuffer`] when `packet` is too short.
    pub fn encode(&mut self, frame: &Frame, packet: &mut [u8]) -> Result<usize, Error> {
        let packet = match self.packet_bytes {
            Some(bytes) => packet.get_mut(..bytes).ok_or(Error::BadBuffer)?,
            None => packet,
        };
        self.codec.encode_float(frame, packet).map_err(|_| Error::BadBuffer)
    }

    /// Samples by which the decoded sound is behind; [`LOOKAHEAD_SAMPLES`] for every encoder here.
    ///
    /// # Errors
    /// [`Error::Setup`], which libopus has no reason to give.
    pub fn lookahead(&mut self) -> Result<usize, Error> {
        self.codec.get_lookahead().ok().and_then(|samples| usize::try_from(samples).ok()).ok_or(Error::Setup)
    }

    fn set_up(
        application: Application,
        bits_per_second: u32,
        purpose: impl FnOnce(&mut libopus::Encoder) -> libopus::Result<()>,
    ) -> Result<libopus::Encoder, Error> {
        let build = || {
            let mut codec = libopus::Encoder::new(SAMPLE_RATE_HZ, Channels::Mono, application)?;
            codec.set_bitrate(Bitrate::Bits(bits_per_second.cast_signed()))?;
            codec.set_dtx(false)?;
            purpose(&mut codec)?;
            Ok(codec)
        };
        build().map_err(|_: libopus::Error| Error::Setup)
    }
}

#[cfg(test)]
mod tests;
