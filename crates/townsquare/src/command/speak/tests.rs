//! A speaker and a small stage over real sockets: what was said is heard, over UDP and TCP, and again after the stage was gone.

#![expect(clippy::cast_possible_truncation, reason = "small numbers, chosen here")]

mod stage;

use super::*;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that a test may write to.
pub(super) fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("townsquare-speak-{}-{}-{name}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A tone of so many frames.
fn tone(dir: &Path, frames: u32) -> PathBuf {
    let path = dir.join("tone.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for number in 0..frames * 960 {
        writer.write_sample(((f64::from(number) * 0.05).sin() * 16_000.0).round() as i16).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn speak(link: &str, file: &Path, tcp: bool) -> anyhow::Result<Report> {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stage = Stage::find(link, "Ada", None)?;
    let (tell, news) = sync_channel(SPEAK_QUEUE_NEWS_MAX);
    Speaker::new(stage, Sound::open(file, false)?, tcp, tell, news)?.speak()
}

#[test]
fn what_is_said_is_heard() {
    for tcp in [false, true] {
        let stage = stage::Stage::open(stage::Manner::default());
        let report = speak(&stage.link(), &tone(&scratch("heard"), 60), tcp).unwrap();
        assert_eq!((report.packets, report.reconnections), (60, 0), "over TCP: {tcp}");
        assert!((report.seconds - 1.2).abs() < 1e-9);
        let seen = stage.close();
        assert_eq!(seen.requests.iter().filter(|line| line.starts_with("POST /whip")).count(), 1);
        assert!(seen.requests.iter().any(|line| line.starts_with("POST /console")), "{:?}", seen.requests);
        assert!(seen.requests.last().is_some_and(|line| line.starts_with("DELETE /whip/session")), "{:?}", seen.requests);
        assert!(seen.requests.iter().filter(|line| line.contains('?')).all(|line| line.contains("name=Ada")), "{:?}", seen.requests);
        assert_eq!(seen.keys.len(), 1, "one key for everything: {:?}", seen.keys);
        assert!(seen.transports.contains(&(if tcp { ingest::Transport::Tcp } else { ingest::Transport::Udp })));
        // Loopback loses little, but nothing says that it loses nothing.
        assert!(seen.timestamps.len() >= 50, "{} of 60 frames came", seen.timestamps.len());
        assert!(seen.timestamps.iter().all(|timestamp| timestamp % 960 == 0 && *timestamp < 60 * 960));
        assert!(seen.energy > 0.05, "it sounds: {}", seen.energy);
    }
}

#[test]
fn a_stage_that_was_gone_is_called_again_under_the_same_key() {
    let stage = stage::Stage::open(stage::Manner { break_after: Some(20), ..stage::Manner::default() });
    let report = speak(&stage.link(), &tone(&scratch("again"), 150), false).unwrap();
    assert!(report.reconnections >= 1, "{report:?}");
    let seen = stage.close();
    assert!(seen.requests.iter().filter(|line| line.starts_with("POST /whip")).count() >= 2, "{:?}", seen.requests);
    assert_eq!(seen.keys.len(), 1, "{:?}", seen.keys);
    assert!(seen.timestamps.iter().any(|timestamp| *timestamp > 100 * 960), "it went on to the end");
    assert!(report.packets <= 150, "the time lost is skipped");
}

#[test]
fn an_event_that_ends_ends_the_speech() {
    let stage = stage::Stage::open(stage::Manner { end_after: Some(20), ..stage::Manner::default() });
    let report = speak(&stage.link(), &tone(&scratch("ended"), 3_000), false).unwrap();
    assert!(report.packets < 3_000, "{report:?}");
}

#[test]
fn a_refusal_is_said_in_its_words() {
    let stage = stage::Stage::open(stage::Manner { refuse: true, ..stage::Manner::default() });
    let file = tone(&scratch("refused"), 10);
    let error = speak(&stage.link(), &file, false).unwrap_err();
    assert_eq!(error.to_string(), "The stage is full. Ask the host to make room.");
    let whip = stage.link().replace("/stage/secret", "/whip/e");
    let error = speak(&whip, &file, false).unwrap_err().to_string();
    assert!(error.contains("is no stage link"), "{error}");
    let nowhere = stage.link();
    drop(stage.close());
    let error = speak(&nowhere, &file, false).unwrap_err().to_string();
    assert!(error.contains("can't be reached"), "{error}");
    for link in ["stage", "ftp://example.org/", "http://"] {
        let error = speak(link, &file, false).unwrap_err().to_string();
        assert!(error.contains("is no stage link"), "{error}");
    }
}

#[test]
fn news_that_nobody_takes_do_not_keep_the_command_from_ending() {
    let stage = stage::Stage::open(stage::Manner::default());
    let dir = scratch("unheard");
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (tell, news) = sync_channel(1);
    // The end is the first news that is read; behind it the queue is full, and the line has more to tell.
    tell.send(News::Interrupted).unwrap();
    let found = Stage::find(&stage.link(), "Ada", None).unwrap();
    let speaker = Speaker::new(found, Sound::open(&tone(&dir, 5), false).unwrap(), false, tell, news).unwrap();
    speaker.line.order(Order::Finish);
    speaker.line.order(Order::Finish);
    assert_eq!(speaker.speak().unwrap().packets, 0);
}
