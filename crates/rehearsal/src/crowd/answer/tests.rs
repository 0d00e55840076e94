//! Requests as a relay reads them.

use super::*;
use crate::hls::Player;
use crate::plan::tests::order;

#[test]
fn a_stream_is_asked_for_again_where_it_broke() {
    for (target, next, expected) in [
        ("/live/e.mp4", None, "/live/e.mp4"),
        ("/live/e.mp4", Some(7), "/live/e.mp4?from=7&ready=200"),
        ("/live/e.mp4?rung=16&from=-1", Some(7), "/live/e.mp4?rung=16&from=7&ready=200"),
        ("/live/e.mp4?rung=16&from=-1", None, "/live/e.mp4?rung=16&from=-1"),
    ] {
        let request = stream_request(&Order { target: target.into(), ..order(1) }, next, Cadence::QUICKEST);
        assert_eq!(request.split(' ').nth(1), Some(expected));
        assert!(request.contains(" HTTP/1.0\r\nHost: localhost\r\n") && request.ends_with("\r\n\r\n"));
    }
}

#[test]
fn playlists_stand_beside_the_stream() {
    for (target, expected) in [
        ("/live/e.mp4", "/live/e/64.m3u8"),
        ("/live/e.mp4?rung=16", "/live/e/16.m3u8"),
        ("/live/e/t/TICKET.mp4?from=live&rung=32", "/live/e/t/TICKET/32.m3u8"),
    ] {
        let playlists = Playlists::of(target);
        let mut playing = Playing { player: Player::new(playlists.rung), number: 7, left: 0, is_fault: false, has_list: false };
        let request = playlists.request(&order(1), &mut playing);
        assert_eq!(request.split(' ').nth(1), Some(expected));
    }
}

#[test]
fn a_host_is_named_without_its_port() {
    for (host, expected) in [
        ("a.example", "a.example"),
        ("a.example:8443", "a.example"),
        ("[::1]:8443", "::1"),
        ("[::1]", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
    ] {
        assert_eq!(host_name(host), expected);
    }
}
