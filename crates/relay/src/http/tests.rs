use super::*;
use proptest::prelude::*;

fn request(text: &str) -> Request {
    parse(text.as_bytes()).unwrap().unwrap().0
}

#[test]
fn a_request_is_reduced_to_what_matters() {
    let text = "GET /live/x.mp4?rung=32 HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\nRange: bytes=5-\r\nUser-Agent: ear\r\nX-Forwarded-For: 9.9.9.9, 10.0.0.1\r\n\r\nrest";
    let (request, length) = parse(text.as_bytes()).unwrap().unwrap();
    assert_eq!(&text[length..], "rest");
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.target, "/live/x.mp4?rung=32");
    assert!(request.keep_alive && !request.prefetch);
    assert_eq!(request.range, Some(ByteRange::From(5, None)));
    assert_eq!(request.forwarded_for, Some(IpAddr::from([10, 0, 0, 1])));
    assert_eq!(request.user_agent, b"ear");
}

#[test]
fn connections_are_kept_when_nothing_speaks_against_it() {
    let rows = [
        ("GET / HTTP/1.1\r\n\r\n", true),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false),
    ];
    for (text, keep) in rows {
        assert_eq!(request(text).keep_alive, keep, "{text}");
    }
}

#[test]
fn ranges_are_read_and_cut_to_the_body() {
    let rows = [
        ("bytes=0-", Some(0..100)),
        ("bytes=10-19", Some(10..20)),
        ("bytes=90-200", Some(90..100)),
        ("bytes=-7", Some(93..100)),
        ("bytes=-700", Some(0..100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
    ];
    for (text, range) in rows {
        assert_eq!(parse_range(text).unwrap().within(100), range, "{text}");
    }
    for text in ["bytes=1-2,4-5", "lines=1-2", "bytes=", "bytes=-", "bytes=5-2", "bytes=+1-2", "bytes=99999999999999999999-"] {
        assert_eq!(parse_range(text), None, "{text}");
    }
}

#[test]
fn heads_that_cannot_be_are_refused() {
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(limit::REQUEST_HEAD_BYTES_MAX));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
    assert_eq!(parse(long.as_bytes()), Err(FaultKind::HeadTooLarge));
    assert_eq!(parse(many.as_bytes()), Err(FaultKind::HeadTooLarge));
    assert_eq!(parse(b"\x16\x03\x01\x02\x00\x01"), Err(FaultKind::BadRequest));
    assert_eq!(parse(b"GET / HT"), Ok(None));
}

#[test]
fn an_absolute_target_loses_its_host() {
    assert_eq!(request("GET http://a.example/live/x.mp4 HTTP/1.1\r\n\r\n").target, "/live/x.mp4");
    assert_eq!(request("GET http://a.example HTTP/1.1\r\n\r\n").target, "/");
    assert_eq!(request("GET /a?b=c://d HTTP/1.1\r\n\r\n").target, "/a?b=c://d");
}

#[test]
fn entity_tags_compare_weakly() {
    for (list, same) in [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false)] {
        assert_eq!(names_etag(list, "\"a\""), same, "{list}");
    }
}

#[test]
fn a_date_is_put_behind_the_status_line() {
    let mut date = Date::default();
    for (wall, line) in [
        (784_111_777_999, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        (784_111_778_000, "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"),
        (i64::MAX, ""),
    ] {
        date.set(UnixMillis(wall));
        let mut head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        date.put(&mut head);
        assert_eq!(String::from_utf8(head), Ok(format!("HTTP/1.1 200 OK\r\n{line}\r\n")));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn arbitrary_headers_never_panic(name in "[a-zA-Z-]{1,20}", value in "[ -~]{0,60}", range in "[ -~]{0,30}") {
        let _ = parse(format!("GET /{value} HTTP/1.1\r\n{name}: {value}\r\nRange: bytes={range}\r\n\r\n").as_bytes());
    }
}
