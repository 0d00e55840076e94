//! From a recording on disk to moments, an MP3, cuts, and nothing.

use super::{After, Withhold, append_cuts};
use crate::role::square::tests::Data;
use audio::opus::Encoder;
use audio::{Frame, SILENCE};
use base::fact::{LevelDb, LiveFact, OnStage};
use base::journal::{Entry, What};
use base::time::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use base::{Epoch, EventId, FragmentNumber, MediaTime, ParticipantId, Rung, UnixMillis};
use programme::moments::Moments;
use programme::write::{Append, Opening, Writer};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use store::replay::DeletedBy;
use store::{Replay, Store};

const NOW: UnixMillis = UnixMillis(1_795_222_800_000);
const SECONDS: u64 = 30;

fn tone(tick: u64) -> Frame {
    let at = |nth: usize| (tick * TICK_SAMPLES as u64 + nth as u64) as f32 / SAMPLE_RATE_HZ as f32;
    std::array::from_fn(|nth| 0.3 * (at(nth) * 440.0 * std::f32::consts::TAU).sin())
}

fn perform(dir: &Path, append: &Append) {
    for (kind, bytes, at) in [("mp4", &append.media[..], append.media_at), ("idx", &append.record[..], append.record_at)] {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(dir.join(format!("64.{kind}"))).expect("opens");
        file.write_all_at(bytes, at).expect("written");
    }
}

/// 30 s: 10 of hold sound, then Ada speaks from 12 s to 20 s; 7 listen.
fn record(dir: &Path) {
    let person = OnStage { participant: ParticipantId(1), name: "Ada".into(), muted: false };
    let mut writer = Writer::open(&Opening::fresh());
    let mut encoder = Encoder::programme(Rung::R64).expect("memory");
    writer.tell(LiveFact::Stage(vec![person]));
    writer.tell(LiveFact::Listeners(7));
    for tick in 0..SECONDS * 50 {
        match tick {
            600 => writer.tell(LiveFact::Levels(vec![(ParticipantId(1), LevelDb(20))])),
            1_000 => writer.tell(LiveFact::Levels(Vec::new())),
            _ => {}
        }
        let mut packet = [0; 160];
        let sound = if (600..1_000).contains(&tick) { tone(tick) } else { SILENCE };
        encoder.encode(&sound, &mut packet).expect("encodes");
        let at = MediaTime(tick * TICK_SAMPLES as u64);
        writer.push(at, Rung::R64, &packet).expect("in order").iter().for_each(|append| perform(dir, append));
    }
    let (appends, end) = writer.end();
    appends.iter().for_each(|append| perform(dir, append));
    let opened = What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "boot".into() };
    write_journal(dir, opened, What::Ended { end, heard: None });
}

/// The journal of an event whose doors were open for 10 s, which then began and ended like this.
fn write_journal(dir: &Path, opened: What, ended: What) {
    let entries = [What::DoorsOpened, opened, What::Begun { first: FragmentNumber(50) }, ended];
    let records = entries.into_iter().zip(NOW.0..).map(|(what, at)| programme::journal::record(&Entry { at: UnixMillis(at), what }));
    std::fs::write(dir.join("journal"), records.collect::<Vec<_>>().concat()).expect("written");
}

/// A square whose one event is over.
async fn over(data: &Data) -> (After, Store, EventId) {
    let store = Store::open(&data.0.database).await.expect("opens");
    let event = store::testing::event(77, base::Visibility::Public, 5);
    store.insert_event(&event).await.expect("free");
    store.mark_live(event.id, NOW).await.expect("live");
    store.mark_ended(event.id, NOW, FragmentNumber(SECONDS * 5)).await.expect("over");
    std::fs::create_dir_all(data.0.event_dir(event.id)).expect("made");
    record(&data.0.event_dir(event.id));
    (After::new(data.0.clone(), store.clone()), store, event.id)
}

async fn replay(store: &Store, event: EventId) -> Replay {
    store.replay(event).await.expect("answers").expect("is there")
}

async fn moments(after: &After, event: EventId) -> Moments {
    serde_json::from_slice(&after.moments(event).await.expect("they were read")).expect("moments")
}

#[test]
fn what_happened_is_read_and_an_mp3_is_made() {
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("made");
    crate::role::square::tests::runtime().block_on(async {
        let (after, store, event) = over(&data).await;
        let (mut ailing, dir) = (Vec::new(), data.0.event_dir(event));
        after.read_all(NOW, &mut ailing).await.expect("read");
        let read = replay(&store, event).await;
        assert_eq!((read.heard, read.cuts, read.is_read), (FragmentNumber(50)..FragmentNumber(150), 0, true), "the hold sound is left out");
        let first = moments(&after, event).await;
        let [(1, from, to)] = first.turns[..] else { panic!("{:?}", first.turns) };
        assert!((1.8..2.8).contains(&from) && (9.8..10.8).contains(&to), "{from} to {to}");
        assert_eq!((first.listeners[5], first.seconds, first.people[0].name.as_str()), (7, 20.0, "Ada"));

        after.encode_one(&mut ailing).await.expect("made");
        let bytes = std::fs::metadata(dir.join("replay.mp3")).expect("is there").len();
        assert_eq!(replay(&store, event).await.mp3_bytes, Some(bytes));
        // 64 kbit/s are 8,000 bytes a second, and a frame or three around them.
        assert!((160_000..162_000).contains(&bytes), "{bytes} bytes for 20 s");
        assert!(ailing.is_empty() && !dir.join("replay.mp3.part").exists());

        let cut = FragmentNumber(50)..FragmentNumber(75);
        after.cut(event, vec![cut], NOW).await.expect("cut");
        let now = replay(&store, event).await;
        assert_eq!((now.heard, now.cuts, now.mp3_bytes), (FragmentNumber(75)..FragmentNumber(150), 1, None));
        assert!(!dir.join("replay.mp3").exists(), "what was cut is in no file");
        let second = moments(&after, event).await;
        assert_eq!((second.seconds, second.turns[0].1), (15.0, 0.0));
        after.encode_one(&mut ailing).await.expect("made");
        let shorter = replay(&store, event).await.mp3_bytes.expect("made again");
        assert!((120_000..122_000).contains(&shorter), "{shorter} bytes for 15 s");
        store.close().await;
    });
}

#[test]
fn nothing_is_heard_of_a_stage_that_all_had_left() {
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("made");
    crate::role::square::tests::runtime().block_on(async {
        let (after, store, event) = over(&data).await;
        let (mut ailing, dir) = (Vec::new(), data.0.event_dir(event));
        let opened = What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "boot".into() };
        write_journal(&dir, opened, What::Ended { end: FragmentNumber(SECONDS * 5), heard: Some(FragmentNumber(105)) });
        after.read_all(NOW, &mut ailing).await.expect("read");
        assert_eq!(replay(&store, event).await.heard, FragmentNumber(50)..FragmentNumber(105));
        assert_eq!(moments(&after, event).await.seconds, 11.0);
        after.encode_one(&mut ailing).await.expect("made");
        let bytes = replay(&store, event).await.mp3_bytes.expect("made");
        assert!((88_000..90_000).contains(&bytes) && ailing.is_empty(), "{bytes} bytes for 11 s");
        store.close().await;
    });
}

#[test]
fn a_recording_is_hidden_shown_and_deleted() {
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("made");
    crate::role::square::tests::runtime().block_on(async {
        let (after, store, event) = over(&data).await;
        let dir = data.0.event_dir(event);
        after.withhold(event, Withhold::Hide, NOW).await.expect("hidden");
        assert_eq!(std::fs::read_to_string(dir.join("withheld")).expect("is there"), "hidden\n");
        assert!(replay(&store, event).await.is_withheld());
        after.withhold(event, Withhold::Show, NOW).await.expect("shown");
        assert!(!dir.join("withheld").exists() && !replay(&store, event).await.is_withheld());
        after.read_all(NOW, &mut Vec::new()).await.expect("read");
        after.withhold(event, Withhold::Delete, NOW).await.expect("deleted");
        let mut left: Vec<_> = std::fs::read_dir(&dir).expect("reads").map(|entry| entry.expect("an entry").file_name()).collect();
        left.sort();
        assert_eq!(left, ["journal", "withheld"]);
        assert_eq!(replay(&store, event).await.deleted, Some((NOW, DeletedBy::Owner)));
        let mut ailing = Vec::new();
        after.read_all(NOW, &mut ailing).await.expect("looked");
        after.encode_one(&mut ailing).await.expect("looked");
        assert!(ailing.is_empty(), "what is deleted is left alone");
        store.close().await;
    });
}

#[test]
fn recordings_are_kept_as_long_as_is_said() {
    const DAY: i64 = 24 * 3_600_000;
    let mut data = Data::new();
    data.0.keep_replays_days = Some(30);
    std::fs::create_dir_all(&data.0.data).expect("made");
    crate::role::square::tests::runtime().block_on(async {
        let (after, store, event) = over(&data).await;
        let media = data.0.event_dir(event).join("64.mp4");
        after.read_all(UnixMillis(NOW.0 + 30 * DAY), &mut Vec::new()).await.expect("looked");
        assert!(media.exists());
        after.read_all(UnixMillis(NOW.0 + 30 * DAY + 1), &mut Vec::new()).await.expect("looked");
        assert!(!media.exists());
        assert_eq!(replay(&store, event).await.deleted.map(|(_, by)| by), Some(DeletedBy::Retention));
        store.close().await;
    });
}

#[test]
fn a_recording_that_can_t_be_read_keeps_nobody_waiting() {
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("made");
    crate::role::square::tests::runtime().block_on(async {
        let (after, store, event) = over(&data).await;
        std::fs::remove_file(data.0.event_dir(event).join("64.mp4")).expect("it was there");
        let mut ailing = Vec::new();
        for _ in 0..2 {
            after.read_all(NOW, &mut ailing).await.expect("looked");
        }
        assert_eq!(ailing, [event]);
        store.close().await;
    });
}

#[test]
fn a_cut_stands_behind_whole_ones_alone() {
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("made");
    let dir = &data.0.data;
    let range = |from: u64, to: u64| FragmentNumber(from)..FragmentNumber(to);
    append_cuts(dir, &[range(1, 5), range(9, 12)]).expect("appended");
    let mut torn = std::fs::read(dir.join("cuts")).expect("reads");
    torn.truncate(torn.len() - 3);
    std::fs::write(dir.join("cuts"), torn).expect("written");
    append_cuts(dir, &[range(20, 30)]).expect("appended");
    let cuts = programme::Cuts::read(&std::fs::read(dir.join("cuts")).expect("reads"));
    assert_eq!(cuts.revision(), 2);
    assert!(cuts.touch(FragmentNumber(25), 1) && !cuts.touch(FragmentNumber(10), 1));
}
