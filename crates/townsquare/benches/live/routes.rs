//! Listeners: of the endless stream, and of LL-HLS.

use crate::marks::{Detector, samples};
use audio::opus::Decoder;
use programme::fragment;
use std::collections::BTreeMap;
use std::io::Read;
use std::slice::Chunks;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the page's player keeps in its buffer.
const PLAYER_BUFFER: Duration = Duration::from_millis(300);

/// What came in a burst at the start came later than a listener of that time heard it.
const BURST: Duration = Duration::from_secs(1);

/// What one listener of the endless stream was sent.
pub(crate) struct Stream {
    begun: Instant,
    /// When each fragment came.
    arrivals: BTreeMap<u64, Instant>,
    /// In which fragment, and where in it, each mark begins; known to who decodes.
    marks: Vec<(u64, usize)>,
}

impl Stream {
    /// When each mark that `decoded` knows of would sound in this one's player, which keeps 300 ms.
    pub(crate) fn onsets(&self, decoded: &Self) -> Vec<Instant> {
        let came = |number: &u64| self.arrivals.get(number).filter(|at| **at > self.begun + BURST);
        decoded.marks.iter().filter_map(|(number, place)| Some(*came(number)? + samples(*place) + PLAYER_BUFFER)).collect()
    }
}

/// Reads the endless stream, and looks for marks in it if it `decodes`.
pub(crate) fn stream(url: &str, length: Duration, decodes: bool) -> JoinHandle<Stream> {
    let url = format!("{url}?from=-1");
    std::thread::spawn(move || {
        let begun = Instant::now();
        let mut body = ureq::get(&url).call().expect("the stream is there").into_body().into_reader();
        let (mut bytes, mut chunk) = (Vec::new(), [0u8; 16 * 1024]);
        let mut heard = decodes.then(Heard::new);
        let mut stream = Stream { begun, arrivals: BTreeMap::new(), marks: Vec::new() };
        while begun.elapsed() < length {
            let read = body.read(&mut chunk).expect("the stream goes on");
            let arrival = Instant::now();
            assert!(read > 0, "the stream goes on");
            bytes.extend_from_slice(&chunk[..read]);
            each_fragment(&mut bytes, |number, frames| {
                stream.arrivals.insert(number, arrival);
                let places = heard.as_mut().map(|heard| heard.fragment(frames)).unwrap_or_default();
                stream.marks.extend(places.into_iter().map(|(within, _)| (number, within)));
            });
        }
        stream
    })
}

/// Follows the 64 kbit/s playlist with blocking reload and says when each mark would sound at the hold-back that it asks for.
pub(crate) fn hls(main: &str, length: Duration) -> JoinHandle<Vec<Instant>> {
    let base = main.rsplit_once('/').expect("an address with a path").0.to_owned();
    std::thread::spawn(move || {
        let end = Instant::now() + length;
        let playlist = text(&format!("{base}/64.m3u8"));
        let hold_back = attribute(&playlist, "PART-HOLD-BACK=").expect("a low-latency playlist");
        let mut seen = parts(&playlist).last().cloned().expect("a part");
        let mut heard = Heard::new();
        let mut onsets = Vec::new();
        while Instant::now() < end {
            let (sequence, part) = next(&seen);
            let playlist = text(&format!("{base}/64.m3u8?_HLS_msn={sequence}&_HLS_part={part}"));
            let arrival = Instant::now();
            let listed = parts(&playlist);
            let from = listed.iter().position(|uri| *uri == seen).map_or(listed.len().saturating_sub(1), |at| at + 1);
            for uri in &listed[from..] {
                let mut bytes = bytes(&format!("{base}/{uri}"));
                let before = heard.samples;
                let mut places = Vec::new();
                each_fragment(&mut bytes, |_, frames| places.extend(heard.fragment(frames).into_iter().map(|(_, place)| place - before)));
                let part_samples = heard.samples - before;
                for place in places {
                    onsets.push(arrival + Duration::from_secs_f64(hold_back) - samples(part_samples - place));
                }
                seen.clone_from(uri);
            }
        }
        onsets
    })
}

/// Media sequence and part number that follow `seen`: 30 slots a segment, 3 a part.
fn next(seen: &str) -> (u64, u64) {
    let number: u64 = seen.rsplit_once('.').and_then(|(head, _)| head.rsplit_once('.')?.1.parse().ok()).expect("an address with a number");
    let next = number + 3;
    (next / 30, next % 30 / 3)
}

fn parts(playlist: &str) -> Vec<String> {
    let rows = playlist.lines().filter(|line| line.starts_with("#EXT-X-PART:"));
    rows.filter_map(|line| Some(line.split_once("URI=\"")?.1.split_once('"')?.0.to_owned())).collect()
}

fn attribute(playlist: &str, name: &str) -> Option<f64> {
    let rest = playlist.split_once(name)?.1;
    rest.split([',', '\n']).next()?.parse().ok()
}

fn text(url: &str) -> String {
    ureq::get(url).call().expect("a playlist").into_body().read_to_string().expect("a playlist is text")
}

fn bytes(url: &str) -> Vec<u8> {
    ureq::get(url).call().expect("a part").into_body().read_to_vec().expect("a part's bytes")
}

/// Decodes fragments as they come and looks for marks.
struct Heard {
    decoder: Decoder,
    detector: Detector,
    samples: usize,
}

impl Heard {
    fn new() -> Self {
        Self { decoder: Decoder::new().expect("a decoder"), detector: Detector::default(), samples: 0 }
    }

    /// Each onset's place within a fragment, and since the beginning.
    fn fragment(&mut self, frames: Chunks<'_, u8>) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut within = 0;
        for frame in frames {
            let mut sound = [0.0; 5_760];
            let count = self.decoder.decode(frame, &mut sound).expect("our own Opus decodes");
            for place in self.detector.find(&sound[..count]) {
                found.push((within + place, self.samples + within + place));
            }
            within += count;
        }
        self.samples += within;
        found
    }
}

/// Takes whole fragments off the front: each one's number and frames.
pub(crate) fn each_fragment(bytes: &mut Vec<u8>, mut take: impl FnMut(u64, Chunks<'_, u8>)) {
    if bytes.get(4..8) == Some(b"ftyp") {
        let Ok(init) = fragment::init_length(bytes) else { return };
        bytes.drain(..init);
    }
    while let Ok(whole) = fragment::find(bytes) {
        take(whole.number.0, bytes[whole.payload.clone()].chunks(whole.frame_bytes));
        bytes.drain(..whole.length());
    }
}
