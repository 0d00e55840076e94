//! A crowd against a server that says what the test wants.

use super::*;
use crate::plan::tests::order;
use base::{FragmentNumber, Rung};
use programme::fragment::{payload_bytes, seal};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

fn fragments(numbers: std::ops::Range<u64>) -> Vec<u8> {
    numbers.flat_map(|number| seal(Rung::R64, FragmentNumber(number), None, &vec![0; payload_bytes(Rung::R64)])).collect()
}

/// A server that gives these answers, one a connection, and then closes; it tells what was asked.
fn serve(answers: Vec<Vec<u8>>) -> (Order, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            tell.send(lines.next().unwrap_or_default()).unwrap();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            stream.write_all(&answer).unwrap();
        }
    });
    (Order { server, host: server.to_string(), ..order(1) }, asked)
}

fn ok(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", programme::init::segment(), body].concat()
}

/// Lets a crowd of one listen until the event is over for it.
fn run(order: Order) -> Tally {
    let mut crowd = Crowd::new(order, Instant::now()).unwrap();
    while crowd.shared.tally.ended == 0 {
        crowd.wait(Duration::from_secs(1)).unwrap();
        crowd.turn(Instant::now());
    }
    crowd.tally()
}

const GONE: &[u8] = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_broken_stream_goes_on_and_an_ended_one_is_no_break() {
    let half = fragments(3..6);
    let (order, asked) = serve(vec![ok(&half[..half.len() - 10]), ok(&fragments(5..8)), GONE.to_vec()]);
    let tally = run(order);
    assert_eq!((tally.joined, tally.heard, tally.gaps, tally.repeats, tally.ended), (1, 1, 0, 0, 1));
    assert_eq!(tally.disconnects, 1, "the event's end is no disconnection");
    let asked: Vec<String> = asked.iter().map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(asked, ["/live/0123456789ab.mp4", "/live/0123456789ab.mp4?from=5&ready=200", "/live/0123456789ab.mp4?from=8&ready=200"]);
}

#[test]
fn a_gap_a_repeat_and_rubbish_are_counted() {
    let faulty = [fragments(0..2), fragments(4..6), fragments(4..5)].concat();
    let (order, _asked) = serve(vec![ok(&faulty), ok(b"OggS and more"), b"HTTP/1.1 503 Busy\r\n\r\n".to_vec(), GONE.to_vec()]);
    let tally = run(order);
    assert_eq!((tally.gaps, tally.repeats, tally.foreign, tally.refused), (1, 1, 1, 1));
}

#[test]
fn a_listener_is_small() {
    assert!(size_of::<Listener>() <= 128, "{} bytes", size_of::<Listener>());
}
