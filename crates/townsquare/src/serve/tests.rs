use super::*;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;

/// Longer than anything takes on a busy machine; reached only by a failure.
const LONG: Duration = Duration::from_secs(60);

/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(30);

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// A conversation with somebody who is not waited for, and their end of it; `kept` is what is not to end.
fn meet(protocol: Protocol, patience: Patience) -> (DuplexStream, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (stop, stopped) = watch::channel(false);
    let router = Router::new().fallback(|| async { "x".repeat(1 << 20) });
    (theirs, stop, tokio::spawn(converse(ours, protocol, router, None, stopped, patience)))
}

#[track_caller]
fn ends(protocol: Protocol, patience: Patience, said: &[u8]) {
    block_on(async {
        let (mut theirs, _kept, talk) = meet(protocol, patience);
        theirs.write_all(said).await.expect("said");
        let ended = timeout(LONG, talk).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok()), "{protocol:?}: {:?} holds the connection", String::from_utf8_lossy(said));
    });
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn who_never_finishes_a_head_is_not_waited_for() {
    for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nHost: square\r\n"] {
        ends(Protocol::Http1, Patience { head: SHORT, silent: LONG, last: LONG }, said);
    }
}

#[test]
fn who_asks_nothing_is_not_waited_for() {
    let patience = Patience { head: LONG, silent: SHORT, last: SHORT };
    for said in [&b""[..], &PREFACE[..10], PREFACE] {
        ends(Protocol::Http2, patience, said);
    }
}

#[test]
fn who_does_not_read_is_not_waited_for() {
    let patience = Patience { head: LONG, silent: SHORT, last: SHORT };
    ends(Protocol::Http1, patience, b"GET / HTTP/1.1\r\nHost: square\r\n\r\n");
}

#[test]
fn every_piece_of_an_answer_that_is_taken_is_a_word() {
    block_on(async {
        let (open, mut requests) = watch::channel(0);
        let mut body = followed(Body::from("x"), open.clone());
        assert!(!requests.has_changed().expect("open"));
        body.frame().await.expect("a piece").expect("whole");
        assert!(requests.has_changed().expect("open"));
        requests.mark_unchanged();
        assert!(body.frame().await.is_none() && !requests.has_changed().expect("open"));
    });
}

#[test]
fn silence_does_not_begin_before_the_answer() {
    block_on(async {
        let (open, requests) = watch::channel(0);
        let request = Open::new(open.clone());
        let silence = tokio::spawn(silence(requests, SHORT));
        tokio::time::sleep(5 * SHORT).await;
        assert!(!silence.is_finished());
        drop(request);
        timeout(LONG, silence).await.expect("in time").expect("silent");
    });
}

#[test]
fn the_silent_leave_room_for_others() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let visitors = Visitors::new("test", 3);
        let (_kept, stopped) = watch::channel(false);
        let router = Router::new().fallback(|| async { "here" });
        tokio::spawn(public(listener, None, router, Arc::clone(&visitors), stopped));
        let held = [TcpStream::connect(address).await.expect("connects"), TcpStream::connect(address).await.expect("connects")];
        let mut refused = TcpStream::connect(address).await.expect("connects");
        let closed = timeout(LONG, refused.read(&mut [0])).await.expect("in time");
        assert!(!matches!(closed, Ok(1..)), "one address does not take all of it");
        assert!(visitors.enter(Some("192.0.2.1".parse().expect("an address"))).is_some(), "another address gets in");
        drop(held);
        let begun = Instant::now();
        while !asks(address).await {
            assert!(begun.elapsed() < LONG, "those who left still hold their places");
        }
    });
}

/// Whether a request is answered.
async fn asks(address: std::net::SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let mut answer = String::new();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: square\r\nConnection: close\r\n\r\n").await;
    let _ = stream.read_to_string(&mut answer).await;
    answer.starts_with("HTTP/1.1 200 OK\r\n")
}
