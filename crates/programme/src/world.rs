//! For tests: a programme written to a disk of `sim`, and what a reader makes of it.

use crate::index::Source;
use crate::view::{Extent, Programme};
use crate::write::{Append, Opening, Writer};
use crate::{Cuts, Index};
use base::time::TICK_SAMPLES;
use base::{FragmentNumber, MediaTime, Rung};
use sim::disk::Disk;

/// A packet that names its place: TOC of a mono 20 ms frame, rung, tick.
pub(crate) fn packet(rung: Rung, tick: u64) -> Vec<u8> {
    let mut packet = vec![0xf8, rung.place() as u8];
    packet.extend_from_slice(&tick.to_le_bytes());
    packet.resize(rung.frame_bytes(), 0x55);
    packet
}

pub(crate) fn media_name(rung: Rung, source: Source) -> String {
    format!("{source:?}/{rung}.mp4")
}

pub(crate) fn index_name(rung: Rung, source: Source) -> String {
    format!("{source:?}/{rung}.idx")
}

pub(crate) fn perform(disk: &mut Disk, append: &Append) {
    disk.write(&media_name(append.rung, append.source), append.media_at, &append.media).unwrap();
    disk.write(&index_name(append.rung, append.source), append.record_at, &append.record).unwrap();
}

/// A writer and its disk.
pub(crate) struct World {
    pub(crate) disk: Disk,
    pub(crate) writer: Writer,
    pub(crate) cuts: Cuts,
    tick: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { disk: Disk::new(1), writer: Writer::open(&Opening::fresh()), cuts: Cuts::default(), tick: 0 }
    }

    /// Opens another epoch.
    pub(crate) fn reopen(&mut self, opening: &Opening) {
        self.writer = Writer::open(opening);
        self.tick = opening.first.0 * 10;
    }

    /// Writes so many slots of these rungs.
    pub(crate) fn run(&mut self, slots: u64, rungs: &[Rung]) {
        for _ in 0..slots * 10 {
            for &rung in rungs {
                let at = MediaTime(self.tick * TICK_SAMPLES as u64);
                if let Some(append) = self.writer.push(at, rung, &packet(rung, self.tick)).unwrap() {
                    perform(&mut self.disk, &append);
                }
            }
            self.tick += 1;
        }
    }

    /// Passes time without packets.
    pub(crate) fn skip(&mut self, slots: u64) {
        self.tick += slots * 10;
    }

    pub(crate) fn end(&mut self) -> FragmentNumber {
        let writer = std::mem::replace(&mut self.writer, Writer::open(&Opening::fresh()));
        let (appends, end) = writer.end();
        appends.iter().for_each(|append| perform(&mut self.disk, append));
        end
    }

    pub(crate) fn indexes(&self) -> [Index; 3] {
        Rung::ALL.map(|rung| {
            let mut index = Index::new(rung);
            for source in [Source::Disk, Source::Memory] {
                index.feed(source, self.disk.read(&index_name(rung, source)));
            }
            index
        })
    }

    /// Asks a view with everything published that is sealed.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Programme<'_>) -> T) -> T {
        let rungs = self.indexes();
        ask(&Programme { rungs: &rungs, cuts: &self.cuts, published: rungs[0].sealed_end() })
    }

    pub(crate) fn bytes(&self, extents: &[Extent]) -> Vec<u8> {
        let bytes = |extent: &Extent| match extent {
            Extent::File { rung, source, offset, length } => {
                let file = self.disk.read(&media_name(*rung, *source));
                file[*offset as usize..(offset + length) as usize].to_vec()
            }
            Extent::Inline(bytes) => bytes.to_vec(),
        };
        extents.iter().flat_map(bytes).collect()
    }
}

/// What a fragment of a stream holds, by its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The packets of this rung, in their places.
    Sound(Rung),
    /// Silent packets.
    Silence,
}

/// Takes a stream of fragments apart and checks each frame's place.
pub(crate) fn heard(mut bytes: &[u8]) -> Vec<(FragmentNumber, Heard)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let found = crate::fragment::find(bytes).expect("whole fragments");
        let rung = Rung::ALL.into_iter().find(|rung| rung.frame_bytes() == found.frame_bytes).expect("a rung's frames");
        let payload = &bytes[found.payload.clone()];
        let silent = payload.chunks(found.frame_bytes).all(|frame| frame == crate::silence::frame(rung));
        if !silent {
            for (frame, nth) in payload.chunks(found.frame_bytes).zip(0..) {
                let expected = packet(rung, found.number.0 * 10 + nth);
                assert!(frame == expected || frame == crate::silence::frame(rung), "frame {nth} of {}", found.number);
            }
        }
        all.push((found.number, if silent { Heard::Silence } else { Heard::Sound(rung) }));
        bytes = &bytes[found.length()..];
    }
    all
}
