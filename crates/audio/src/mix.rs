//! The desk of one event: its voices in, the programme's sound and everybody's mix-minus out, once every 20 ms.
//!
//! Who doesn't talk adds nothing to the mix, so all of them can hear the same one; who talks hears the mix without
//! themselves. A real-time thread owns the desk: nothing here locks, and nothing allocates after [`Desk::new`].
//!
//! The intended shape around it: one SPSC ring of [`Command`]s in; two rings of `Box<`[`Output`]`>` out and back, so that
//! the boxes are made once and only travel.

use crate::opus::Error;
use crate::voice::{Source, Voice};
use crate::{Frame, SILENCE, jitter};
use base::fact::LevelDb;
use base::limit::SPEAKERS_PER_EVENT_MAX;
use limiter::Limiter;
use noise::Noise;
use std::time::Instant;

mod limiter;
mod noise;

/// A desk's inputs.
pub const INPUTS: usize = SPEAKERS_PER_EVENT_MAX;

/// How fast a voice comes in, and goes when it is muted or closed: 8 ms, short enough to be prompt and too long to click.
const RAMP_PER_SAMPLE: f32 = 1.0 / 384.0;

/// How fast a voice goes that has stopped talking: 100 ms, so that the room behind it fades rather than stops.
const FADE_PER_SAMPLE: f32 = 1.0 / 4_800.0;

/// One of a desk's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Input(usize);

impl Input {
    /// The input with this number; `None` from [`INPUTS`] on.
    #[must_use]
    pub const fn new(number: usize) -> Option<Self> {
        if number < INPUTS { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0
    }

    /// Every input, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..INPUTS).map(Self)
    }
}

/// What can be done to a desk, as it crosses the ring to its thread.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a box would be freed, and so the allocator called, on the real-time thread")]
pub enum Command {
    /// [`Desk::open`].
    Open(Input),
    /// [`Desk::close`].
    Close(Input),
    /// [`Desk::set_muted`].
    SetMuted(Input, bool),
    /// [`Desk::push`].
    Push(Input, jitter::Packet),
}

/// What a desk knows about an open input after a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How loud the voice comes in, muted or not.
    pub level: LevelDb,
    /// Whether it is talking and not muted: it is in the mix.
    pub talking: bool,
    /// Where its sound came from.
    pub source: Source,
}

/// What one tick gives. Made once, filled again and again.
#[derive(Debug, Clone)]
pub struct Output {
    /// Everybody: the programme, and what all hear who have no mix of their own. Never digital silence.
    pub mix: Frame,
    /// What is known about each open input.
    pub heard: [Option<Heard>; INPUTS],
    own: [Frame; INPUTS],
    has_own: [bool; INPUTS],
}

impl Default for Output {
    fn default() -> Self {
        Self { mix: SILENCE, heard: [None; INPUTS], own: [SILENCE; INPUTS], has_own: [false; INPUTS] }
    }
}

impl Output {
    /// The mix without this input's own voice, when the voice is in the mix; else `None`: it hears [`Output::mix`].
    ///
    /// The change from one to the other is seamless, for an input's voice enters and leaves the mix at zero.
    #[must_use]
    pub fn mix_minus(&self, input: Input) -> Option<&Frame> {
        self.has_own[input.0].then_some(&self.own[input.0])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open,
    /// Fading out, then closed.
    Closing,
}

#[derive(Debug)]
struct Channel {
    phase: Phase,
    muted: bool,
    voice: Voice,
    gain: f32,
    /// Whether the voice was in the last tick's mix.
    is_mixed: bool,
    frame: Frame,
    limiter: Limiter,
}

/// The mixer of one event.
#[derive(Debug)]
pub struct Desk {
    channels: Box<[Channel]>,
    limiter: Limiter,
    noise: Noise,
}

impl Desk {
    /// A desk with every input closed. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn new() -> Result<Self, Error> {
        let channel = |_| {
            let voice = Voice::new()?;
            Ok(Channel { phase: Phase::Closed, muted: false, voice, gain: 0.0, is_mixed: false, frame: SILENCE, limiter: Limiter::new() })
        };
        let channels = (0..INPUTS).map(channel).collect::<Result<_, Error>>()?;
        Ok(Self { channels, limiter: Limiter::new(), noise: Noise::new() })
    }

    /// Does what a command says.
    pub fn apply(&mut self, command: &Command) {
        match command {
            Command::Open(input) => self.open(*input),
            Command::Close(input) => self.close(*input),
            Command::SetMuted(input, muted) => self.set_muted(*input, *muted),
            Command::Push(input, packet) => self.push(*input, packet.arrived, packet.sequence, packet.timestamp, packet.payload()),
        }
    }

    /// Takes a new voice at this input, unmuted, as if nothing had ever come in there.
    pub fn open(&mut self, input: Input) {
        let channel = &mut self.channels[input.0];
        channel.voice.reset();
        channel.phase = Phase::Open;
        channel.muted = false;
        channel.gain = 0.0;
    }

    /// Lets the voice go, faded out within the next tick. Nothing happens to an input that isn't open.
    pub fn close(&mut self, input: Input) {
        let channel = &mut self.channels[input.0];
        if channel.phase == Phase::Open {
            channel.phase = Phase::Closing;
        }
    }

    /// Takes the voice out of every mix, or back in; it is decoded and measured all the same.
    pub fn set_muted(&mut self, input: Input, muted: bool) {
        self.channels[input.0].muted = muted;
    }

    /// Takes an RTP packet's payload that arrived at `arrived`. One for an input that isn't open is dropped.
    pub fn push(&mut self, input: Input, arrived: Instant, sequence: u16, timestamp: u32, payload: &[u8]) {
        let channel = &mut self.channels[input.0];
        if channel.phase == Phase::Open {
            channel.voice.push(arrived, sequence, timestamp, payload);
        }
    }

    /// What an input's jitter buffer has counted since it was opened.
    #[must_use]
    pub fn counts(&self, input: Input) -> jitter::Counts {
        self.channels[input.0].voice.counts()
    }

    /// Mixes the next 20 ms. `now` is when the tick is due, not when a busy machine comes round to it: it must advance by
    /// 20 ms a tick, or the voices are taken to have drifted.
    pub fn tick(&mut self, now: Instant, output: &mut Output) {
        let mut total = SILENCE;
        for (channel, heard) in self.channels.iter_mut().zip(&mut output.heard) {
            *heard = channel.tick(now);
            if channel.is_mixed {
                add(&mut total, &channel.frame);
            }
        }
        let noise = self.noise.frame();
        output.mix = total;
        self.limiter.limit(&mut output.mix);
        add(&mut output.mix, &noise);
        for (number, channel) in self.channels.iter_mut().enumerate() {
            output.has_own[number] = channel.is_mixed;
            if channel.is_mixed {
                let own = &mut output.own[number];
                *own = total;
                own.iter_mut().zip(&channel.frame).for_each(|(sum, voice)| *sum -= voice);
                channel.limiter.limit(own);
                add(own, &noise);
            } else {
                channel.limiter.follow(&self.limiter);
            }
        }
    }
}

impl Channel {
    /// Pulls the voice's next 20 ms into `frame`, as loud as they are to be mixed.
    fn tick(&mut self, now: Instant) -> Option<Heard> {
        self.is_mixed = false;
        if self.phase == Phase::Closed {
            return None;
        }
        let pulled = self.voice.pull(now, &mut self.frame);
        let is_on = self.phase == Phase::Open && !self.muted;
        let talking = is_on && pulled.talking;
        self.is_mixed = talking || self.gain > 0.0;
        if self.is_mixed {
            let fall = if is_on { FADE_PER_SAMPLE } else { RAMP_PER_SAMPLE };
            self.gain = ramp(&mut self.frame, self.gain, talking, fall);
        }
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
        }
        Some(Heard { level: pulled.level, talking, source: pulled.source })
    }
}

/// Moves the gain from `gain` towards 1 or 0, sample by sample; returns where it is at the end.
fn ramp(frame: &mut Frame, mut gain: f32, up: bool, fall: f32) -> f32 {
    for sample in frame {
        *sample *= gain;
        gain = if up { (gain + RAMP_PER_SAMPLE).min(1.0) } else { (gain - fall).max(0.0) };
    }
    gain
}

fn add(sum: &mut Frame, frame: &Frame) {
    sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
}

#[cfg(test)]
mod tests;
