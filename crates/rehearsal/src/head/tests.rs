//! Heads as servers write them.

use super::*;

#[test]
fn heads_are_read() {
    let head = |status, length, bytes| Ok(Some(Head { status, length, bytes }));
    for (text, expected) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest", head(200, None, 38)),
        ("HTTP/1.0 200 OK\r\ncontent-length: 12\r\n\r\n", head(200, Some(12), 39)),
        ("HTTP/1.1 410 Gone\r\n", Ok(None)),
        ("", Ok(None)),
    ] {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
    assert!(read(b"SSH-2.0\r\n").is_err());
}
