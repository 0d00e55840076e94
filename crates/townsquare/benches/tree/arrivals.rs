//! When fragments come, to listeners at several levels at once.

use programme::fragment;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a stream begins with comes at once and is left out, and so is what comes while the other listeners begin.
const BEGIN: Duration = Duration::from_secs(2);

/// When each fragment was there, by its number.
pub(crate) type Arrivals = BTreeMap<u64, Instant>;

/// Reads an endless stream for so long.
pub(crate) fn listen(url: &str, length: Duration) -> JoinHandle<Arrivals> {
    let url = format!("{url}?from=-1");
    std::thread::spawn(move || {
        let begun = Instant::now();
        let mut body = ureq::get(&url).call().expect("the stream is there").into_body().into_with_config().limit(u64::MAX).reader();
        let (mut bytes, mut chunk, mut arrivals) = (Vec::new(), [0u8; 16 * 1024], Arrivals::new());
        while begun.elapsed() < BEGIN + length {
            let count = body.read(&mut chunk).expect("the stream goes on");
            let now = Instant::now();
            assert!(count > 0, "the stream goes on");
            bytes.extend_from_slice(&chunk[..count]);
            while let Ok(whole) = fragment::find(&bytes) {
                bytes.drain(..whole.length());
                if now - begun > BEGIN {
                    arrivals.insert(whole.number.0, now);
                }
            }
        }
        arrivals
    })
}

/// Milliseconds until the first fragment of a stream is there.
pub(crate) fn first(url: &str) -> f64 {
    let begun = Instant::now();
    let mut body = ureq::get(url).call().expect("the stream is there").into_body().into_with_config().limit(u64::MAX).reader();
    let (mut bytes, mut chunk) = (Vec::new(), [0u8; 16 * 1024]);
    while fragment::find(&bytes).is_err() {
        let count = body.read(&mut chunk).expect("the stream goes on");
        assert!(count > 0, "the stream goes on");
        bytes.extend_from_slice(&chunk[..count]);
    }
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// By how many milliseconds fragments came later than elsewhere; those alone that came to both.
pub(crate) fn later(here: &Arrivals, there: &Arrivals) -> Vec<f64> {
    let delay = |(number, at): (&u64, &Instant)| {
        let before = there.get(number)?;
        let millis = |from: &Instant, to: &Instant| to.saturating_duration_since(*from).as_secs_f64() * 1_000.0;
        Some(millis(before, at) - millis(at, before))
    };
    here.iter().filter_map(delay).collect()
}
