//! A voice over seeded networks, on virtual time.

use super::{Pulled, Source, Voice};
use crate::sample::{Chance, decibels, origin, speech};
use crate::{Frame, SILENCE};
use ::opus::{Application, Channels};
use base::fact::LevelDb;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const MILLI: u64 = 1_000;
const TICK: u64 = 20 * MILLI;

/// What a network and a sender's clock do; times in microseconds.
#[derive(Debug, Clone, Copy)]
struct Network {
    seed: u64,
    loss_percent: u64,
    jitter: u64,
    duplicate_percent: u64,
    /// The sender's clock against ours, in millionths.
    drift: i64,
    packet_samples: u32,
    first_sequence: u16,
    first_timestamp: u32,
}

const STILL: Network = Network {
    seed: 1,
    loss_percent: 0,
    jitter: 0,
    duplicate_percent: 0,
    drift: 0,
    packet_samples: 960,
    first_sequence: 1,
    first_timestamp: 1,
};

static LOUDNESS: LazyLock<f32> = LazyLock::new(|| decibels(&speech(140.0, 48_000)));

struct Sent {
    arrives: u64,
    sequence: u16,
    timestamp: u32,
    payload: Vec<u8>,
}

/// Ten seconds of speech in packets of 10, 20, 40 and 60 ms; encoded once for all tests.
static SPOKEN: LazyLock<[(u32, Vec<Vec<u8>>); 4]> = LazyLock::new(|| {
    let said = speech(140.0, 480_000);
    [480, 960, 1_920, 2_880].map(|samples: u32| {
        let mut encoder = ::opus::Encoder::new(48_000, Channels::Mono, Application::Voip).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(10).unwrap();
        let packets = said.chunks_exact(samples as usize).map(|sound| encoder.encode_vec_float(sound, 1_500).unwrap());
        (samples, packets.collect())
    })
});

/// Speech as it arrives after `network`, in order of arrival; ten seconds at most.
fn send(network: &Network, seconds: usize) -> Vec<Sent> {
    let (_, payloads) = SPOKEN.iter().find(|(samples, _)| *samples == network.packet_samples).unwrap();
    let packets = seconds * 48_000 / network.packet_samples as usize;
    let mut chance = Chance(network.seed);
    let mut sent = Vec::new();
    for (index, payload) in (0u32..).zip(payloads.iter().take(packets)) {
        let spoken = u64::from(index + 1) * u64::from(network.packet_samples) * 1_000 / 48;
        let leaves = spoken.strict_add_signed(i64::try_from(spoken).unwrap() * network.drift / 1_000_000);
        if chance.percent(network.loss_percent) {
            continue;
        }
        let copies = if chance.percent(network.duplicate_percent) { 2 } else { 1 };
        for _ in 0..copies {
            sent.push(Sent {
                arrives: leaves + 30 * MILLI + chance.below(network.jitter + 1),
                sequence: network.first_sequence.wrapping_add(u16::try_from(index % 65_536).unwrap()),
                timestamp: network.first_timestamp.wrapping_add(index * network.packet_samples),
                payload: payload.clone(),
            });
        }
    }
    sent.sort_by_key(|packet| packet.arrives);
    sent
}

struct Listening {
    voice: Voice,
    coming: VecDeque<Sent>,
    origin: Instant,
    now: u64,
}

impl Listening {
    fn to(sent: impl IntoIterator<Item = Sent>) -> Self {
        Self { voice: Voice::new().unwrap(), coming: sent.into_iter().collect(), origin: origin(), now: 7 * MILLI }
    }

    fn tick(&mut self) -> (Pulled, Frame) {
        let at = |micros| self.origin + Duration::from_micros(micros);
        while let Some(packet) = self.coming.pop_front_if(|packet| packet.arrives <= self.now) {
            self.voice.push(at(packet.arrives), packet.sequence, packet.timestamp, &packet.payload);
        }
        let mut frame = SILENCE;
        let pulled = self.voice.pull(at(self.now), &mut frame);
        self.now += TICK;
        (pulled, frame)
    }

    fn until(&mut self, millis: u64) -> Vec<(Pulled, Frame)> {
        std::iter::from_fn(|| (self.now < millis * MILLI).then(|| self.tick())).collect()
    }

    /// How old the next sample to play is, in milliseconds, by the clock of a sender that began at `timestamp`.
    fn behind(&self, timestamp: u32) -> u64 {
        let cursor = self.voice.buffer.cursor().expect("nothing is playing");
        let played = (cursor - i64::from(timestamp)).cast_unsigned() - self.voice.pending as u64;
        (self.now * 48 / 1_000).saturating_sub(played) / 48
    }
}

/// Plays ten seconds and checks that the sound never stops, is never further behind than `behind_max`, and sounds as it was said.
fn check(name: &str, network: &Network, concealed_percent_max: usize, behind_max: u64) {
    let (listening, heard) = play(name, network, behind_max);
    let counts = listening.voice.counts();
    let is_concealed = |(pulled, _): &(Pulled, Frame)| pulled.source == Source::Concealed;
    // In its first second the codec has not learnt what is speech, and gives quiet syllables no redundancy.
    for pair in heard.windows(2).skip(50).filter(|pair| !is_concealed(&pair[0])) {
        let loudness = decibels(&pair[1].1);
        assert!(loudness > -50.0, "{name}: a hole of {loudness} dB; {:?} {network:?}", pair[1].0);
    }
    let concealed = heard.iter().filter(|tick| is_concealed(tick)).count();
    let percent = concealed * 100 / heard.len();
    assert!(percent <= concealed_percent_max, "{name}: {percent} % concealed; {counts:?} {network:?}");
    let sound: Vec<f32> = heard.iter().flat_map(|(_, frame)| *frame).collect();
    let loudness = *LOUDNESS;
    assert!((decibels(&sound) - loudness).abs() < 3.0, "{name}: {} dB, said {loudness}; {network:?}", decibels(&sound));
}

/// Plays ten seconds and checks that the sound never stops and is never further behind than `behind_max`; all but the first 400 ms.
fn play(name: &str, network: &Network, behind_max: u64) -> (Listening, Vec<(Pulled, Frame)>) {
    let mut listening = Listening::to(send(network, 10));
    let begin = listening.until(400);
    assert!(begin.iter().any(|(pulled, _)| pulled.source != Source::Silence), "{name}: nothing after 400 ms; {network:?}");
    let mut heard = Vec::new();
    while listening.now < 9_900 * MILLI {
        heard.push(listening.tick());
        let behind = listening.behind(network.first_timestamp);
        assert!(behind <= behind_max, "{name}: {behind} ms behind at {} us; {network:?}", listening.now);
    }
    let counts = listening.voice.counts();
    assert!(heard.iter().all(|(pulled, _)| pulled.source != Source::Silence), "{name}: a gap; {counts:?} {network:?}");
    assert_eq!(counts.restarts, 0, "{name}");
    (listening, heard)
}

#[test]
fn the_sound_goes_on_whatever_the_network_does() {
    for seed in 1..4 {
        let still = Network { seed, ..STILL };
        check("still", &still, 0, 160);
        check("10 % lost", &Network { loss_percent: 10, ..still }, 6, 200);
        check("10 % lost, 30 ms jitter", &Network { loss_percent: 10, jitter: 30 * MILLI, ..still }, 8, 250);
        check("jitter", &Network { jitter: 80 * MILLI, ..still }, 8, 300);
        check("every fifth twice", &Network { duplicate_percent: 20, jitter: 10 * MILLI, ..still }, 2, 200);
        check("sequence and timestamp wrap", &Network { first_sequence: 65_500, first_timestamp: u32::MAX - 50_000, ..still }, 0, 160);
        check("packets of 10 ms", &Network { packet_samples: 480, loss_percent: 5, ..still }, 8, 200);
        check("packets of 40 ms", &Network { packet_samples: 1_920, loss_percent: 5, ..still }, 8, 220);
        check("packets of 60 ms", &Network { packet_samples: 2_880, loss_percent: 5, ..still }, 8, 240);
        check("slow clock", &Network { drift: 2_000, ..still }, 3, 160);
        check("fast clock", &Network { drift: -2_000, ..still }, 3, 160);
    }
}

#[test]
fn lost_packets_are_mostly_recovered() {
    let mut listening = Listening::to(send(&Network { loss_percent: 10, seed: 9, ..STILL }, 10));
    let heard = listening.until(9_900);
    let of = |source| heard.iter().filter(|(pulled, _)| pulled.source == source).count();
    assert!(of(Source::Recovered) > 2 * of(Source::Concealed), "{:?}", listening.voice.counts());
}

#[test]
fn a_sender_that_stops_falls_silent_and_comes_back() {
    let mut sent = send(&STILL, 6);
    sent.retain(|packet| !(2_000 * MILLI..4_000 * MILLI).contains(&packet.arrives));
    let mut listening = Listening::to(sent);
    listening.until(2_500);
    let pause = listening.until(3_990);
    assert!(pause.iter().all(|(pulled, frame)| pulled.source == Source::Silence && *frame == SILENCE));
    assert_eq!(pause.last().map(|(pulled, _)| *pulled), Some(Pulled { level: LevelDb::SILENCE, talking: false, source: Source::Silence }));
    listening.until(4_200);
    let back = listening.until(5_900);
    assert!(back.iter().all(|(pulled, _)| pulled.source == Source::Packets && pulled.talking));
    assert!(listening.behind(1) < 160);
}

#[test]
fn a_sender_that_begins_anew_is_heard_at_once() {
    let mut sent = send(&STILL, 3);
    let again = Network { first_sequence: 40_000, first_timestamp: 3_000_000_000, ..STILL };
    sent.extend(send(&again, 3).into_iter().map(|packet| Sent { arrives: packet.arrives + 3_000 * MILLI, ..packet }));
    let mut listening = Listening::to(sent);
    listening.until(3_300);
    let heard = listening.until(5_900);
    assert!(heard.iter().all(|(pulled, _)| pulled.source == Source::Packets));
    assert_eq!(listening.voice.counts().restarts, 1);
}

#[test]
fn a_stall_of_the_network_is_caught_up() {
    let mut sent = send(&STILL, 10);
    for packet in &mut sent {
        if (2_000 * MILLI..3_500 * MILLI).contains(&packet.arrives) {
            packet.arrives = 3_500 * MILLI;
        }
    }
    let mut listening = Listening::to(sent);
    listening.until(3_700);
    while listening.now < 9_900 * MILLI {
        assert_ne!(listening.tick().0.source, Source::Silence);
        assert!(listening.behind(1) <= 600, "{} ms behind", listening.behind(1));
    }
    assert!(listening.behind(1) <= 250, "{} ms behind", listening.behind(1));
}

#[test]
fn padding_and_noise_are_no_sound() {
    let mut sent = send(&STILL, 3);
    for (index, payload) in [vec![], vec![0xff; 2_001], vec![0xfb, 0x3f]].into_iter().cycle().take(60).enumerate() {
        let arrives = 500 * MILLI + index as u64 * TICK;
        sent.push(Sent { arrives, sequence: 60_000, timestamp: 77, payload });
    }
    sent.sort_by_key(|packet| packet.arrives);
    let mut listening = Listening::to(sent);
    listening.until(400);
    assert!(listening.until(2_900).iter().all(|(pulled, _)| pulled.source == Source::Packets));
    assert_eq!(listening.voice.counts().malformed, 60);
}

#[test]
fn nothing_clicks_where_sound_begins_and_ends() {
    let mut listening = Listening::to(send(&STILL, 2));
    let sound: Vec<f32> = listening.until(3_000).iter().flat_map(|(_, frame)| *frame).collect();
    let steepest = |sound: &[f32]| sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let usual = steepest(&speech(140.0, 96_000));
    assert!(steepest(&sound) < 1.5 * usual, "{} against {usual}", steepest(&sound));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn whatever_comes_each_tick_has_a_frame(
        packets in proptest::collection::vec((any::<u16>(), any::<u32>(), 0u64..3_000_000, 0usize..60), 0..120),
    ) {
        let mut chance = Chance(7);
        let mut sent: Vec<Sent> = packets
            .into_iter()
            .map(|(sequence, timestamp, arrives, bytes)| {
                let payload = (0..bytes).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
                Sent { arrives, sequence, timestamp: timestamp % 96_000, payload }
            })
            .collect();
        sent.sort_by_key(|packet| packet.arrives);
        for (_, frame) in Listening::to(sent).until(4_000) {
            prop_assert!(frame.iter().all(|sample| sample.is_finite()));
        }
    }

    #[test]
    fn any_network_is_survived(
        seed in 1u64.., loss_percent in 0u64..15, jitter in 0u64..150_000, duplicate_percent in 0u64..20,
        first_sequence: u16, first_timestamp: u32,
    ) {
        let network = Network { seed, loss_percent, jitter, duplicate_percent, first_sequence, first_timestamp, ..STILL };
        play("any", &network, 20 + 30 + 400 + 40);
    }
}
