//! The stream, a segment and the replay as the world's decoder hears them: ffmpeg takes them without a word.
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test's files are small")]

use audio::opus::Encoder;
use base::time::TICK_SAMPLES;
use base::{FragmentNumber, MediaTime, Rung};
use programme::index::Source;
use programme::view::replay::Replay;
use programme::view::{Extent, Programme};
use programme::write::{Append, Opening, Writer};
use programme::{Cuts, Index, init};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A tone for four seconds, a hole of two, the tone again; a cut in the middle of the first.
struct World {
    media: [Vec<u8>; 3],
    rungs: [Index; 3],
    cuts: Cuts,
}

const CUT: std::ops::Range<u64> = 5..8;
const HOLE: std::ops::Range<u64> = 20..30;
const END: u64 = 50;

impl World {
    fn new() -> Self {
        let mut world = Self { media: Default::default(), rungs: Rung::ALL.map(Index::new), cuts: Cuts::default() };
        let mut writer = Writer::open(&Opening::fresh());
        for rung in Rung::ALL {
            let mut encoder = Encoder::programme(rung).unwrap();
            for tick in (0..END * 10).filter(|tick| !HOLE.contains(&(tick / 10))) {
                let sample = |place: usize| {
                    (((tick as usize % 50) * TICK_SAMPLES + place) as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.5
                };
                let mut packet = [0; 1_500];
                let length = encoder.encode(&std::array::from_fn(sample), &mut packet).unwrap();
                let append = writer.push(MediaTime(tick * TICK_SAMPLES as u64), rung, &packet[..length]).unwrap();
                append.into_iter().for_each(|append| world.perform(&append));
            }
        }
        writer.end().0.iter().for_each(|append| world.perform(append));
        world.cuts = Cuts::read(&Cuts::record(programme::cuts::Cut { from: FragmentNumber(CUT.start), to: FragmentNumber(CUT.end) }));
        world
    }

    fn perform(&mut self, append: &Append) {
        let place = Rung::ALL.iter().position(|rung| *rung == append.rung).unwrap();
        self.media[place].extend_from_slice(&append.media);
        self.rungs[place].feed(Source::Disk, &append.record);
    }

    fn bytes(&self, extents: &[Extent]) -> Vec<u8> {
        let bytes = |extent: &Extent| match extent {
            Extent::File { rung, offset, length, .. } => {
                let place = Rung::ALL.iter().position(|other| other == rung).unwrap();
                self.media[place][*offset as usize..(offset + length) as usize].to_vec()
            }
            Extent::Inline(bytes) => bytes.to_vec(),
        };
        extents.iter().flat_map(bytes).collect()
    }

    fn stream(&self, rung: Rung) -> Vec<u8> {
        let programme = Programme { rungs: &self.rungs, cuts: &self.cuts, published: FragmentNumber(END) };
        let (extents, _) = programme.extents(rung, FragmentNumber(0), FragmentNumber(END));
        [init::segment(), &self.bytes(&extents)].concat()
    }
}

/// Decodes with ffmpeg; whatever it says on standard error is a failure.
fn decode(media: &[u8], before: &[&str]) -> Vec<i16> {
    let file = std::env::temp_dir().join(format!("townsquare-players-{}-{}.mp4", std::process::id(), crc32fast::hash(media)));
    std::fs::File::create(&file).and_then(|mut file| file.write_all(media)).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "warning", "-nostdin"]).args(before).arg("-i").arg(&file).args(["-f", "s16le", "-ac", "1", "-ar", "48000", "-"]);
    let output = command.stdin(Stdio::null()).output().expect("ffmpeg is installed");
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "ffmpeg says: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout.as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
}

/// The slot's level, away from its edges.
fn level(sound: &[i16], slot: u64) -> f64 {
    let start = slot as usize * 9_600 + 2_400;
    let sum: f64 = sound[start..start + 4_800].iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / 4_800.0).sqrt() / 32_768.0
}

/// Sound where there was a tone, silence in the cut and in the hole, everything in its time.
fn check(sound: &[i16], rung: Rung, first: u64) {
    let cut = if rung == Rung::R16 { 5..10 } else { CUT };
    for slot in first..END {
        let level = level(sound, slot - first);
        let silent = cut.contains(&slot) || HOLE.contains(&slot);
        assert!(if silent { level < 0.001 } else { (0.2..0.5).contains(&level) }, "rung {rung}, slot {slot}: level {level}");
    }
}

#[test]
fn every_stream_decodes_without_a_word() {
    let world = World::new();
    for rung in Rung::ALL {
        let sound = decode(&world.stream(rung), &[]);
        assert!(sound.len().abs_diff(END as usize * 9_600) <= 960, "rung {rung}: {} samples", sound.len());
        check(&sound, rung, 0);
    }
}

#[test]
fn the_replay_decodes_and_seeks_to_the_right_place() {
    let world = World::new();
    let replay = Replay::new(&world.rungs[0]).unwrap();
    let bytes = world.bytes(&replay.read(&world.rungs[0], &world.cuts, 0..u64::MAX));
    let sound = decode(&bytes, &[]);
    assert!(sound.len().abs_diff(END as usize * 9_600) <= 960, "{} samples", sound.len());
    check(&sound, Rung::R64, 0);
    check(&decode(&bytes, &["-ss", "3"]), Rung::R64, 15);
}
