//! Roles are killed and stopped at random moments while marked tones are spoken: every tone that was sealed is in the replay, in its
//! place, and speaker and listener are back by themselves. The seed is printed; `TOWNSQUARE_KILLS` and `TOWNSQUARE_SEED` set both.

#![allow(clippy::print_stdout, clippy::cast_possible_truncation, reason = "a test says what it did, with numbers it made itself")]

mod support;

use audio::opus::Decoder;
use base::rung::Rung;
use programme::{fragment, index};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::event::Event;
use support::sound::{RATE, amplitude, tone};
use support::{Server, runs, townsquare, until};

/// Each tone of the spoken file sounds for half a second, then the next.
const TONES_HZ: [f32; 7] = [400.0, 520.0, 680.0, 880.0, 1_150.0, 1_500.0, 1_950.0];
const TONE_SAMPLES: usize = RATE / 2;

const ROLES: [&str; 4] = ["stage", "relay-0", "square", "supervisor"];

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A small generator (xorshift64*), so that a failure can be repeated from its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

/// A WAV file of the tones, one after the other.
fn spoken_file(server: &Server) -> PathBuf {
    let path = server.data().join("spoken.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: RATE as u32, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(&path, spec).expect("a file");
    for hertz in TONES_HZ {
        for sample in tone(hertz, 0.4, TONE_SAMPLES) {
            file.write_sample((sample * 32_767.0) as i16).expect("a sample");
        }
    }
    file.finalize().expect("a whole file");
    path
}

/// A child that is killed when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Follows the recording's index from outside and keeps what was sealed, so that it can be compared later.
struct Witness {
    directory: PathBuf,
    sealed: BTreeMap<u64, Vec<u8>>,
    read: usize,
}

impl Witness {
    fn new(server: &Server, event: &Event) -> Self {
        Self { directory: server.data().join("events").join(&event.id), sealed: BTreeMap::new(), read: 0 }
    }

    /// Takes what has been sealed since the last time.
    fn look(&mut self) {
        let index_bytes = std::fs::read(self.directory.join("64.idx")).unwrap_or_default();
        // A new epoch cuts a torn record: only whole ones count, and those never change.
        let records: Vec<index::Record> = index::records(&index_bytes).collect();
        let programme = self.directory.join("64.mp4");
        for record in records.iter().skip(self.read) {
            if let index::Record::Fragment(entry) = record {
                let bytes = range_of(&programme, entry.offset, entry.length as usize);
                let found = fragment::find(&bytes).expect("what is indexed is whole");
                let before = self.sealed.insert(found.number.0, bytes[found.payload].to_vec());
                assert!(before.is_none(), "number {} was sealed twice", found.number);
            }
        }
        self.read = records.len();
    }

    fn newest(&self) -> u64 {
        self.sealed.last_key_value().map_or(0, |(number, _)| *number)
    }
}

fn range_of(path: &Path, offset: u64, length: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length];
    std::fs::File::open(path).and_then(|file| file.read_exact_at(&mut bytes, offset)).expect("what is indexed is there");
    bytes
}

/// A spoken tone of 0.4 that fills most of a window, and one that can be told from everything else.
const CLEAR: f32 = 0.3;
const AUDIBLE: f32 = 0.15;

/// The strongest tone of some sound, if it is at least this strong.
fn tone_of(sound: &[f32], least: f32) -> Option<usize> {
    let strength = TONES_HZ.map(|hertz| amplitude(sound, hertz));
    let best = (0..TONES_HZ.len()).max_by(|a, b| strength[*a].total_cmp(&strength[*b]))?;
    (strength[best] > least).then_some(best)
}

fn decode(frames: &[u8]) -> Vec<f32> {
    let mut decoder = Decoder::new().expect("a decoder");
    let mut sound = Vec::new();
    for frame in frames.chunks(Rung::R64.frame_bytes()) {
        let mut samples = [0.0; 5_760];
        let count = decoder.decode(frame, &mut samples).expect("what was sealed decodes");
        sound.extend_from_slice(&samples[..count]);
    }
    sound
}

/// Strikes one role and waits until everything runs again.
fn strike(server: &mut Server, name: &str, how: Signal) {
    let old = server.signal(name, how);
    if name == "supervisor" {
        // Nobody stands above the supervisor here; systemd and bin/run start it again. What hangs is killed by systemd's watchdog.
        server.kill_supervisor();
        server.start_supervisor();
        server.wait_ready();
    } else {
        server.wait_replaced(name, old);
        assert!(!runs(old), "two never play one role");
    }
}

/// Waits until a tone is spoken into newly sealed fragments.
fn wait_for_tone(witness: &mut Witness) {
    let from = witness.newest();
    until("the speaker is heard again", || {
        witness.look();
        let mut fresh = witness.sealed.range(from + 1..).map(|(_, frames)| decode(frames));
        fresh.any(|sound| tone_of(&sound, AUDIBLE).is_some()).then_some(())
    });
}

fn replay(event: &Event) -> Vec<u8> {
    until("the replay is there", || {
        let mut response = ureq::get(&event.replay()).call().ok()?;
        let mut bytes = Vec::new();
        response.body_mut().as_reader().read_to_end(&mut bytes).ok()?;
        Some(bytes)
    })
}

/// The frames of an MP4's one `mdat`.
fn frames_of(file: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        let size = u32::from_be_bytes(file[at..at + 4].try_into().expect("a box"));
        let (length, head) = match size {
            1 => (u64::from_be_bytes(file[at + 8..at + 16].try_into().expect("a large box")) as usize, 16),
            _ => (size as usize, 8),
        };
        if &file[at + 4..at + 8] == b"mdat" {
            return &file[at + head..at + length];
        }
        at += length;
    }
}

#[test]
fn every_sealed_tone_is_kept_whatever_is_killed() {
    let kills = from_environment("TOWNSQUARE_KILLS", 50);
    let seed = from_environment("TOWNSQUARE_SEED", 0x5EED_0F70_0D5A);
    println!("seed {seed}, {kills} strikes");
    let mut chance = Chance(seed);
    let mut server = Server::start();
    let event = server.create_event("Storm");
    let file = spoken_file(&server);
    let speaking = townsquare().args(["speak", &event.stage, "--loop"]).arg(file).stderr(Stdio::null()).spawn().expect("a speaker");
    let _speaking = Running(speaking);
    let mut witness = Witness::new(&server, &event);
    wait_for_tone(&mut witness);
    let heard = server.data().join("heard.wav");
    let listening =
        townsquare().args(["listen", &event.stream, "--json", "--output"]).arg(&heard).stdout(Stdio::piped()).spawn().expect("a listener");
    let mut listening = Running(listening);

    for strike_number in 1..=kills {
        let phase = Instant::now() + Duration::from_millis(chance.below(700));
        while Instant::now() < phase {
            witness.look();
            std::thread::sleep(Duration::from_millis(5));
        }
        let name = ROLES[chance.below(4) as usize];
        let how = if chance.below(2) == 0 { Signal::KILL } else { Signal::STOP };
        println!("{strike_number}: {name} {how:?} after fragment {}", witness.newest());
        strike(&mut server, name, how);
        wait_for_tone(&mut witness);
    }

    server.end(&event);
    witness.look();
    let status = until("the listener ends with the event", || listening.0.try_wait().expect("a child"));
    assert!(status.success());
    let mut last = String::new();
    listening.0.stdout.take().expect("its output").read_to_string(&mut last).expect("text");
    let report: serde_json::Value = serde_json::from_str(last.lines().last().unwrap_or_default()).expect("the listener's report");
    println!("the listener: {report}");
    assert_eq!(report["gaps"], 0, "nothing was skipped for the listener: {report}");
    compare(&witness, &replay(&event));
}

/// Every sealed fragment is in the replay in its place, and its tone sounds there.
fn compare(witness: &Witness, replay: &[u8]) {
    let frames = frames_of(replay);
    let of_fragment = fragment::payload_bytes(Rung::R64);
    let kept: Vec<&[u8]> = frames.chunks(of_fragment).collect();
    assert_eq!(kept.len(), witness.sealed.len(), "the replay has as many fragments as were sealed");
    let decoded = decode(frames);
    let fragment_samples = Rung::R64.samples_per_fragment() as usize;
    let mut tones = 0;
    for (place, (number, sealed)) in witness.sealed.iter().enumerate() {
        assert_eq!(kept[place], sealed, "fragment {number} is what was sealed");
        // Alone, a fragment's first frames lack what the decoder knew: its tone is judged by its second half, and only where it is one tone.
        let Some(expected) = tone_of(&decode(sealed)[fragment_samples / 2..], CLEAR) else { continue };
        let sound = &decoded[place * fragment_samples..(place + 1) * fragment_samples];
        assert_eq!(tone_of(&sound[fragment_samples / 2..], AUDIBLE), Some(expected), "fragment {number} sounds as it was spoken");
        tones += 1;
    }
    println!("{tones} tones in {} fragments, all kept", witness.sealed.len());
    assert!(tones > witness.sealed.len() / 3, "the test spoke enough to say something");
}
