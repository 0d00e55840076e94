//! The encoder threads: each has its share of the events, and turns every tick into packets for the programme's rungs and for
//! those who hear the stage.

use super::check::Check;
use super::metrics::{Metrics, count};
use super::mixing::{DeskId, Mixed, Pickup};
use super::network::Network;
use super::recorder::{Packet, ToRecorder};
use super::words::{Ears, InputLevel, Reply, Report};
use audio::Frame;
use audio::mix::{Bus, Ear, INPUTS, Input, Output};
use audio::opus::{Encoder, PACKET_BYTES_MAX};
use audio::voice::Source;
use base::fact::LevelDb;
use base::time::TICK_SAMPLES;
use base::{FaultKind, MediaTime, ParticipantId, Rung};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

/// By how much RTP's timestamp moves in a tick.
const TICK_TIMESTAMPS: u32 = 960;
const _: () = assert!(TICK_TIMESTAMPS as usize == TICK_SAMPLES);

/// Samples over which a voice enters and leaves its own track: 8 ms, as on the desk.
const FADE_SAMPLES: usize = 384;

/// Ticks between two reports of levels: ten a second.
const LEVEL_TICKS: u8 = 5;

/// The mixer wakes the thread every tick; this is for a mixer that is no more.
const PARK_MAX: Duration = Duration::from_millis(100);

/// What an encoder thread is told.
#[derive(Debug)]
pub(super) enum ToEncoder {
    /// An event comes; its ticks may follow.
    Add(DeskId),
    /// Whether who speaks into this input hears the stage.
    Hears(DeskId, Input, bool),
    /// How many hear the whole mix.
    Monitors(DeskId, usize),
    /// Who speaks into this input gets a track of their own.
    Track(DeskId, Input, Option<ParticipantId>),
    /// The next seconds of a microphone are asked for.
    Check(DeskId, Input, Reply<Vec<u8>>),
    /// The programme is open from this time on.
    Record(DeskId, MediaTime),
    /// From here on the programme is the event itself, where speakers' tracks begin; from its first 20 ms on unless this is said.
    Begun(DeskId, MediaTime),
    /// Whether a rung besides the recording is asked for.
    Rung(DeskId, Rung, bool),
    /// The programme ends with the ticks that have come; those who hear the stage go on hearing it.
    End(DeskId),
    /// The role ends.
    Exit,
}

struct Programme {
    at: MediaTime,
    rungs: [Option<Encoder>; 3],
}

/// A voice that is recorded by itself.
struct Solo {
    participant: ParticipantId,
    /// Made when there is something to encode.
    encoder: Option<Encoder>,
    /// Whether the last tick was in the programme.
    was_on: bool,
}

struct Event {
    hears: [bool; INPUTS],
    monitors: usize,
    /// For each bus, made when somebody hears it.
    shared: [Option<Encoder>; 2],
    own: [Option<Encoder>; INPUTS],
    checks: [Option<Check>; INPUTS],
    tracks: [Option<Solo>; INPUTS],
    begun: MediaTime,
    timestamp: u32,
    programme: Option<Programme>,
    levels: [Option<InputLevel>; INPUTS],
    level_ticks: u8,
}

/// One encoder thread's state.
pub(super) struct Encoding {
    events: BTreeMap<DeskId, Event>,
    network: Network,
    recorder: SyncSender<ToRecorder>,
    reports: SyncSender<Report>,
    metrics: Arc<Metrics>,
}

impl Encoding {
    pub(super) fn new(network: Network, recorder: SyncSender<ToRecorder>, reports: SyncSender<Report>, metrics: Arc<Metrics>) -> Self {
        Self { events: BTreeMap::new(), network, recorder, reports, metrics }
    }

    /// Encodes until told to exit.
    pub(super) fn run(mut self, mut pickup: Pickup, orders: &Receiver<ToEncoder>) {
        loop {
            loop {
                match orders.try_recv() {
                    Ok(ToEncoder::Exit) | Err(TryRecvError::Disconnected) => return,
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                }
            }
            match pickup.mixed.pop() {
                Ok(Mixed::Tick(desk, output)) => {
                    self.tick(desk, &output);
                    // Never full: the boxes are no more than its places.
                    let _ = pickup.back.push(output);
                }
                Ok(Mixed::Gone(place)) => drop(self.events.remove(&place.id())),
                Err(_) => std::thread::park_timeout(PARK_MAX),
            }
        }
    }

    fn obey(&mut self, order: ToEncoder) {
        match order {
            ToEncoder::Add(desk) => drop(self.events.insert(desk, Event::new())),
            ToEncoder::Hears(desk, input, hears) => self.with(desk, |event| {
                event.hears[input.number()] = hears;
                event.own[input.number()] = None;
            }),
            ToEncoder::Monitors(desk, monitors) => self.with(desk, |event| event.monitors = monitors),
            ToEncoder::Track(desk, input, participant) => {
                self.with(desk, |event| event.tracks[input.number()] = participant.map(Solo::new));
            }
            ToEncoder::Check(desk, input, reply) => self.with(desk, |event| event.check(input, reply)),
            ToEncoder::Record(desk, at) => self.with(desk, |event| {
                let recording = Encoder::programme(Rung::R64).inspect_err(|error| tracing::error!(%error, "no encoder for the recording"));
                event.programme = Some(Programme { at, rungs: [recording.ok(), None, None] });
            }),
            ToEncoder::Begun(desk, begun) => self.with(desk, |event| event.begun = begun),
            ToEncoder::Rung(desk, rung, on) => self.rung(desk, rung, on),
            ToEncoder::End(desk) => {
                // Who was on the stage may talk on.
                self.with(desk, |event| {
                    event.programme = None;
                    event.tracks = [const { None }; INPUTS];
                });
                // Blocks rather than lose the end; the recorder waits for nobody.
                let _ = self.recorder.send(ToRecorder::End(desk));
            }
            ToEncoder::Exit => {}
        }
    }

    fn with(&mut self, desk: DeskId, change: impl FnOnce(&mut Event)) {
        if let Some(event) = self.events.get_mut(&desk) {
            change(event);
        }
    }

    fn rung(&mut self, desk: DeskId, rung: Rung, on: bool) {
        let Some(programme) = self.events.get_mut(&desk).and_then(|event| event.programme.as_mut()) else { return };
        let encoder = &mut programme.rungs[Rung::ALL.iter().position(|one| *one == rung).unwrap_or(0)];
        if rung == Rung::R64 || encoder.is_some() == on {
            return;
        }
        if on {
            *encoder = Encoder::programme(rung).inspect_err(|error| tracing::error!(%error, "no encoder for a rung")).ok();
        } else {
            *encoder = None;
            let _ = self.recorder.send(ToRecorder::StopRung(desk, rung));
        }
    }

    fn tick(&mut self, desk: DeskId, output: &Output) {
        let Some(event) = self.events.get_mut(&desk) else { return };
        let started = Instant::now();
        if let Some(programme) = &mut event.programme {
            for (input, solo) in Input::all().zip(&mut event.tracks) {
                let packet = solo.as_mut().and_then(|solo| Some((solo.participant, solo.hear(output, input)?)));
                let at = programme.at.0.checked_sub(event.begun.0).map(MediaTime);
                let Some(((participant, packet), at)) = packet.zip(at) else { continue };
                if self.recorder.try_send(ToRecorder::Track(desk, participant, at, packet)).is_err() {
                    count(&self.metrics.dropped);
                }
            }
            programme.record(desk, &output.programme, &self.recorder, &self.metrics);
        }
        if let Some(ears) = event.ears(desk, output, &self.metrics) {
            self.network.hear(ears);
        }
        for (input, check) in Input::all().zip(&mut event.checks) {
            *check = check.take().and_then(|check| check.hear(output.voice(input)));
        }
        event.timestamp = event.timestamp.wrapping_add(TICK_TIMESTAMPS);
        if let Some(levels) = event.measure(output, &self.metrics)
            && self.reports.try_send(Report::Levels(desk, levels)).is_err()
        {
            count(&self.metrics.reports_dropped);
        }
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.metrics.encode_micros.fetch_add(micros, Relaxed);
    }
}

impl Programme {
    fn record(&mut self, desk: DeskId, mix: &Frame, recorder: &SyncSender<ToRecorder>, metrics: &Metrics) {
        for (rung, encoder) in Rung::ALL.into_iter().zip(&mut self.rungs) {
            let Some(encoder) = encoder else { continue };
            let Some(packet) = Packet::fill(rung, |bytes| encoder.encode(mix, bytes).ok()) else { continue };
            count(&metrics.encoded);
            if recorder.try_send(ToRecorder::Packet(desk, self.at, packet)).is_err() {
                count(&metrics.dropped);
            }
        }
        self.at = MediaTime(self.at.0 + TICK_SAMPLES as u64);
    }
}

impl Solo {
    const fn new(participant: ParticipantId) -> Self {
        Self { participant, encoder: None, was_on: false }
    }

    /// The voice's next 20 ms as far as they are in the programme: nothing while it is silent, muted or behind the stage.
    fn hear(&mut self, output: &Output, input: Input) -> Option<Packet> {
        let is_on = output.heard[input.number()].is_some_and(|heard| heard.in_programme);
        let was_on = std::mem::replace(&mut self.was_on, is_on);
        if !is_on && !was_on {
            return None;
        }
        let mut voice = output.voice(input).copied().unwrap_or(audio::SILENCE);
        for (index, sample) in voice.iter_mut().take(FADE_SAMPLES).enumerate() {
            let share = index as f32 / FADE_SAMPLES as f32;
            match (was_on, is_on) {
                (false, true) => *sample *= share,
                (true, false) => *sample *= 1.0 - share,
                (true, true) | (false, false) => {}
            }
        }
        if !is_on {
            voice[FADE_SAMPLES..].fill(0.0);
        }
        if self.encoder.is_none() {
            self.encoder = Encoder::programme(Rung::R64).ok();
        }
        let encoder = self.encoder.as_mut()?;
        Packet::fill(Rung::R64, |bytes| encoder.encode(&voice, bytes).ok())
    }
}

impl Event {
    const fn new() -> Self {
        Self {
            hears: [false; INPUTS],
            monitors: 0,
            shared: [None, None],
            own: [const { None }; INPUTS],
            checks: [const { None }; INPUTS],
            tracks: [const { None }; INPUTS],
            begun: MediaTime(0),
            timestamp: 0,
            programme: None,
            levels: [None; INPUTS],
            level_ticks: 0,
        }
    }

    fn check(&mut self, input: Input, reply: Reply<Vec<u8>>) {
        let check = &mut self.checks[input.number()];
        if check.is_some() {
            return drop(reply.send(Err(FaultKind::CheckRunning)));
        }
        // Without one the reply is dropped, and who asked is told that this is our fault.
        *check = Check::new(reply).inspect_err(|error| tracing::error!(%error, "no encoder for a check")).ok();
    }

    /// What a bus has once, and a mix of their own for each who talks and hears.
    fn ears(&mut self, desk: DeskId, output: &Output, metrics: &Metrics) -> Option<Ears> {
        let monitor = output.monitor;
        let mut ears = Ears { desk, timestamp: self.timestamp, buses: [None, None], of: [monitor; INPUTS], monitor, own: Vec::new() };
        let mut shared = Bus::ALL.map(|bus| bus == monitor && self.monitors > 0);
        for input in Input::all().filter(|input| self.hears[input.number()]) {
            match output.ear(input) {
                Ear::Shared(bus) => {
                    ears.of[input.number()] = bus;
                    shared[bus.place()] = true;
                }
                Ear::Own(own) => {
                    let packet = encode(&mut self.own[input.number()], own, metrics);
                    ears.own.extend(packet.map(|packet| (input, packet)));
                }
            }
        }
        for bus in Bus::ALL.into_iter().filter(|bus| shared[bus.place()]) {
            ears.buses[bus.place()] = encode(&mut self.shared[bus.place()], output.bus(bus), metrics);
        }
        let somebody = ears.buses.iter().any(Option::is_some) || !ears.own.is_empty();
        somebody.then_some(ears)
    }

    /// Collects the loudest of each input; gives it when it is time to tell.
    fn measure(&mut self, output: &Output, metrics: &Metrics) -> Option<Vec<InputLevel>> {
        for ((input, kept), heard) in Input::all().zip(&mut self.levels).zip(&output.heard) {
            let Some(heard) = heard else { continue };
            match heard.source {
                Source::Concealed => count(&metrics.concealed),
                Source::Recovered => count(&metrics.recovered),
                Source::Packets | Source::Silence => {}
            }
            let louder = kept.get_or_insert(InputLevel { input, level: LevelDb::SILENCE, talking: false, talking_muted: false });
            louder.level = louder.level.min(heard.level);
            louder.talking |= heard.talking;
            louder.talking_muted |= heard.talking_muted;
        }
        self.level_ticks += 1;
        if self.level_ticks < LEVEL_TICKS {
            return None;
        }
        self.level_ticks = 0;
        let levels: Vec<_> = self.levels.iter_mut().filter_map(Option::take).collect();
        (!levels.is_empty()).then_some(levels)
    }
}

/// Encodes with this encoder, which is made when it is needed for the first time.
fn encode(encoder: &mut Option<Encoder>, frame: &Frame, metrics: &Metrics) -> Option<Arc<[u8]>> {
    if encoder.is_none() {
        *encoder = Encoder::stage().inspect_err(|error| tracing::error!(%error, "no encoder for the stage")).ok();
    }
    let encoder = encoder.as_mut()?;
    let mut packet = [0; PACKET_BYTES_MAX];
    let bytes = encoder.encode(frame, &mut packet).ok()?;
    count(&metrics.encoded);
    Some(packet[..bytes].into())
}
