//! Two listeners: of the endless stream, and of LL-HLS.

use crate::marks::{Detector, samples};
use audio::opus::Decoder;
use programme::fragment;
use std::io::Read;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the page's player keeps in its buffer.
const PLAYER_BUFFER: Duration = Duration::from_millis(300);

/// Reads the endless stream and says when each mark would sound in a player that keeps 300 ms.
pub(crate) fn stream(url: &str, length: Duration) -> JoinHandle<Vec<Instant>> {
    let url = format!("{url}?from=-1");
    std::thread::spawn(move || {
        let end = Instant::now() + length;
        let mut body = ureq::get(&url).call().expect("the stream is there").into_body().into_reader();
        let mut bytes = Vec::new();
        let mut chunk = [0u8; 16 * 1024];
        let mut heard = Heard::new();
        while Instant::now() < end {
            let read = body.read(&mut chunk).expect("the stream goes on");
            let arrival = Instant::now();
            assert!(read > 0, "the stream goes on");
            bytes.extend_from_slice(&chunk[..read]);
            for (place, _) in heard.take(&mut bytes) {
                heard.onsets.push(arrival + samples(place) + PLAYER_BUFFER);
            }
        }
        // What was there at the start came in one burst, later than a listener of that time heard it.
        heard.onsets.into_iter().skip(1).collect()
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
        while Instant::now() < end {
            let (sequence, part) = next(&seen);
            let playlist = text(&format!("{base}/64.m3u8?_HLS_msn={sequence}&_HLS_part={part}"));
            let arrival = Instant::now();
            let listed = parts(&playlist);
            let from = listed.iter().position(|uri| *uri == seen).map_or(listed.len().saturating_sub(1), |at| at + 1);
            for uri in &listed[from..] {
                let mut bytes = bytes(&format!("{base}/{uri}"));
                let before = heard.samples;
                let places: Vec<usize> = heard.take(&mut bytes).into_iter().map(|(_, place)| place - before).collect();
                let part_samples = heard.samples - before;
                for place in places {
                    heard.onsets.push(arrival + Duration::from_secs_f64(hold_back) - samples(part_samples - place));
                }
                seen.clone_from(uri);
            }
        }
        heard.onsets
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
    onsets: Vec<Instant>,
}

impl Heard {
    fn new() -> Self {
        Self { decoder: Decoder::new().expect("a decoder"), detector: Detector::default(), samples: 0, onsets: Vec::new() }
    }

    /// Takes whole fragments off the front; gives each onset's place within its fragment and since the beginning.
    fn take(&mut self, bytes: &mut Vec<u8>) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        if bytes.get(4..8) == Some(b"ftyp") {
            let Ok(init) = fragment::init_length(bytes) else { return found };
            bytes.drain(..init);
        }
        while let Ok(whole) = fragment::find(bytes) {
            let mut within = 0;
            for frame in bytes[whole.payload.clone()].chunks(whole.frame_bytes) {
                let mut sound = [0.0; 5_760];
                let count = self.decoder.decode(frame, &mut sound).expect("our own Opus decodes");
                for place in self.detector.find(&sound[..count]) {
                    found.push((within + place, self.samples + within + place));
                }
                within += count;
            }
            self.samples += within;
            bytes.drain(..whole.length());
        }
        found
    }
}
