//! The replay.

use crate::world::{WALL, World, keys, packet};
use base::{EventId, FragmentNumber, MediaTime, Rung};
use gate::ticket::{Claims, Class, sign};
use programme::announcement::{Delay, Visibility};
use programme::cuts::{Cut, Cuts};
use std::io::Write as _;
use std::path::Path;

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
    assert_eq!(whole.header("Cache-Control"), Some("public, max-age=60"));
    let for_ever = Some("public, max-age=31536000, immutable");
    assert_eq!(world.get(&format!("{path}?cuts=0")).header("Cache-Control"), for_ever);
    assert_ne!(world.get(&format!("{path}?cuts=1")).header("Cache-Control"), for_ever);
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

fn frames(slots: std::ops::Range<u64>) -> Vec<u8> {
    (slots.start * 10..slots.end * 10).flat_map(|frame| packet(Rung::R64, MediaTime(frame * 960))).collect()
}

fn ticket(event: EventId, class: Class) -> String {
    let second = u32::try_from(WALL / 1_000).unwrap();
    sign(&keys(), &Claims { event, class, id: 1, not_before: second - 10, not_after: second + 1_000 })
}

fn cut(directory: &Path, from: u64, to: u64) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(directory.join("cuts")).unwrap();
    file.write_all(&Cuts::record(Cut { from: FragmentNumber(from), to: FragmentNumber(to) })).unwrap();
}

#[test]
fn a_clip_is_the_very_bytes_of_the_recording() {
    let mut world = World::new();
    let mut stage = world.live(300);
    let path = format!("/replay/{}/clip/40-90.m4a", stage.id);
    assert_eq!(world.get(&path).problem(), (404, "media-gone".to_owned()));
    stage.end();
    world.settle();
    let clip = world.get(&path);
    assert_eq!((clip.status(), clip.header("Content-Type")), (200, Some("audio/mp4")));
    assert!(clip.body.ends_with(&frames(40..90)) && clip.body.len() < 50 * 1_600 + 2_000);
    let length = clip.body.len();
    let part = world.fetch("GET", &path, "Range: bytes=5000-5999\r\n");
    assert_eq!((part.status(), part.header("Content-Range")), (206, Some(format!("bytes 5000-5999/{length}").as_str())));
    assert!(part.body == clip.body[5_000..6_000]);
    let other = world.get(&format!("/replay/{}/clip/41-90.m4a", stage.id));
    assert_ne!(other.header("ETag"), clip.header("ETag"));
    let late = world.get(&format!("/replay/{}/clip/250-400.m4a", stage.id));
    assert!(late.body.ends_with(&frames(250..300)), "it ends with the event");
    assert_eq!(world.get(&format!("/replay/{}/clip/300-400.m4a", stage.id)).status(), 404);
}

#[test]
fn what_is_trimmed_away_is_in_no_file() {
    let mut world = World::new();
    let mut stage = world.live(300);
    stage.end();
    let path = format!("/replay/{}.m4a", stage.id);
    let whole = world.get(&path);
    cut(&stage.disk, 0, 50);
    cut(&stage.disk, 250, 300);
    let trimmed =
        world.until("the cuts are seen", |world| Some(world.get(&path)).filter(|now| now.body.len() < whole.body.len() - 150_000));
    assert!(trimmed.body.ends_with(&frames(50..250)));
    assert_ne!(trimmed.header("ETag"), whole.header("ETag"));
    let clip = world.get(&format!("/replay/{}/clip/40-60.m4a", stage.id));
    assert!(clip.body.ends_with(&frames(50..60)) && clip.body.len() < 12 * 1_600, "a clip has no more than the replay");
}

#[test]
fn a_hidden_recording_is_the_host_s_and_a_deleted_one_nobody_s() {
    let mut world = World::new();
    let mut stage = world.live(60);
    stage.end();
    world.settle();
    let id = stage.id;
    let (host, listener) = (ticket(id, Class::Host), ticket(id, Class::Listener));
    let open = [format!("/replay/{id}.m4a"), format!("/replay/{id}/t/{listener}.m4a"), stage.path("/64.m3u8"), format!("/copy/{id}/64")];
    let own = format!("/replay/{id}/t/{host}.m4a");
    assert_eq!(world.get(&open[0]).status(), 200);
    std::fs::write(stage.disk.join("withheld"), "hidden\n").unwrap();
    world.until("it is hidden", |world| (world.get(&open[0]).status() == 410).then_some(()));
    for path in &open {
        assert_eq!(world.get(path).problem(), (410, "replay-withheld".to_owned()), "{path}");
    }
    assert_eq!(world.get(&own).status(), 200);
    std::fs::remove_file(stage.disk.join("withheld")).unwrap();
    world.until("it is shown again", |world| (world.get(&open[0]).status() == 200).then_some(()));
    std::fs::write(stage.disk.join("withheld"), "deleted\n").unwrap();
    for rung in ["64.mp4", "64.idx"] {
        std::fs::remove_file(stage.disk.join(rung)).unwrap();
    }
    world.until("it is gone for the host too", |world| (world.get(&own).status() == 404).then_some(()));
    assert_eq!(world.get(&open[0]).problem(), (410, "replay-withheld".to_owned()));
}

#[test]
fn an_mp3_is_served_like_the_replay() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Private, Delay::None);
    stage.seal(&[Rung::R64], 30);
    stage.end();
    world.settle();
    let bare = format!("/replay/{}.mp3", stage.id);
    let path = format!("/replay/{}/t/{}.mp3", stage.id, ticket(stage.id, Class::Listener));
    assert_eq!(world.get(&path).problem(), (404, "media-gone".to_owned()));
    let bytes: Vec<u8> = (0..200_000u32).map(|nth| (nth % 251) as u8).collect();
    std::fs::write(stage.disk.join("replay.mp3"), &bytes).unwrap();
    assert_eq!(world.get(&bare).problem(), (401, "bad-ticket".to_owned()));
    let whole = world.get(&path);
    assert_eq!((whole.status(), whole.header("Content-Type")), (200, Some("audio/mpeg")));
    assert!(whole.body == bytes);
    let part = world.fetch("GET", &path, "Range: bytes=-1000\r\n");
    assert!(part.status() == 206 && part.body == bytes[199_000..]);
}
