//! The replay.

use crate::world::{World, packet};
use base::{MediaTime, Rung};

#[test]
fn any_range_of_the_replay_is_that_part_of_the_whole() {
    let mut world = World::new();
    let mut stage = world.live(300);
    let path = format!("/replay/{}.m4a", stage.id);
    assert_eq!(world.get(&path).problem(), (404, "media-gone".to_owned()));
    stage.end();
    world.settle();
    let whole = world.get(&path);
    let length = whole.body.len();
    assert_eq!((whole.status(), whole.header("Accept-Ranges")), (200, Some("bytes")));
    let frames: Vec<u8> = (0..3_000).flat_map(|frame| packet(Rung::R64, MediaTime(frame * 960))).collect();
    assert!(whole.body.ends_with(&frames) && length - frames.len() < 50_000);
    let rows = [
        ("0-".to_owned(), 0, length),
        ("0-0".to_owned(), 0, 1),
        ("100-199".to_owned(), 100, 200),
        (format!("{}-", length - 5_000), length - 5_000, length),
        ("-777".to_owned(), length - 777, length),
        (format!("300000-{}", length * 2), 300_000, length),
    ];
    for (range, from, to) in rows {
        let part = world.fetch("GET", &path, &format!("Range: bytes={range}\r\n"));
        assert_eq!(
            (part.status(), part.header("Content-Range")),
            (206, Some(format!("bytes {from}-{}/{length}", to - 1).as_str())),
            "{range}"
        );
        assert!(part.body == whole.body[from..to], "{range}");
    }
    let outside = world.fetch("GET", &path, &format!("Range: bytes={length}-\r\n"));
    assert_eq!((outside.problem().0, outside.header("Content-Range")), (416, Some(format!("bytes */{length}").as_str())));
}

#[test]
fn conditions_come_before_ranges() {
    let mut world = World::new();
    let mut stage = world.live(50);
    stage.end();
    let path = format!("/replay/{}.m4a", stage.id);
    let head = world.fetch("HEAD", &path, "");
    let etag = head.header("ETag").unwrap().to_owned();
    let whole = world.get(&path);
    assert_eq!(head.header("Content-Length"), whole.header("Content-Length"));
    assert_eq!(whole.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
    let status = |world: &mut World, headers: &str| world.fetch("GET", &path, headers).status();
    assert_eq!(status(&mut world, &format!("If-None-Match: W/{etag}\r\nRange: bytes=0-9\r\n")), 304);
    assert_eq!(status(&mut world, &format!("If-Range: {etag}\r\nRange: bytes=0-9\r\n")), 206);
    assert_eq!(status(&mut world, "If-Range: \"other\"\r\nRange: bytes=0-9\r\n"), 200);
    assert_eq!(status(&mut world, "Range: bytes=0-1,5-6\r\n"), 200);
    let download = world.get(&format!("{path}?download=T%C3%B6wn%0d%0aX:y%22.m4a"));
    assert_eq!(download.header("Content-Disposition"), Some("attachment; filename=\"T_wnX_y_.m4a\"; filename*=UTF-8''T%C3%B6wnX_y_.m4a"));
}

#[test]
fn a_long_replay_is_sent_as_the_reader_takes_it() {
    let mut world = World::new();
    let mut stage = world.live(9_000);
    stage.end();
    let mut client = world.ask("GET", &format!("/replay/{}.m4a", stage.id), "");
    // It is asked for and nothing is read: the worker goes on with others and holds next to nothing.
    for _ in 0..50 {
        world.turn();
    }
    let other = world.live(5);
    assert_eq!(world.get(&other.path("/init.mp4")).status(), 200);
    assert!(world.metric("sent_bytes_total") < 14_000_000);
    let whole = world.until("all of it", |_| client.response(false));
    assert!(whole.body.len() > 14_400_000 && whole.body.ends_with(&packet(Rung::R64, MediaTime(89_999 * 960))));
}
