//! Who comes in, and what strange visitors get.

use crate::world::{Stage, WALL, World, fragments, keys};
use base::journal::{Entry, What};
use base::{Epoch, EventId, FragmentNumber, Rung, UnixMillis, limit};
use gate::ticket::{Claims, Class, sign};
use programme::announcement::{Delay, Visibility};
use std::io::Write as _;
use std::time::Duration;

#[test]
fn a_private_event_asks_for_a_ticket() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Private, Delay::None);
    stage.seal(&[Rung::R64], 70);
    let second = u32::try_from(WALL / 1_000).unwrap();
    let ticket = |event: EventId, not_after: u32| {
        sign(&keys(), &Claims { event, class: Class::Listener, id: 1, not_before: second - 10, not_after })
    };
    let good = ticket(stage.id, second + 1_000);
    for (ticket, code) in [
        (ticket(EventId::from_random(9), second + 1_000), "bad-ticket"),
        (ticket(stage.id, second - 1), "ticket-expired"),
        (good.replace(&good[..3], "AAA"), "bad-ticket"),
        ("%00".to_owned(), "bad-ticket"),
    ] {
        assert_eq!(world.get(&stage.path(&format!("/t/{ticket}.mp4"))).problem(), (401, code.to_owned()));
    }
    for path in [".mp4", "/64.m3u8", "/init.mp4", "/64/s1.0.m4s"] {
        assert_eq!(world.get(&stage.path(path)).problem(), (401, "bad-ticket".to_owned()), "{path}");
    }
    let segment = world.get(&stage.path(&format!("/t/{good}/64/s1.0.m4s")));
    assert_eq!((segment.status(), segment.header("Cache-Control")), (200, Some("private, max-age=31536000, immutable")));
    assert_eq!(world.get(&stage.path(&format!("/t/{good}/64.m3u8"))).status(), 200);
    let mut client = world.ask("GET", &stage.path(&format!("/t/{good}.mp4?from=-1")), "");
    world.until("sound", |_| (fragments(client.body()).len() == 5).then_some(()));
    stage.end();
    assert_eq!(world.get(&format!("/replay/{}/t/{good}.m4a", stage.id)).status(), 200);
}

#[test]
fn what_is_announced_anew_before_the_first_sound_holds() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Public, Delay::None);
    let path = stage.path(".mp4");
    assert_eq!(world.get(&path).problem(), (404, "event-not-live".to_owned()), "the relay knows it from now on");
    let announcement = programme::Announcement::new(stage.id, "Town meeting", Visibility::Private, UnixMillis(WALL));
    // As the square writes it: another file takes its place, at another time.
    let file = stage.disk.join("event.json");
    std::fs::write(stage.disk.join("new"), announcement.text()).unwrap();
    let later = std::fs::metadata(&file).unwrap().modified().unwrap() + Duration::from_secs(1);
    std::fs::File::open(stage.disk.join("new")).unwrap().set_modified(later).unwrap();
    std::fs::rename(stage.disk.join("new"), &file).unwrap();
    world.until("the change", |world| (world.get(&path).problem().0 == 401).then_some(()));
    stage.seal(&[Rung::R64], 10);
    assert_eq!(world.get(&path).problem(), (401, "bad-ticket".to_owned()));
}

/// Where a private event is heard with the listener's ticket of this number.
fn private(stage: &Stage, id: u64) -> String {
    let second = u32::try_from(WALL / 1_000).unwrap();
    let claims = Claims { event: stage.id, class: Class::Listener, id, not_before: second - 10, not_after: second + 1_000 };
    stage.path(&format!("/t/{}.mp4", sign(&keys(), &claims)))
}

/// An entry of a journal.
fn record(what: What) -> Vec<u8> {
    programme::journal::record(&Entry { at: UnixMillis(WALL), what })
}

#[test]
fn a_barred_ticket_is_refused_and_its_streams_end() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Private, Delay::None);
    stage.seal(&[Rung::R64], 10);
    let paths = [7, 8].map(|id| private(&stage, id));
    let copies = paths.each_ref().map(|path| path.replace("/live/", "/copy/").replace(".mp4", "/64?from=0"));
    let mut clients = paths.each_ref().map(|path| world.ask("GET", path, ""));
    for client in &mut clients {
        world.until("sound", |_| (!fragments(client.body()).is_empty()).then_some(()));
    }
    let mut copying = copies.each_ref().map(|path| world.ask("GET", path, ""));
    for client in &mut copying {
        world.until("a copy", |_| (!client.body().is_empty()).then_some(()));
    }
    let load = |world: &World| (world.worker.load().streams, world.worker.load().connections);
    assert_eq!(load(&world), (2, 4));
    let opened = record(What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: String::new() });
    let banned = [9, 7].map(|ticket| record(What::Banned { ticket })).concat();
    std::fs::write(stage.disk.join("journal"), [opened, banned.clone()].concat()).unwrap();
    world.until("one of them is sent away", |world| (load(world) == (1, 2)).then_some(()));
    for path in [&paths[0], &copies[0]] {
        assert_eq!(world.get(path).problem(), (403, "barred".to_owned()));
    }
    // Another relay hears of it.
    world.until("the ban in the copy", |_| copying[1].body().windows(banned.len()).any(|part| part == banned).then_some(()));
    let before = clients[1].body().len();
    stage.seal(&[Rung::R64], 1);
    world.until("more sound", |_| (clients[1].body().len() > before).then_some(()));
    stage.end();
    world.settle();
    let replay = |path: &str| path.replace("/live/", "/replay/").replace(".mp4", ".m4a");
    assert_eq!(world.get(&replay(&paths[0])).problem(), (403, "barred".to_owned()), "nor the replay");
    assert_eq!(world.get(&replay(&paths[1])).status(), 200);
}

#[test]
fn a_journal_that_was_cut_back_hides_no_ban() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Private, Delay::None);
    stage.seal(&[Rung::R64], 10);
    let write = |tickets: &[u64]| {
        let records: Vec<u8> = tickets.iter().flat_map(|&ticket| record(What::Banned { ticket })).collect();
        std::fs::write(stage.disk.join("journal"), records).unwrap();
    };
    let mut client = world.ask("GET", &private(&stage, 8), "");
    write(&[5, u64::MAX]);
    world.until("the first is barred", |world| (world.get(&private(&stage, 5)).problem().0 == 403).then_some(()));
    assert!(!fragments(client.body()).is_empty());
    // The last entry could not be kept after all; where it ended there is the middle of another now.
    write(&[5, 6, 7, 8]);
    world.until("nobody hears it", |world| (world.worker.load().streams == 0).then_some(()));
    assert_eq!(world.get(&private(&stage, 8)).problem(), (403, "barred".to_owned()));
}

#[test]
fn a_crowd_may_come_with_the_hosts_ticket_alone() {
    let mut world = World::new();
    let stage = world.live(5);
    let second = u32::try_from(WALL / 1_000).unwrap();
    let ticket = |event: EventId, class: Class| sign(&keys(), &Claims { event, class, id: 1, not_before: second - 10, not_after: second });
    for (method, ticket, allowed) in [
        ("HEAD", ticket(stage.id, Class::Host), Some("allowed")),
        ("HEAD", ticket(stage.id, Class::Speaker), None),
        ("HEAD", ticket(EventId::from_random(9), Class::Host), None),
        ("HEAD", "rubbish".to_owned(), None),
    ] {
        let answer = world.fetch(method, &stage.path(".mp4"), &format!("Authorization: Bearer {ticket}\r\n"));
        assert_eq!((answer.status(), answer.header("Townsquare-Rehearsal")), (200, allowed));
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let mut world = World::new();
    let stage = world.live(5);
    let rows = [
        ("GET", "/".to_owned(), 404, "not-found"),
        ("GET", "/live/zzzzzzzzzzzz.mp4".to_owned(), 404, "event-unknown"),
        ("GET", "/live/x.mp4".to_owned(), 404, "event-unknown"),
        ("GET", stage.path(".mp4?from=soon"), 400, "bad-request"),
        ("POST", stage.path(".mp4"), 405, "method-not-allowed"),
    ];
    for (method, target, status, code) in rows {
        let answer = world.fetch(method, &target, "");
        assert_eq!(answer.problem(), (status, code.to_owned()), "{target}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    }
    assert_eq!(world.metric("refused_total"), 5);
}

#[test]
fn an_event_that_ended_before_it_went_live_is_over() {
    let mut world = World::new();
    let stage = world.announce(Visibility::Public, Delay::None);
    assert_eq!(world.get(&stage.path(".mp4")).problem(), (404, "event-not-live".to_owned()));
    let ended = Entry { at: UnixMillis(WALL), what: What::Ended { end: FragmentNumber(0), heard: None } };
    std::fs::write(stage.disk.join("journal"), programme::journal::record(&ended)).unwrap();
    world.settle();
    for target in [stage.path(".mp4"), stage.path("/main.m3u8"), stage.path("/64.m3u8"), format!("/replay/{}.m4a", stage.id)] {
        assert_eq!(world.get(&target).problem(), (410, "event-ended".to_owned()), "{target}");
    }
}

#[test]
fn every_origin_may_ask() {
    let mut world = World::new();
    let stage = world.live(5);
    let answer = world.fetch("OPTIONS", &stage.path(".mp4"), "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n");
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET, HEAD, OPTIONS"));
    let exposed = answer.header("Access-Control-Expose-Headers").unwrap();
    assert!(["ETag", "Content-Range", "Townsquare-Edge", "Retry-After"].iter().all(|name| exposed.contains(name)));
}

#[test]
fn listeners_count_and_the_rest_does_not() {
    let mut world = World::new();
    let stage = world.live(5);
    let head = world.fetch("HEAD", &stage.path(".mp4"), "");
    assert_eq!((head.status(), head.header("Townsquare-Edge")), (200, Some("1.4")));
    let mut clients: Vec<_> = ["", "", "Purpose: prefetch\r\n", "Sec-Purpose: prefetch;prerender\r\n"]
        .iter()
        .map(|headers| world.ask("GET", &stage.path(".mp4?from=-1"), headers))
        .collect();
    world.until("sound for all", |_| clients.iter_mut().all(|client| !fragments(client.body()).is_empty()).then_some(()));
    let now = world.now();
    assert_eq!(world.worker.listening(now), [(stage.id, vec![(Rung::R64, 2)])]);
    clients.clear();
    world.until("they are gone", |world| (world.worker.load().connections == 0).then_some(()));
    assert_eq!(world.worker.listening(now), [(stage.id, vec![])]);
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let mut world = World::new();
    let stage = world.live(40);
    let mut client = world.connect();
    let ask = |rest: &str| format!("GET {} HTTP/1.1\r\n\r\n", stage.path(rest));
    client.send(&[ask("/init.mp4"), ask("/64/s1.0.m4s"), ask("/nothing"), ask("/init.mp4")].concat());
    for status in [200, 200, 404, 200] {
        assert_eq!(world.until("an answer", |_| client.response(false)).status(), status);
    }
    client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    world.until("the end", |_| {
        client.read();
        client.closed.then_some(())
    });
}

#[test]
fn what_is_no_request_is_refused_and_closed() {
    let mut world = World::new();
    let garbage: [(&[u8], u16); 4] = [
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (&[b'a'; 2 * limit::REQUEST_HEAD_BYTES_MAX], 431),
    ];
    for (bytes, status) in garbage {
        let mut client = world.connect();
        client.stream.write_all(bytes).unwrap();
        assert_eq!(world.until("an answer", |_| client.response(false)).problem().0, status);
        world.until("the end", |_| {
            client.read();
            client.closed.then_some(())
        });
    }
    assert_eq!(world.metric("panics_total"), 0);
}

#[test]
fn who_does_not_finish_a_request_is_closed() {
    let mut world = World::new();
    let mut client = world.connect();
    client.send("GET / HTTP/1.1\r\n");
    world.until("the connection", |world| (world.worker.load().connections == 1).then_some(()));
    world.settle();
    assert_eq!(world.worker.load().connections, 1);
    world.skipped += Duration::from_millis(limit::REQUEST_HEAD_MILLIS_MAX);
    world.until("it is closed", |world| (world.worker.load().connections == 0).then_some(()));
}

#[test]
fn an_event_nobody_asks_for_is_closed() {
    let mut world = World::new();
    let stage = world.live(5);
    world.get(&stage.path("/init.mp4"));
    assert_eq!(world.worker.load().events, 1);
    world.skipped += Duration::from_secs(60);
    world.until("it is closed", |world| (world.worker.load().events == 0).then_some(()));
}

#[test]
fn every_answer_says_when_it_was_sent() {
    let mut world = World::new();
    let stage = world.live(5);
    for (method, target, status) in [("GET", stage.path("/main.m3u8"), 200), ("OPTIONS", "/".to_owned(), 204), ("GET", "/".to_owned(), 404)]
    {
        let answer = world.fetch(method, &target, "");
        assert_eq!(answer.status(), status);
        assert!(answer.header("Date").is_some_and(|date| date.starts_with("Fri, 21 Nov 2025 00:0")), "{}", answer.head);
    }
    let mut client = world.ask("GET", &stage.path(".mp4"), "");
    world.until("sound", |_| (!fragments(client.body()).is_empty()).then_some(()));
    let head = String::from_utf8_lossy(&client.received);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nDate: Fri, 21 Nov 2025 00:0") && head.contains(" GMT\r\n"));
    let mut garbage = world.connect();
    garbage.send("\x16\r\n\r\n");
    let answer = world.until("an answer", |_| garbage.response(false));
    assert_eq!((answer.status(), answer.header("Date").is_some()), (400, true));
}

#[test]
fn who_comes_when_the_event_goes_live_waits_for_its_first_fragment() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Public, Delay::None);
    assert_eq!(world.get(&stage.path(".mp4")).problem(), (404, "event-not-live".to_owned()));
    let journal = |what: What| {
        let mut bytes = std::fs::read(stage.disk.join("journal")).unwrap_or_default();
        bytes.extend(programme::journal::record(&Entry { at: UnixMillis(WALL), what }));
        std::fs::write(stage.disk.join("journal"), bytes).unwrap();
    };
    journal(What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "boot".into() });
    let mut early = world.ask("GET", &stage.path(".mp4"), "");
    let mut playlist = world.ask("GET", &stage.path("/64.m3u8"), "");
    world.until("both are held", |world| (world.worker.load().held == 2).then_some(()));
    world.skipped += Duration::from_millis(limit::OPENING_HOLD_MILLIS_MAX);
    for client in [&mut early, &mut playlist] {
        let answer = world.until("patience ends", |_| client.response(false));
        assert_eq!(answer.problem(), (404, "event-not-live".to_owned()));
    }
    let mut listener = world.ask("GET", &stage.path(".mp4"), "");
    world.until("it is held", |world| (world.worker.load().held == 1).then_some(()));
    stage.seal(&[Rung::R64], 1);
    world.until("sound", |_| (fragments(listener.body()) == [(0, 160)]).then_some(()));
}

#[test]
fn who_waits_for_an_event_that_ends_unheard_is_told() {
    let mut world = World::new();
    let stage = world.announce(Visibility::Public, Delay::None);
    let entry = |what| programme::journal::record(&Entry { at: UnixMillis(WALL), what });
    let opened = entry(What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "boot".into() });
    std::fs::write(stage.disk.join("journal"), &opened).unwrap();
    let mut client = world.ask("GET", &stage.path(".mp4"), "");
    world.until("it is held", |world| (world.worker.load().held == 1).then_some(()));
    std::fs::write(stage.disk.join("journal"), [opened, entry(What::Ended { end: FragmentNumber(0), heard: None })].concat()).unwrap();
    assert_eq!(world.until("an answer", |_| client.response(false)).problem(), (410, "event-ended".to_owned()));
}
