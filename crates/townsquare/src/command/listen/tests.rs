//! A listener over real HTTP: a stream that breaks, a replay, a page, and what is refused.

use super::*;
use base::time::TICK_SAMPLES;
use base::{MediaTime, Rung};
use programme::write::{Opening, Writer};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

/// Fragments `from..to` of a tone.
fn fragments(rung: Rung, from: u64, to: u64) -> Vec<u8> {
    let mut encoder = audio::opus::Encoder::programme(rung).unwrap();
    let mut writer = Writer::open(&Opening { first: FragmentNumber(from), ..Opening::fresh() });
    let mut bytes = Vec::new();
    for tick in from * 10..to * 10 {
        let tone = std::array::from_fn(|place| (((tick % 50) as usize * TICK_SAMPLES + place) as f32 * 0.06).sin() * 0.5);
        let mut packet = [0; 1_500];
        let length = encoder.encode(&tone, &mut packet).unwrap();
        if let Some(append) = writer.push(MediaTime(tick * TICK_SAMPLES as u64), rung, &packet[..length]).unwrap() {
            bytes.extend(append.media.strip_prefix(programme::init::segment()).unwrap_or(&append.media));
        }
    }
    bytes
}

/// A server that gives these answers, one a connection, and tells what was asked.
fn serve(answers: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            tell.send(lines.next().unwrap_or_default()).unwrap();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            stream.write_all(&answer).unwrap();
        }
    });
    (address, asked)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat()
}

fn stream(fragments: &[u8]) -> Vec<u8> {
    answer(
        "200 OK\r\nContent-Type: audio/mp4\r\nTownsquare-Edge: 1.3",
        &[programme::init::segment(), b"\0\0\0\x10free--------", fragments].concat(),
    )
}

fn ended() -> Vec<u8> {
    answer("410 Gone\r\nContent-Type: application/problem+json", br#"{"code":"event-ended","detail":"This event is over."}"#)
}

fn listen(url: &str, seconds: Option<f64>, output: Option<&std::path::Path>) -> anyhow::Result<Report> {
    let mut ear = Ear::new(None)?;
    let found = ear.find(url)?;
    let (tell, news) = mpsc::sync_channel(WAITING_MAX);
    let sound = Sound::new(output, seconds)?;
    Listener { ear, tell, news, sound, account: Account::new(Instant::now()), line: Line(ProgressBar::hidden()) }.listen(found)
}

fn value(report: &Report, key: &str) -> f64 {
    serde_json::to_value(report).unwrap()[key].as_f64().unwrap()
}

fn provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

#[test]
fn a_broken_stream_goes_on_where_it_was() {
    provider();
    let whole = fragments(Rung::R64, 0, 4);
    // The second connection begins with a fragment that is known, and lacks two.
    let again = [fragments(Rung::R64, 3, 6), fragments(Rung::R64, 8, 9)].concat();
    let (address, asked) = serve(vec![stream(&whole[..whole.len() - 100]), stream(&again), ended()]);
    let directory = std::env::temp_dir().join(format!("townsquare-listen-{}", std::process::id()));
    let report = listen(&format!("{address}/live/0123456789ab.mp4?rung=64&from=0"), None, Some(&directory)).unwrap();
    assert_eq!((value(&report, "fragments"), value(&report, "gaps"), value(&report, "seconds")), (7.0, 1.0, 1.8));
    let wav = hound::WavReader::open(&directory).unwrap();
    assert_eq!((wav.duration(), wav.spec().sample_rate, wav.spec().channels), (9 * 9_600, 48_000, 1));
    std::fs::remove_file(&directory).unwrap();
    let asked: Vec<String> = asked.iter().map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(asked[1..], ["/live/0123456789ab.mp4?rung=64&from=3&ready=200", "/live/0123456789ab.mp4?rung=64&from=9&ready=200"]);
}

#[test]
fn a_change_of_rung_is_no_gap() {
    provider();
    let (address, _asked) = serve(vec![stream(&[fragments(Rung::R64, 0, 7), fragments(Rung::R16, 5, 10)].concat()), ended()]);
    let report = listen(&format!("{address}/live/0123456789ab.mp4"), None, None).unwrap();
    assert_eq!((value(&report, "fragments"), value(&report, "gaps"), value(&report, "seconds")), (8.0, 0.0, 2.0));
}

#[test]
fn a_page_leads_to_the_stream_and_seconds_are_kept() {
    provider();
    let page =
        answer("200 OK\r\nContent-Type: application/json", br#"{"listen":{"stream":"/live/0123456789ab.mp4","hls":"/x"},"replay":null}"#);
    let (address, asked) = serve(vec![page, stream(&fragments(Rung::R32, 0, 20))]);
    let report = listen(&format!("{address}/events/0123456789ab"), Some(1.5), None).unwrap();
    assert_eq!(value(&report, "seconds"), 1.5);
    assert!(asked.iter().nth(1).unwrap().starts_with("GET /live/0123456789ab.mp4 "));
}

#[test]
fn what_can_not_be_heard_is_said_in_one_line() {
    provider();
    let not_live = answer(
        "404 Not Found\r\nContent-Type: application/problem+json",
        br#"{"code":"event-not-live","detail":"This event has not begun."}"#,
    );
    let html = answer("200 OK\r\nContent-Type: text/html", b"<p>Hello");
    let foreign = answer("200 OK\r\nContent-Type: audio/mp4", &[7; 100]);
    for (reply, says) in [(not_live, "This event has not begun."), (html, "nothing to hear"), (foreign, "no stream of a town square")] {
        let (address, _asked) = serve(vec![reply]);
        let error = listen(&address, None, None).unwrap_err().to_string();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(listen(&format!("http://{closed}/"), None, None).unwrap_err().to_string().contains("can't be reached"));
    assert!(listen("ftp://x", None, None).unwrap_err().to_string().contains("http://"));
}

#[test]
fn seconds_are_a_number_above_zero() {
    assert_eq!(seconds("1.5"), Ok(1.5));
    for text in ["0", "-1", "inf", "NaN", "x", ""] {
        assert!(seconds(text).is_err(), "{text}");
    }
}
