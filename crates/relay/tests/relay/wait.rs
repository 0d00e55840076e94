//! Who comes before the event begins: few requests, and the beginning heard at once.

use crate::world::{Client, Stage, WALL, World};
use base::{Rung, UnixMillis, limit};
use programme::Announcement;
use programme::announcement::{Delay, Visibility};
use std::time::Duration;

/// An event whose doors open so many seconds after the world begins.
fn opens_in(world: &World, seconds: u64) -> Stage {
    let stage = world.announce(Visibility::Public, Delay::None);
    let path = stage.disk.join("event.json");
    let mut announcement = Announcement::read(&std::fs::read(&path).unwrap()).unwrap();
    announcement.plan.doors_minutes = 15;
    announcement.start_at = Some(UnixMillis(WALL + 15 * 60_000 + i64::try_from(seconds * 1_000).unwrap()));
    std::fs::write(path, announcement.text()).unwrap();
    stage
}

fn waits(world: &mut World, method: &str, stage: &Stage) -> Client {
    let held = world.worker.load().held;
    let client = world.ask(method, &stage.path(".mp4?from=-1&wait=1"), "");
    world.until("held", |world| (world.worker.load().held == held + 1).then_some(()));
    client
}

fn retry(answer: &crate::world::Response) -> u64 {
    assert_eq!(answer.problem(), (404, "event-not-live".to_owned()));
    answer.header("Retry-After").unwrap().parse().unwrap()
}

#[test]
fn who_waits_asks_once_and_hears_the_beginning() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Public, Delay::None);
    // A player that says nothing of waiting is answered as ever.
    assert_eq!(retry(&world.get(&stage.path(".mp4?from=-1"))), 2);
    let (mut listener, mut probe) = (waits(&mut world, "GET", &stage), waits(&mut world, "HEAD", &stage));
    let before = world.metric("requests_total");
    world.skipped += Duration::from_millis(limit::WAITING_HOLD_MILLIS_MAX - 2_000);
    world.settle();
    assert!(listener.response(false).is_none() && probe.response(true).is_none());
    let now = world.now();
    assert_eq!(world.worker.listening(now), [], "who waits does not listen yet");
    stage.seal(&[Rung::R64], 2);
    world.until("sound", |_| (!crate::world::fragments(listener.body()).is_empty()).then_some(()));
    assert_eq!(world.until("an answer", |_| probe.response(true)).status(), 200);
    assert_eq!(world.metric("requests_total"), before);
}

#[test]
fn a_wait_ends_before_proxies_end_it() {
    let mut world = World::new();
    let stage = opens_in(&world, 60);
    let mut listener = waits(&mut world, "GET", &stage);
    world.skipped += Duration::from_millis(limit::WAITING_HOLD_MILLIS_MAX);
    let answer = world.until("an answer", |_| listener.response(false));
    assert_eq!(retry(&answer), 1);
    // The connection is kept for the next request.
    listener.send(&format!("GET {} HTTP/1.1\r\n\r\n", stage.path(".mp4?from=-1&wait=1")));
    world.until("held again", |world| (world.worker.load().held == 1).then_some(()));
}

#[test]
fn long_before_the_doors_nobody_holds_a_connection() {
    let mut world = World::new();
    for (ahead, seconds) in [(86_400, limit::WAITING_LOOK_SECONDS_MAX), (limit::WAITING_NEAR_MILLIS / 1_000 + 30, 30)] {
        let stage = opens_in(&world, ahead);
        for target in [".mp4", ".mp4?wait=1", "/main.m3u8"] {
            let answer = world.get(&stage.path(target));
            let least = if target.contains("wait") { seconds.max(limit::WAITING_CROWDED_SECONDS) } else { seconds };
            assert!((least - 1..=least).contains(&retry(&answer)), "{target}: {}", answer.head);
        }
    }
}

#[test]
fn at_a_worker_that_fills_up_who_waits_holds_nothing() {
    let mut world = World::with_descriptors(60);
    let stage = world.announce(Visibility::Public, Delay::None);
    let mut waiting = waits(&mut world, "GET", &stage);
    let crowd: Vec<_> = (0..26).map(|_| world.connect()).collect();
    world.until("they are in", |world| (world.worker.load().connections > crowd.len()).then_some(()));
    world.skipped += Duration::from_secs(1);
    world.turn();
    assert_eq!(retry(&world.get(&stage.path(".mp4?wait=1"))), limit::WAITING_CROWDED_SECONDS);
    assert!(waiting.response(false).is_none(), "who waits already goes on waiting");
}

#[test]
fn what_never_begins_is_over_for_who_waits() {
    let mut world = World::new();
    let stage = world.announce(Visibility::Public, Delay::None);
    let mut listener = waits(&mut world, "GET", &stage);
    let ended =
        base::journal::Entry { at: UnixMillis(WALL), what: base::journal::What::Ended { end: base::FragmentNumber(0), heard: None } };
    std::fs::write(stage.disk.join("journal"), programme::journal::record(&ended)).unwrap();
    assert_eq!(world.until("an answer", |_| listener.response(false)).problem(), (410, "event-ended".to_owned()));
}
