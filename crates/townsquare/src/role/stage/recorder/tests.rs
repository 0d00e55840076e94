use super::*;
use crate::role::stage::recording::Opened;
use base::time::TICK_SAMPLES;
use base::{FragmentNumber, UnixMillis};
use programme::index::records;
use programme::journal::Journal;
use std::path::Path;
use std::sync::mpsc::channel;

const DESK: DeskId = DeskId { slot: 0, serial: 1 };

fn scratch() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("townsquare-recorder-{:016x}", getrandom::u64().unwrap()));
    std::fs::create_dir_all(dir.join("disk")).unwrap();
    dir
}

fn open(dir: &Path) -> anyhow::Result<Opened> {
    Recording::open(&dir.join("disk"), &dir.join("memory/event"), &Journal::default(), "boot", UnixMillis(0))
}

fn numbers(index: &Path) -> Vec<u64> {
    let numbers = |record| match record {
        Record::Fragment(entry) => entry.number.0,
        Record::End { number, .. } => 1_000 + number.0,
    };
    records(&std::fs::read(index).unwrap_or_default()).map(numbers).collect()
}

fn packets(rung: Rung, fragments: std::ops::Range<u64>) -> impl Iterator<Item = ToRecorder> {
    let ticks = fragments.start * 10..fragments.end * 10;
    ticks.map(move |tick| {
        let packet = Packet::fill(rung, |bytes| Some(bytes.len())).unwrap();
        ToRecorder::Packet(DESK, MediaTime(tick * TICK_SAMPLES as u64), packet)
    })
}

#[test]
fn a_disk_that_takes_no_more_stops_the_recording_and_not_the_sound() {
    let dir = scratch();
    let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
    let (sync, metrics) = (Arc::new(Sync::default()), Arc::new(Metrics::default()));
    let mut recorder = Recorder::new(Arc::clone(&sync), Arc::clone(&metrics));
    recorder.take(ToRecorder::Open(DESK, recording));
    packets(Rung::R64, 0..3).for_each(|told| recorder.take(told));
    // The disk refuses the next rung's file, as a full one would.
    std::fs::create_dir(dir.join("disk/32.mp4")).unwrap();
    packets(Rung::R32, 3..4).for_each(|told| recorder.take(told));
    packets(Rung::R64, 3..6).for_each(|told| recorder.take(told));
    assert_eq!(numbers(&dir.join("disk/64.idx")), [0, 1, 2]);
    assert_eq!(numbers(&dir.join("memory/event/64.idx")), [3, 4, 5]);
    assert_eq!(numbers(&dir.join("memory/event/32.idx")), [3]);
    assert!(metrics.spill_bytes.load(Relaxed) > 0);

    recorder.take(ToRecorder::End(DESK));
    assert_eq!(numbers(&dir.join("disk/64.idx")), [0, 1, 2, 1_006]);
    recorder.remove_memory(Instant::now());
    assert!(dir.join("memory").exists(), "relays still read it");
    recorder.remove_memory(Instant::now() + MEMORY_KEPT_AFTER_END);
    assert!(!dir.join("memory").exists());

    sync.stop();
    let (told, reports) = std::sync::mpsc::sync_channel(8);
    sync.run(&sync_channel(8).0, &told, &metrics);
    let reports: Vec<_> = reports.try_iter().collect();
    assert!(matches!(reports[0], Report::RecordingStopped(DESK, FragmentNumber(3))));
    assert!(matches!(reports[1], Report::ProgrammeClosed(DESK, FragmentNumber(6))));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn two_writers_of_one_programme_are_impossible() {
    let dir = scratch();
    let first = open(&dir).unwrap();
    assert!(open(&dir).is_err_and(|error| error.to_string().contains("another stage")));
    drop(first);
    assert!(open(&dir).is_ok());
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_is_under_way_is_sealed_when_the_role_ends() {
    let dir = scratch();
    let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
    let (queue, receiver) = channel();
    queue.send(ToRecorder::Open(DESK, recording)).unwrap();
    packets(Rung::R64, 0..2).take(13).for_each(|told| queue.send(told).unwrap());
    queue.send(ToRecorder::Exit).unwrap();
    Recorder::new(Arc::default(), Arc::default()).run(&receiver);
    assert_eq!(numbers(&dir.join("disk/64.idx")), [0, 1]);
    std::fs::remove_dir_all(dir).unwrap();
}

/// Where in a speaker's track is sound: the numbers of its fragments that are not silent.
fn sounds(path: &Path) -> Vec<u64> {
    let file = std::fs::read(path).unwrap();
    let mut bytes = file.strip_prefix(programme::init::segment()).unwrap();
    let (mut sounds, mut next) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let found = programme::fragment::find(bytes).unwrap();
        assert_eq!(found.number.0, next, "nothing is left out");
        next += (found.payload.len() / found.frame_bytes / 10) as u64;
        let silent = |frame: &[u8]| programme::silence::frame(Rung::R64).starts_with(frame) || programme::silence::SHORTEST == frame;
        if !bytes[found.payload.clone()].chunks(found.frame_bytes).all(silent) {
            sounds.push(found.number.0);
        }
        bytes = &bytes[found.length()..];
    }
    sounds
}

#[test]
fn a_speaker_s_own_track_lines_up_and_goes_on_after_a_restart() {
    let dir = scratch();
    let [ada, ben] = [ParticipantId(1), ParticipantId(2)];
    let speak = |recorder: &mut Recorder, participant, fragments: std::ops::Range<u64>| {
        for tick in fragments.start * 10..fragments.end * 10 {
            let packet = Packet::fill(Rung::R64, |bytes| Some(bytes.len())).unwrap();
            recorder.take(ToRecorder::Track(DESK, participant, MediaTime(tick * TICK_SAMPLES as u64), packet));
        }
    };
    for (said_by_ada, said_by_ben) in [(2..4, 60..61), (70..72, 90..91)] {
        let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
        let mut recorder = Recorder::new(Arc::default(), Arc::default());
        recorder.take(ToRecorder::Open(DESK, recording));
        speak(&mut recorder, ada, said_by_ada);
        speak(&mut recorder, ben, said_by_ben);
    }
    let track = |name: &str| dir.join("disk/tracks").join(name);
    assert_eq!((sounds(&track("1.mp4")), sounds(&track("2.mp4"))), (vec![2, 3, 70, 71], vec![60, 90]));

    let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
    let mut recorder = Recorder::new(Arc::default(), Arc::default());
    recorder.take(ToRecorder::Open(DESK, recording));
    recorder.take(ToRecorder::DiskFailed(DESK));
    speak(&mut recorder, ada, 95..97);
    assert_eq!(sounds(&track("1.mp4")), [2, 3, 70, 71], "the programme comes first");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_disk_that_fails_to_sync_does_not_keep_an_event_from_going_on() {
    let dir = scratch();
    let failing = |_: &std::fs::File| Err(rustix::io::Errno::IO.into());
    let opened = Recording::open_syncing(&dir.join("disk"), &dir.join("memory/event"), &Journal::default(), "boot", UnixMillis(0), failing);
    let Opened::On(recording) = opened.unwrap() else { panic!("it has not ended") };
    assert!(recording.disk_full());
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_disk_that_fails_later_stops_the_recording_with_an_alarm() {
    let dir = scratch();
    let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
    let sync = Arc::new(Sync::default());
    let mut recorder = Recorder::new(Arc::clone(&sync), Arc::default());
    recorder.take(ToRecorder::Open(DESK, recording));
    packets(Rung::R64, 0..2).for_each(|told| recorder.take(told));
    recorder.take(ToRecorder::DiskFailed(DESK));
    recorder.take(ToRecorder::DiskFailed(DESK));
    packets(Rung::R64, 2..4).for_each(|told| recorder.take(told));
    assert_eq!((numbers(&dir.join("disk/64.idx")), numbers(&dir.join("memory/event/64.idx"))), (vec![0, 1], vec![2, 3]));
    sync.stop();
    let (told, reports) = sync_channel(8);
    sync.run(&sync_channel(8).0, &told, &Metrics::default());
    let reports: Vec<_> = reports.try_iter().collect();
    assert!(matches!(reports.as_slice(), [Report::RecordingStopped(DESK, FragmentNumber(2))]));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_an_ended_event_kept_in_memory_goes_with_the_role() {
    let dir = scratch();
    let Opened::On(recording) = open(&dir).unwrap() else { panic!("it has not ended") };
    let (queue, receiver) = channel();
    queue.send(ToRecorder::Open(DESK, recording)).unwrap();
    queue.send(ToRecorder::DiskFailed(DESK)).unwrap();
    packets(Rung::R64, 0..2).for_each(|told| queue.send(told).unwrap());
    queue.send(ToRecorder::End(DESK)).unwrap();
    queue.send(ToRecorder::Exit).unwrap();
    Recorder::new(Arc::default(), Arc::default()).run(&receiver);
    assert!(!dir.join("memory").exists());
    std::fs::remove_dir_all(dir).unwrap();
}
