//! LL-HLS.

use crate::world::{Stage, World, fragments};
use base::{Rung, limit};
use programme::announcement::{Delay, Visibility};
use programme::init;
use std::time::Duration;

/// The values of `URI="…"` in the lines with a tag.
fn uris<'a>(playlist: &'a str, tag: &str) -> Vec<&'a str> {
    playlist.lines().filter(|line| line.starts_with(tag)).filter_map(|line| line.split("URI=\"").nth(1)?.split('"').next()).collect()
}

fn segments(playlist: &str) -> Vec<&str> {
    playlist.lines().filter(|line| line.ends_with(".m4s")).collect()
}

/// A rung's fragments without its init segment.
fn media(stage: &Stage, rung: Rung) -> Vec<u8> {
    stage.file(rung)[init::segment().len()..].to_vec()
}

#[test]
fn playlists_lead_to_the_bytes_of_the_file() {
    let mut world = World::new();
    let stage = world.live(70);
    let main = world.get(&stage.path("/main.m3u8"));
    assert_eq!(main.header("Content-Type"), Some("application/vnd.apple.mpegurl"));
    assert!(main.text().contains("64.m3u8") && main.text().contains("16.m3u8"));
    let playlist = world.get(&stage.path("/64.m3u8"));
    assert!(playlist.body.len() < limit::PLAYLIST_BYTES_MAX);
    assert_eq!(playlist.header("Cache-Control"), Some("public, max-age=1"));
    let init = world.get(&stage.path("/init.mp4"));
    assert_eq!(init.body, init::segment());
    let mut whole = Vec::new();
    for segment in segments(playlist.text()) {
        let answer = world.get(&stage.path(&format!("/{segment}")));
        assert_eq!(answer.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        let etag = answer.header("ETag").unwrap();
        let again = world.fetch("GET", &stage.path(&format!("/{segment}")), &format!("If-None-Match: {etag}\r\n"));
        assert_eq!((again.status(), again.header("ETag")), (304, Some(etag)));
        whole.extend(answer.body);
    }
    // The parts behind the last whole segment: slots 60 to 69.
    for part in ["64/p1.60.m4s", "64/p1.63.m4s", "64/p1.66.m4s"] {
        assert!(uris(playlist.text(), "#EXT-X-PART:").contains(&part), "{}", playlist.text());
        whole.extend(world.get(&stage.path(&format!("/{part}"))).body);
    }
    let all = media(&stage, Rung::R64);
    assert!(all.starts_with(&whole));
    assert_eq!(fragments(&[init::segment(), &whole].concat()).len(), 69);
}

#[test]
fn a_blocking_reload_and_a_hinted_part_are_held_until_they_are_sealed() {
    let mut world = World::new();
    let mut stage = world.live(60);
    let playlist = world.get(&stage.path("/64.m3u8"));
    let hint = uris(playlist.text(), "#EXT-X-PRELOAD-HINT")[0].to_owned();
    let mut blocked: Vec<_> = (0..3).map(|_| world.ask("GET", &stage.path("/64.m3u8?_HLS_msn=2&_HLS_part=0"), "")).collect();
    let mut hinted = world.ask("GET", &stage.path(&format!("/{hint}")), "");
    world.until("all held", |world| (world.worker.load().held == 4).then_some(()));
    stage.seal(&[Rung::R64], 2);
    world.settle();
    assert!(hinted.response(false).is_none() && blocked[0].response(false).is_none());
    stage.seal(&[Rung::R64], 1);
    let part = world.until("the part", |_| hinted.response(false));
    let all = media(&stage, Rung::R64);
    assert!(part.status() == 200 && all.ends_with(&part.body) && fragments(&[init::segment(), &part.body].concat()).len() == 3);
    for client in &mut blocked {
        let answer = world.until("the playlist", |_| client.response(false));
        assert!(answer.text().contains(&hint) && !uris(answer.text(), "#EXT-X-PRELOAD-HINT").contains(&hint.as_str()), "{}", answer.text());
        assert_eq!(answer.header("Cache-Control"), Some("public, max-age=6"));
    }
    // The connections are kept and the next request is held again.
    for client in &mut blocked {
        client.send(&format!("GET {} HTTP/1.1\r\n\r\n", stage.path("/64.m3u8?_HLS_msn=2&_HLS_part=1&_HLS_skip=YES")));
    }
    world.until("held again", |world| (world.worker.load().held == 3).then_some(()));
    assert_eq!(world.worker.load().hls_clients, 3, "behind one address");
    stage.end();
    for client in &mut blocked {
        assert!(world.until("the end", |_| client.response(false)).text().contains("#EXT-X-ENDLIST"));
    }
}

#[test]
fn who_waits_for_nothing_is_told() {
    let mut world = World::new();
    let stage = world.live(60);
    let mut client = world.ask("GET", &stage.path("/64.m3u8?_HLS_msn=2"), "");
    world.until("held", |world| (world.worker.load().held == 1).then_some(()));
    world.skipped += Duration::from_millis(limit::HOLD_MILLIS_MAX);
    let answer = world.until("an answer", |_| client.response(false));
    assert_eq!(answer.problem(), (503, "role-down".to_owned()));
    assert_eq!(world.get(&stage.path("/64.m3u8?_HLS_msn=90")).problem(), (400, "bad-request".to_owned()));
}

#[test]
fn pieces_that_are_not_there_are_gone() {
    let mut world = World::new();
    let stage = world.live(60);
    for piece in ["s1.900.m4s", "s2.0.m4s", "s1.7.m4s", "p1.600.m4s", "s1.0.1.m4s"] {
        assert_eq!(world.get(&stage.path(&format!("/64/{piece}"))).problem(), (404, "media-gone".to_owned()), "{piece}");
    }
    let waiting = world.announce(Visibility::Public, Delay::None);
    for file in ["/main.m3u8", "/64.m3u8", ".mp4"] {
        let answer = world.get(&waiting.path(file));
        assert_eq!((answer.problem(), answer.header("Retry-After")), ((404, "event-not-live".to_owned()), Some("2")), "{file}");
    }
}

#[test]
fn hls_clients_count_for_a_while() {
    let mut world = World::new();
    let stage = world.live(60);
    world.get(&stage.path("/32.m3u8"));
    world.fetch("HEAD", &stage.path("/32.m3u8"), "User-Agent: head\r\n");
    world.fetch("GET", &stage.path("/32.m3u8"), "User-Agent: fetcher\r\nPurpose: prefetch\r\n");
    world.fetch("GET", &stage.path("/64.m3u8"), "X-Forwarded-For: 192.0.2.1\r\n");
    let now = world.now();
    assert_eq!(world.worker.listening(now), [(stage.id, vec![(Rung::R64, 1), (Rung::R32, 1)])]);
    assert_eq!(world.worker.listening(now), []);
    world.skipped += Duration::from_secs(11);
    world.turn();
    let now = world.now();
    assert_eq!(world.worker.listening(now), [(stage.id, vec![])]);
}

#[test]
fn who_closes_the_page_while_a_reload_is_held_is_gone() {
    let mut world = World::new();
    let stage = world.live(60);
    let target = stage.path("/64.m3u8?_HLS_msn=2&_HLS_part=0");
    // Idle connections of the same browser stay open, as they do when a page is closed.
    let mut idle = world.ask("GET", &stage.path("/64.m3u8"), "");
    world.until("a playlist", |_| idle.response(false));
    let players: Vec<_> = (0..3).map(|_| world.ask("GET", &target, "")).collect();
    world.until("all held", |world| (world.worker.load().held == 3).then_some(()));
    let listening = |world: &mut World| {
        let now = world.now();
        world.worker.listening(now)
    };
    assert_eq!(listening(&mut world), [(stage.id, vec![(Rung::R64, 3)])]);
    drop(players);
    world.until("broken off", |world| (world.worker.load().held == 0).then_some(()));
    world.skipped += Duration::from_millis(600);
    assert_eq!(listening(&mut world), [(stage.id, vec![])]);
}

#[test]
fn who_closes_the_connections_that_it_kept_is_gone() {
    let mut world = World::new();
    let stage = world.live(60);
    let target = stage.path("/64.m3u8");
    let mut player = world.ask("GET", &target, "");
    world.until("a playlist", |_| player.response(false));
    player.send(&format!("GET {target} HTTP/1.1\r\n\r\n"));
    world.until("another", |_| player.response(false));
    assert_eq!(world.worker.load().hls_clients, 1);
    drop(player);
    world.until("closed", |world| (world.worker.load().connections == 0).then_some(()));
    world.skipped += Duration::from_millis(600);
    world.turn();
    assert_eq!(world.worker.load().hls_clients, 0);
}

#[test]
fn a_crowd_of_players_shares_what_is_rendered_once() {
    let mut world = World::new();
    let mut stage = world.live(60);
    let target = stage.path("/64.m3u8?_HLS_msn=2&_HLS_part=0");
    // More than one turn answers, but no more at once than wait in the accept queue.
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.extend((0..100).map(|_| world.ask("GET", &target, "")));
        world.until("all held", |world| (world.worker.load().held == clients.len()).then_some(()));
    }
    assert_eq!(world.metric("playlists_rendered_total"), 0);
    stage.seal(&[Rung::R64], 2);
    world.settle();
    assert_eq!((world.worker.load().held, world.metric("playlists_rendered_total")), (300, 0), "nothing of it is there yet");
    stage.seal(&[Rung::R64], 1);
    let first = world.until("the playlist", |_| clients[0].response(false));
    for client in &mut clients[1..] {
        assert_eq!(world.until("the playlist", |_| client.response(false)).body, first.body);
    }
    assert_eq!((world.worker.load().held, world.metric("playlists_rendered_total")), (0, 1));
    world.get(&stage.path("/64.m3u8?_HLS_msn=2&_HLS_part=0&_HLS_skip=YES"));
    world.get(&stage.path("/32.m3u8"));
    world.get(&stage.path("/64.m3u8"));
    assert_eq!(world.metric("playlists_rendered_total"), 3, "shortened, another rung, and the same again");
}
