//! A worker whose descriptors run out leaves newcomers to others, or to the queue of the socket, and keeps those it has.

use crate::world::{Client, World};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::process::Command;
use std::time::Duration;

/// Of twenty descriptors a worker keeps sixteen for itself; the nineteenth is the 95th percent.
const DESCRIPTORS: usize = 20;
const CONNECTIONS: usize = 3;

fn is_answered(client: &mut Client) -> bool {
    client.response(false).is_some_and(|answer| answer.status() == 404)
}

#[test]
fn a_full_worker_accepts_again_once_somebody_has_left() {
    let mut world = World::with_descriptors(DESCRIPTORS);
    let mut clients: Vec<Client> = (0..CONNECTIONS + 2).map(|_| world.ask("GET", "/", "")).collect();
    world.until("it is full", |world| world.worker.load().full.then_some(()));
    world.skipped += Duration::from_secs(2);
    world.turn();
    let load = world.worker.load();
    assert_eq!((load.connections, load.full, world.metric("accept_pauses_total")), (CONNECTIONS, true, 1));
    let mut waiting = clients.split_off(CONNECTIONS);
    world.until("those inside are served", |_| clients.iter_mut().all(is_answered).then_some(()));
    assert!(waiting.iter_mut().all(|client| client.response(false).is_none()));
    clients.truncate(1);
    world.until("those who waited are served", |world| {
        world.skipped += Duration::from_millis(500);
        waiting.retain_mut(|client| !is_answered(client));
        waiting.is_empty().then_some(())
    });
}

#[test]
fn what_a_full_worker_leaves_another_takes() {
    let mut world = World::with_descriptors(DESCRIPTORS);
    world.add_worker();
    let mut clients: Vec<Client> = (0..3 * CONNECTIONS).map(|_| world.ask("GET", "/", "")).collect();
    let mut unanswered: Vec<&mut Client> = clients.iter_mut().collect();
    world.until("everybody is served", |_| {
        unanswered.retain_mut(|client| !is_answered(client));
        unanswered.is_empty().then_some(())
    });
    let (one, other) = (world.worker.load().connections, world.others[0].load().connections);
    assert_eq!(one + other, 3 * CONNECTIONS);
    assert!(one <= CONNECTIONS && other >= 2 * CONNECTIONS, "{one} and {other}");
}

/// Descriptors are the whole process's, so this runs in one of its own.
#[test]
fn a_system_without_descriptors_costs_nobody_their_place() {
    const ALONE: &str = "TOWNSQUARE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut itself = Command::new(std::env::current_exe().unwrap());
        let name = "full::a_system_without_descriptors_costs_nobody_their_place";
        assert!(itself.args(["--exact", name]).env(ALONE, "1").status().unwrap().success());
        return;
    }
    let mut world = World::with_descriptors(1_000_000);
    let mut inside = world.ask("GET", "/", "");
    world.until("the first is served", |_| is_answered(&mut inside).then_some(()));
    let mut outside = world.ask("GET", "/", "");
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) }).unwrap();
    let fill: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    world.until("it leaves newcomers alone", |world| world.worker.load().full.then_some(()));
    inside.send("GET / HTTP/1.1\r\nHost: relay\r\n\r\n");
    world.until("the first is still served", |_| is_answered(&mut inside).then_some(()));
    assert!(outside.response(false).is_none());
    drop(fill);
    world.skipped += Duration::from_secs(2);
    world.until("the second is served", |_| is_answered(&mut outside).then_some(()));
}
