//! Links derive from the public addresses alone.

use super::Addresses;
use base::EventId;

#[test]
fn links() {
    let event: EventId = "0123456789ab".parse().expect("an id");
    let addresses = Addresses::new("https://square.example/", "https://live.example", "https://stage.example:10000/");
    let rows = [
        (addresses.page(event, None), "https://square.example/events/0123456789ab"),
        (addresses.page(event, Some("T")), "https://square.example/events/0123456789ab/t/T"),
        (addresses.console_page("T"), "https://square.example/stage/T"),
        (addresses.whip(event), "https://stage.example:10000/whip/0123456789ab"),
        (addresses.console(event), "https://stage.example:10000/console/0123456789ab"),
        (addresses.stream(event, None), "https://live.example/live/0123456789ab.mp4"),
        (addresses.stream(event, Some("T")), "https://live.example/live/0123456789ab/t/T.mp4"),
        (addresses.hls(event, None), "https://live.example/live/0123456789ab/main.m3u8"),
        (addresses.hls(event, Some("T")), "https://live.example/live/0123456789ab/t/T/main.m3u8"),
        (addresses.replay(event, None), "https://live.example/replay/0123456789ab.m4a"),
        (addresses.replay(event, Some("T")), "https://live.example/replay/0123456789ab/t/T.m4a"),
    ];
    for (link, wanted) in rows {
        assert_eq!(link, wanted);
    }
}

#[test]
fn one_host_behind_a_proxy_is_one_origin() {
    let addresses = Addresses::new("https://square.example", "https://square.example/listen", "https://square.example");
    let origin = "https://square.example".to_owned();
    assert_eq!(addresses.media_origins(), (origin.clone(), origin));
}

#[test]
fn where_a_browser_gives_its_microphone() {
    let rows = [
        ("https://square.example", true),
        ("http://localhost:8080", true),
        ("http://square.localhost", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://192.168.1.5:8080", false),
        ("http://square.example", false),
        ("http://localhost.example", false),
    ];
    for (square, given) in rows {
        assert_eq!(Addresses::new(square, "http://r", "http://s").microphone(), given, "{square}");
    }
}
