//! Files of an event, and what relays send each other: journal, cuts, index, announcement, frames.
#![no_main]

use libfuzzer_sys::fuzz_target;
use programme::journal::{Journal, record};
use programme::{Announcement, Cuts, Index, copy, index::Source};

fuzz_target!(|bytes: &[u8]| {
    journal(bytes);
    // A record that checks, whatever it says.
    let head = [u32::try_from(bytes.len()).expect("short inputs").to_le_bytes(), crc32fast::hash(bytes).to_le_bytes()].concat();
    let framed = [head.as_slice(), bytes].concat();
    journal(&framed);
    let _ = Cuts::read(&framed);
    let _ = Cuts::read(bytes);
    let _ = Announcement::read(bytes);
    for rung in base::Rung::ALL {
        let mut index = Index::new(rung);
        index.feed(Source::Disk, bytes);
    }
    let mut reader = copy::Reader::new(base::Rung::R64, None);
    reader.feed(bytes);
    while let Ok(Some(_)) = reader.frame() {}
});

fn journal(bytes: &[u8]) {
    let journal = Journal::read(bytes);
    let again: Vec<u8> = journal.entries.iter().flat_map(record).collect();
    assert_eq!(Journal::read(&again).entries, journal.entries, "what was read is written as it was");
    let _ = Journal::read(&journal.public());
}
