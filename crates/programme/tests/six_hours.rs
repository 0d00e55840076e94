//! Six hours of programme in virtual time, on a disk that crashes: every second that was promised is in the replay.
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test's files are small")]

use base::fact::LiveFact;
use base::journal::{Entry as JournalEntry, What};
use base::limit::{REPLAY_HEADER_BYTES_MAX, SYNC_BEHIND_MILLIS_MAX};
use base::time::TICK_SAMPLES;
use base::{Epoch, FragmentNumber, MediaTime, Rung, UnixMillis};
use programme::index::{Record, Source};
use programme::journal::Journal;
use programme::recover::{self, Found};
use programme::view::replay::Replay;
use programme::view::{Extent, Programme};
use programme::write::{Opening, Writer};
use programme::{Cuts, Index, fragment};
use sim::chance::Chance;
use sim::disk::Disk;
use std::collections::BTreeMap;
use std::convert::Infallible;

const TICK_MILLIS: u64 = 20;
const HOURS_MILLIS: u64 = 6 * 3_600_000;
const TICKS_PER_SLOT: u64 = 10;

fn packet(rung: Rung, at: MediaTime, epoch: Epoch) -> Vec<u8> {
    let mut packet = vec![0xf8];
    packet.extend_from_slice(&at.0.to_le_bytes());
    packet.extend_from_slice(&epoch.0.to_le_bytes());
    packet.resize(rung.frame_bytes(), 0x55);
    packet
}

/// The world: a disk, a stage that dies now and then, and what listeners were given.
struct World {
    disk: Disk,
    chance: Chance,
    seed: u64,
    millis: u64,
    boot: u32,
    /// The epoch in which each number of each rung was sealed, for ever.
    sealed: BTreeMap<(Rung, u64), Epoch>,
    /// Numbers of the recording that are sealed and not yet on disk for certain.
    unsynced: Vec<u64>,
    /// Numbers of the recording that are on disk for certain.
    promised: Vec<u64>,
    crashes: u32,
    power_losses: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let (sealed, unsynced, promised) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self {
            disk: Disk::new(seed),
            chance: Chance::new(seed),
            seed,
            millis: 0,
            boot: 0,
            sealed,
            unsynced,
            promised,
            crashes: 0,
            power_losses: 0,
        }
    }

    /// Opens the programme as a stage does.
    fn open(&mut self) -> Opening {
        let journal = Journal::read(self.disk.read("journal"));
        self.disk.truncate("journal", journal.bytes);
        let epochs: Vec<_> = journal.epochs().map(|(epoch, first, _)| (epoch, first)).collect();
        let found = Rung::ALL.map(|rung| self.put_right(rung, &epochs));
        // What the stage before had not synced is promised from now on.
        self.sync();
        let none = [Found::default(), Found::default(), Found::default()];
        let now = UnixMillis(self.millis.cast_signed());
        let boot = self.boot.to_string();
        let opening = recover::opening(&found, &none, &journal, &boot, now).expect("the event goes on");
        let opened = What::EpochOpened { epoch: opening.epoch, first: opening.first, boot };
        let record = programme::journal::record(&JournalEntry { at: now, what: opened });
        self.disk.write("journal", journal.bytes, &record).unwrap();
        self.disk.sync("journal");
        opening
    }

    fn put_right(&mut self, rung: Rung, epochs: &[(Epoch, FragmentNumber)]) -> Found {
        let (media_name, index_name) = (format!("{rung}.mp4"), format!("{rung}.idx"));
        let media = self.disk.read(&media_name);
        let read = |at: u64, into: &mut [u8]| -> Result<(), Infallible> {
            into.copy_from_slice(&media[at as usize..at as usize + into.len()]);
            Ok(())
        };
        let found = recover::files(rung, self.disk.read(&index_name), media.len() as u64, epochs, read).unwrap();
        self.disk.truncate(&media_name, found.cut_to.media);
        self.disk.truncate(&index_name, found.cut_to.index);
        self.disk.write(&index_name, found.cut_to.index, &found.records).unwrap();
        found
    }

    /// One life of a stage: writes until it dies or the time is over. True at the end of the event.
    fn live(&mut self) -> bool {
        let opening = self.open();
        let mut writer = Writer::open(&opening);
        let (epoch, mut at) = (opening.epoch, opening.first.start());
        let life = if self.chance.percent(20) { 5_000 } else { 300_000 };
        let death = self.millis + 1_000 + self.chance.below(life);
        let mut synced = self.millis;
        let mut rungs = vec![Rung::R64];
        while self.millis < death {
            if self.millis >= HOURS_MILLIS {
                self.end(writer);
                return true;
            }
            if at.0 % (TICK_SAMPLES as u64 * TICKS_PER_SLOT * 50) == 0 {
                self.change_rungs(&mut writer, &mut rungs);
            }
            for &rung in &rungs {
                if let Some(append) = writer.push(at, rung, &packet(rung, at, epoch)).unwrap() {
                    self.perform(&append);
                }
            }
            at = MediaTime(at.0 + TICK_SAMPLES as u64);
            self.millis += TICK_MILLIS;
            if self.millis - synced >= SYNC_BEHIND_MILLIS_MAX {
                synced = self.millis;
                self.sync();
            }
        }
        self.die();
        false
    }

    fn change_rungs(&mut self, writer: &mut Writer, rungs: &mut Vec<Rung>) {
        writer.tell(LiveFact::Listeners(self.chance.below(1_000_000) as u32));
        *rungs = vec![Rung::R64];
        for rung in [Rung::R32, Rung::R16] {
            if self.chance.percent(50) {
                rungs.push(rung);
            } else {
                assert_eq!(writer.stop(rung), None);
            }
        }
    }

    fn perform(&mut self, append: &programme::write::Append) {
        assert_eq!(append.source, Source::Disk);
        self.disk.write(&format!("{}.mp4", append.rung), append.media_at, &append.media).unwrap();
        self.disk.write(&format!("{}.idx", append.rung), append.record_at, &append.record).unwrap();
        if let Record::Fragment(entry) = append.says {
            let before = self.sealed.insert((append.rung, entry.number.0), entry.epoch);
            assert_eq!(before, None, "seed {}: {} of rung {} was sealed twice", self.seed, entry.number, append.rung);
            if append.rung == Rung::R64 {
                self.unsynced.push(entry.number.0);
            }
        }
    }

    fn sync(&mut self) {
        for rung in Rung::ALL {
            self.disk.sync(&format!("{rung}.mp4"));
            self.disk.sync(&format!("{rung}.idx"));
        }
        self.promised.append(&mut self.unsynced);
    }

    /// A crash of the stage in the middle of a write, or a power loss.
    fn die(&mut self) {
        if self.chance.percent(30) {
            self.power_losses += 1;
            self.boot += 1;
            self.disk.lose_power();
            self.unsynced.clear();
        } else {
            self.crashes += 1;
            // A stage that dies leaves what it wrote; at worst it was about to write a record, or half of a fragment.
            let rung = Rung::ALL[self.chance.index(3)];
            let media = format!("{rung}.mp4");
            let end = self.disk.read(&media).len() as u64;
            match self.chance.below(3) {
                0 if end > 0 => self
                    .disk
                    .write(&media, end, &fragment::silent(rung, FragmentNumber(1 << 40))[..700.min(rung.frame_bytes() * 5)])
                    .unwrap(),
                1 => self.drop_record(rung),
                _ => {}
            }
        }
        self.millis += 300 + self.chance.below(2_000);
    }

    fn drop_record(&mut self, rung: Rung) {
        let index = format!("{rung}.idx");
        let length = self.disk.read(&index).len() as u64;
        self.disk.truncate(&index, length.saturating_sub(1 + self.chance.below(32)));
    }

    fn end(&mut self, writer: Writer) {
        let (appends, _) = writer.end();
        appends.iter().for_each(|append| self.perform(append));
        self.sync();
    }

    fn bytes(&self, extents: &[Extent]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for extent in extents {
            match extent {
                Extent::File { rung, offset, length, .. } => {
                    bytes.extend_from_slice(&self.disk.read(&format!("{rung}.mp4"))[*offset as usize..(offset + length) as usize]);
                }
                Extent::Inline(silence) => bytes.extend_from_slice(silence),
            }
        }
        bytes
    }

    fn indexes(&self) -> [Index; 3] {
        Rung::ALL.map(|rung| {
            let mut index = Index::new(rung);
            index.feed(Source::Disk, self.disk.read(&format!("{rung}.idx")));
            index
        })
    }

    /// Every promised fragment is in the replay, at its place and of its epoch.
    fn check_replay(&self, index: &Index) {
        let replay = Replay::new(index).unwrap();
        let header = replay.header().len();
        assert!(header < REPLAY_HEADER_BYTES_MAX, "seed {}: {header} bytes", self.seed);
        let bytes = self.bytes(&replay.read(index, &Cuts::default(), 0..u64::MAX));
        assert_eq!(bytes.len() as u64, replay.total_bytes());
        let first = index.recording()[0].number.0;
        for &number in &self.promised {
            let epoch = self.sealed[&(Rung::R64, number)];
            let start = header + ((number - first) * TICKS_PER_SLOT) as usize * Rung::R64.frame_bytes();
            for frame in 0..TICKS_PER_SLOT {
                let at = MediaTime((number * TICKS_PER_SLOT + frame) * TICK_SAMPLES as u64);
                let place = start + frame as usize * Rung::R64.frame_bytes();
                let heard = &bytes[place..place + Rung::R64.frame_bytes()];
                let is_last = self.promised.last() == Some(&number);
                let silent = is_last && heard == programme::silence::frame(Rung::R64);
                assert!(silent || heard == packet(Rung::R64, at, epoch), "seed {}: frame {frame} of {number} is lost", self.seed);
            }
        }
    }

    /// Whoever listened to all of it on any rung heard one timeline.
    fn check_streams(&self, rungs: &[Index; 3]) {
        let (cuts, published) = (Cuts::default(), rungs[0].sealed_end());
        let programme = Programme { rungs, cuts: &cuts, published };
        for rung in Rung::ALL {
            let (extents, next) = programme.extents(rung, programme.first(), published);
            assert!(next >= published, "seed {}: rung {rung} stops at {next} of {published}", self.seed);
            let bytes = self.bytes(&extents);
            let (mut at, mut expected) = (0, programme.first().start().0);
            while at < bytes.len() {
                let found = fragment::find(&bytes[at..]).expect("whole fragments");
                assert_eq!(found.number.start().0, expected, "seed {}: time jumps on rung {rung}", self.seed);
                expected += (found.payload.len() / found.frame_bytes * TICK_SAMPLES) as u64;
                at += found.length();
            }
        }
    }
}

#[test]
fn nothing_promised_is_lost_in_six_hours() {
    let seed = 1;
    let mut world = World::new(seed);
    while !world.live() {}
    assert!(world.crashes > 30 && world.power_losses > 10, "seed {seed}: {} crashes, {} power losses", world.crashes, world.power_losses);
    let rungs = world.indexes();
    assert!(rungs[0].end().is_some());
    let epochs: Vec<u32> = rungs[0].recording().iter().map(|entry| entry.epoch.0).collect();
    assert!(epochs.is_sorted(), "seed {seed}");
    for index in &rungs {
        assert!(index.recording().iter().map(|entry| entry.number).is_sorted_by(|a, b| a < b), "seed {seed}");
    }
    world.check_replay(&rungs[0]);
    world.check_streams(&rungs);
}
