//! The desk of one event: its voices in, the programme's sound and everybody's mix-minus out, once every 20 ms.
//!
//! There are two buses ([`Bus`]). On air are the voices of the programme, and who is on air hears those alone; backstage
//! are all voices, for who is backstage. The programme carries the air, or the hold sound while nothing is on air.
//!
//! Who doesn't talk adds nothing to a bus, so all of them can hear the same one; who talks hears their bus without
//! themselves. A real-time thread owns the desk: nothing here locks, and nothing allocates after [`Desk::new`].
//!
//! The intended shape around it: one SPSC ring of [`Command`]s in; two rings of `Box<`[`Output`]`>` out and back, so that
//! the boxes are made once and only travel.

use crate::opus::Error;
use crate::voice::{Source, Voice};
use crate::{Frame, SILENCE, jitter};
use base::fact::LevelDb;
use base::limit::SPEAKERS_PER_EVENT_MAX;
use bell::Chime;
use hold::Programme;
use limiter::Limiter;
use noise::Noise;
use std::time::Instant;

mod bell;
mod hold;
mod limiter;
mod noise;

/// A desk's inputs.
pub const INPUTS: usize = SPEAKERS_PER_EVENT_MAX;

/// How fast a voice comes in, and goes when it is muted or closed: 8 ms, short enough to be prompt and too long to click.
const RAMP_PER_SAMPLE: f32 = 1.0 / 384.0;

/// How fast a voice goes that has stopped talking: 100 ms, so that the room behind it fades rather than stops.
const FADE_PER_SAMPLE: f32 = 1.0 / 4_800.0;

/// How slowly a voice goes whose time is over: 2 s.
const TIME_OVER_PER_SAMPLE: f32 = 1.0 / 96_000.0;

/// The voices that are heard together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bus {
    /// Those on air: the programme.
    Air,
    /// All of them, those behind the stage too.
    Back,
}

impl Bus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Air, Self::Back];

    /// Its place in [`Bus::ALL`].
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Air => 0,
            Self::Back => 1,
        }
    }
}

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
    /// [`Desk::set_on_air`].
    SetOnAir(Input, bool),
    /// [`Desk::fade`].
    Fade(Input),
    /// [`Desk::set_hold`].
    SetHold(bool),
    /// [`Desk::chime`].
    Chime,
    /// [`Desk::push`].
    Push(Input, jitter::Packet),
}

/// What a desk knows about an open input after a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How loud the voice comes in, muted or not.
    pub level: LevelDb,
    /// Whether it is talking and not muted: it is in a mix.
    pub talking: bool,
    /// Whether it is talking into a microphone that is muted.
    pub talking_muted: bool,
    /// Whether it is talking, not muted, and listeners hear it.
    pub in_programme: bool,
    /// Where its sound came from.
    pub source: Source,
}

/// What somebody at an input hears.
#[derive(Debug, Clone, Copy)]
pub enum Ear<'a> {
    /// What all on this bus hear who don't talk: [`Output::bus`].
    Shared(Bus),
    /// A mix without their own voice, or between two buses.
    Own(&'a Frame),
}

/// What one tick gives. Made once, filled again and again.
#[derive(Debug, Clone)]
pub struct Output {
    /// What listeners hear. Never digital silence.
    pub programme: Frame,
    /// What is known about each open input.
    pub heard: [Option<Heard>; INPUTS],
    /// The bus for those who hear the stage and have no input: the air, or the people behind the stage as long as nothing is on air.
    pub monitor: Bus,
    buses: [Frame; 2],
    voices: [Frame; INPUTS],
    ears: [Bus; INPUTS],
    own: [Frame; INPUTS],
    has_own: [bool; INPUTS],
}

impl Default for Output {
    fn default() -> Self {
        Self {
            programme: SILENCE,
            heard: [None; INPUTS],
            monitor: Bus::Air,
            buses: [SILENCE; 2],
            voices: [SILENCE; INPUTS],
            ears: [Bus::Air; INPUTS],
            own: [SILENCE; INPUTS],
            has_own: [false; INPUTS],
        }
    }
}

impl Output {
    /// Everybody on a bus. Never digital silence.
    #[must_use]
    pub const fn bus(&self, bus: Bus) -> &Frame {
        &self.buses[bus.place()]
    }

    /// What is heard at this input: nobody hears their own voice.
    ///
    /// The change from one ear to another is seamless, for a voice enters and leaves a mix at zero, and between two buses there is
    /// a tick in which one goes over into the other.
    #[must_use]
    pub const fn ear(&self, input: Input) -> Ear<'_> {
        if self.has_own[input.0] { Ear::Own(&self.own[input.0]) } else { Ear::Shared(self.ears[input.0]) }
    }

    /// The voice as it comes in here, muted or not and mixed with nothing; `None` where nobody is.
    #[must_use]
    pub fn voice(&self, input: Input) -> Option<&Frame> {
        self.heard[input.0].map(|_| &self.voices[input.0])
    }

    /// Nothing but silence.
    pub fn silence(&mut self) {
        (self.programme, self.buses) = (SILENCE, [SILENCE; 2]);
        (self.own, self.voices) = ([SILENCE; INPUTS], [SILENCE; INPUTS]);
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
    /// Its time is over: it goes slowly, then it is muted.
    is_fading: bool,
    voice: Voice,
    gain: f32,
    /// Whether the voice was in the last tick's mix.
    is_mixed: bool,
    on_air: bool,
    /// Where between backstage (0) and on air (1) the last tick began.
    place: f32,
    /// Where it ended.
    place_after: f32,
    frame: Frame,
    /// The frame's share on air.
    aired: Frame,
    limiter: Limiter,
}

/// The mixer of one event.
#[derive(Debug)]
pub struct Desk {
    channels: Box<[Channel]>,
    limiters: [Limiter; 2],
    programme: Programme,
    chime: Chime,
    noise: Noise,
}

impl Desk {
    /// A desk with every input closed, and the air in its programme. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`Error::Setup`] when out of memory.
    pub fn new() -> Result<Self, Error> {
        let channels = (0..INPUTS).map(|_| Channel::new()).collect::<Result<_, Error>>()?;
        let limiters = [Limiter::new(), Limiter::new()];
        Ok(Self { channels, limiters, programme: Programme::new(), chime: Chime::default(), noise: Noise::new() })
    }

    /// Does what a command says.
    pub fn apply(&mut self, command: &Command) {
        match command {
            Command::Open(input) => self.open(*input),
            Command::Close(input) => self.close(*input),
            Command::SetMuted(input, muted) => self.set_muted(*input, *muted),
            Command::SetOnAir(input, on_air) => self.set_on_air(*input, *on_air),
            Command::Fade(input) => self.fade(*input),
            Command::SetHold(hold) => self.set_hold(*hold),
            Command::Chime => self.chime(),
            Command::Push(input, packet) => self.push(*input, packet.arrived, packet.sequence, packet.timestamp, packet.payload()),
        }
    }

    /// Takes a new voice at this input, unmuted and backstage, as if nothing had ever come in there.
    pub fn open(&mut self, input: Input) {
        let channel = &mut self.channels[input.0];
        channel.voice.reset();
        channel.phase = Phase::Open;
        (channel.muted, channel.is_fading, channel.on_air) = (false, false, false);
        (channel.gain, channel.place, channel.place_after) = (0.0, 0.0, 0.0);
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
        let channel = &mut self.channels[input.0];
        (channel.muted, channel.is_fading) = (muted, false);
    }

    /// Puts the voice, and the ear of who has it, on air or backstage, within the next tick.
    pub fn set_on_air(&mut self, input: Input, on_air: bool) {
        self.channels[input.0].on_air = on_air;
    }

    /// Lets the voice fade within 2 s; then it is muted.
    pub fn fade(&mut self, input: Input) {
        let channel = &mut self.channels[input.0];
        channel.is_fading = !channel.muted;
    }

    /// Whether the programme carries the hold sound instead of the air.
    pub const fn set_hold(&mut self, hold: bool) {
        self.programme.set_hold(hold);
    }

    /// Rings a bell on both buses: somebody's time is nearly over.
    pub const fn chime(&mut self) {
        self.chime.strike();
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
        let mut total = [SILENCE; 2];
        for (number, channel) in self.channels.iter_mut().enumerate() {
            let mut heard = channel.tick(now, &mut output.voices[number]);
            if let Some(heard) = &mut heard {
                heard.in_programme &= !self.programme.holds();
            }
            output.heard[number] = heard;
            if channel.is_mixed {
                add(&mut total[Bus::Air.place()], &channel.aired);
                add(&mut total[Bus::Back.place()], &channel.frame);
            }
        }
        self.chime.ring(&mut total);
        let noise = self.noise.frame();
        output.buses = total;
        self.limiters.iter_mut().zip(&mut output.buses).for_each(|(limiter, bus)| limiter.limit(bus));
        self.programme.carry(&output.buses[Bus::Air.place()], &mut output.programme);
        output.monitor = if self.programme.holds() { Bus::Back } else { Bus::Air };
        for frame in output.buses.iter_mut().chain([&mut output.programme]) {
            add(frame, &noise);
        }
        for (number, channel) in self.channels.iter_mut().enumerate() {
            let ear = if channel.on_air { Bus::Air } else { Bus::Back };
            output.ears[number] = ear;
            output.has_own[number] = channel.has_own_ear();
            if channel.has_own_ear() {
                let own = &mut output.own[number];
                channel.hear(&total, own);
                channel.limiter.limit(own);
                add(own, &noise);
            } else {
                channel.limiter.follow(&self.limiters[ear.place()]);
            }
        }
    }
}

impl Channel {
    fn new() -> Result<Self, Error> {
        Ok(Self {
            phase: Phase::Closed,
            muted: false,
            is_fading: false,
            voice: Voice::new()?,
            gain: 0.0,
            is_mixed: false,
            on_air: false,
            place: 0.0,
            place_after: 0.0,
            frame: SILENCE,
            aired: SILENCE,
            limiter: Limiter::new(),
        })
    }

    /// Pulls the voice's next 20 ms into `voice`, as loud as they are to be mixed into `frame`, and what of it is on air into `aired`.
    fn tick(&mut self, now: Instant, voice: &mut Frame) -> Option<Heard> {
        self.is_mixed = false;
        if self.phase == Phase::Closed {
            return None;
        }
        let pulled = self.voice.pull(now, voice);
        let is_on = self.phase == Phase::Open && !self.muted;
        let talking = is_on && pulled.talking;
        self.is_mixed = (talking && !self.is_fading) || self.gain > 0.0;
        if self.is_mixed {
            let fall = match (is_on, self.is_fading) {
                (true, true) => TIME_OVER_PER_SAMPLE,
                (true, false) => FADE_PER_SAMPLE,
                (false, _) => RAMP_PER_SAMPLE,
            };
            self.frame = *voice;
            self.gain = ramp(&mut self.frame, self.gain, talking && !self.is_fading, fall);
        }
        if self.is_fading && self.gain <= 0.0 {
            (self.muted, self.is_fading) = (true, false);
        }
        (self.place, self.place_after) = (self.place_after, if self.on_air { 1.0 } else { 0.0 });
        if self.is_mixed {
            let place = self.way();
            self.aired = std::array::from_fn(|index| self.frame[index] * place(index));
        }
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
        }
        let talking_muted = pulled.talking && self.phase == Phase::Open && self.muted;
        let in_programme = talking && self.on_air;
        Some(Heard { level: pulled.level, talking, talking_muted, in_programme, source: pulled.source })
    }

    /// Whether who is here must hear something else than a bus: their own voice is in it, or they go from one to the other.
    fn has_own_ear(&self) -> bool {
        self.phase != Phase::Closed && (self.is_mixed || self.place != self.place_after)
    }

    /// The buses without this voice, as far as it is in them.
    fn hear(&self, total: &[Frame; 2], own: &mut Frame) {
        let [air, back] = total;
        let place = self.way();
        let (mine, mine_aired) = if self.is_mixed { (&self.frame, &self.aired) } else { (&SILENCE, &SILENCE) };
        for (index, sample) in own.iter_mut().enumerate() {
            let place = place(index);
            *sample = (air[index] - mine_aired[index]) * place + (back[index] - mine[index]) * (1.0 - place);
        }
    }

    /// Where each of the tick's samples is between backstage (0) and on air (1): there within 8 ms.
    fn way(&self) -> impl Fn(usize) -> f32 + use<> {
        let (from, to) = (self.place, self.place_after);
        move |index| from + (to - from) * (index as f32 * RAMP_PER_SAMPLE).min(1.0)
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
