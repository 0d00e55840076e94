//! What was recorded and what was heard, fragment by fragment: the bytes must be the same.

use super::Server;
use base::{Epoch, FragmentNumber, Place, Rung};
use programme::copy::{Sound, Track};
use programme::{fragment, silence};
use std::io::Read as _;
use std::thread::JoinHandle;

/// A fragment's number and its bytes.
pub type Heard = (u64, Vec<u8>);

/// Every fragment of an endless stream or of a rung's file.
pub fn fragments(mut bytes: &[u8]) -> Vec<Heard> {
    let mut found = Vec::new();
    while let Ok(at) = fragment::find(bytes) {
        let (front, rest) = bytes.split_at(at.length());
        // Init segment and padding stand before the first.
        let start = front.windows(4).position(|four| four == b"emsg" || four == b"moof").expect("a box") - 4;
        found.push((at.number.0, front[start..].to_vec()));
        bytes = rest;
    }
    found
}

/// What a listener gets over one connection until the event ends, on a thread of its own.
pub fn record(url: &str) -> JoinHandle<Vec<Heard>> {
    let url = url.to_owned();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let answer = ureq::get(&url).call().expect("the stream");
        answer.into_body().into_with_config().limit(u64::MAX).reader().read_to_end(&mut bytes).expect("its end");
        fragments(&bytes)
    })
}

/// What the stage has recorded of an event on a rung; nothing before it begins.
pub fn recorded(server: &Server, event: &str, rung: Rung) -> Vec<Heard> {
    fragments(&std::fs::read(server.data().join("events").join(event).join(format!("{rung}.mp4"))).unwrap_or_default())
}

/// Whether what was heard is the recording from its first number on, without a gap.
pub fn check_heard(heard: &[Heard], recorded: &[Heard]) {
    let first = heard.first().expect("something is heard").0;
    let from = recorded.iter().position(|(number, _)| *number == first).expect("it was recorded");
    let numbers = |list: &[Heard]| list.iter().map(|(number, _)| *number).collect::<Vec<_>>();
    assert_eq!(numbers(heard), numbers(&recorded[from..]));
    assert!(heard == &recorded[from..], "the bytes differ");
}

/// Gives an announced event a past: so many fragments of silence, and its end.
pub fn write_past(server: &Server, event: &str, count: u64) {
    let (mut track, mut media, mut index) = (Track::new(), Vec::new(), Vec::new());
    let place = |number| Place { epoch: Epoch(1), number: FragmentNumber(number) };
    let quiet = silence::frames(Rung::R64, Rung::R64.frames_per_fragment());
    for number in 0..count {
        let append = track.fragment(place(number), Sound::Here(&fragment::seal(Rung::R64, FragmentNumber(number), None, &quiet)));
        media.extend(append.media);
        index.extend(append.record);
    }
    index.extend(track.end(place(count)).record);
    let directory = server.data().join("events").join(event);
    std::fs::write(directory.join("64.mp4"), media).expect("written");
    std::fs::write(directory.join("64.idx"), index).expect("written");
}

/// What an address answers, once it does.
pub fn bytes_of(url: &str, range: Option<&str>) -> Option<Vec<u8>> {
    let mut request = ureq::get(url);
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let answer = request.call().ok()?;
    answer.into_body().into_with_config().limit(u64::MAX).read_to_vec().ok()
}
