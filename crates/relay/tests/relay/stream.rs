//! The endless stream.

use crate::world::{World, fragments};
use base::{FragmentNumber, Rung, limit};
use programme::announcement::{Delay, Visibility};
use programme::cuts::{Cut, Cuts};
use programme::{fragment, init};
use std::time::Duration;

#[test]
fn a_stream_is_the_file_to_the_byte_and_ends_with_it() {
    let mut world = World::new();
    let mut stage = world.live(7);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "Range: bytes=0-\r\nCookie: a=b\r\n");
    world.until("what there is", |_| (fragments(client.body()).len() == 7).then_some(()));
    for round in 1..=20 {
        stage.seal(&[Rung::R64], 1);
        let whole = stage.file(Rung::R64);
        world.until("the newest fragment", |_| (client.body() == whole).then_some(()));
        assert_eq!(fragments(client.body()).len(), 7 + round);
    }
    let head = String::from_utf8_lossy(&client.received).into_owned();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nTownsquare-Edge: 1.6\r\n"), "{head}");
    assert!(head.contains("\r\nCache-Control: no-store, no-transform\r\n") && head.contains("\r\nX-Accel-Buffering: no\r\n"));
    stage.end();
    world.until("the end", |_| {
        client.read();
        client.closed.then_some(())
    });
    assert!(client.body() == stage.file(Rung::R64));
    assert_eq!(world.get(&stage.path(".mp4")).problem(), (410, "event-ended".to_owned()));
}

#[test]
fn a_stream_begins_where_it_is_asked_to() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Public, Delay::None);
    stage.seal(&[Rung::R64, Rung::R32], 100);
    let rows = [
        ("", 75, true),
        ("?rung=32", 55, true),
        ("?from=live", 75, true),
        ("?rung=16", 15, true),
        ("?from=-1", 95, false),
        ("?from=-10", 50, false),
        ("?from=97", 97, false),
        ("?from=-999", 0, false),
    ];
    for (query, first, padded) in rows {
        let mut client = world.ask("GET", &stage.path(&format!(".mp4{query}")), "");
        let found =
            world.until("the burst", |_| Some(fragments(client.body())).filter(|found| found.last().is_some_and(|last| last.0 == 99)));
        assert_eq!(found[0].0, first, "{query}");
        assert_eq!(client.body().len().is_multiple_of(32 * 1024), padded, "{query}");
        let init = init::segment().len();
        assert_eq!(&client.body()[init + 4..init + 8] == b"free", padded, "{query}");
    }
}

#[test]
fn a_number_ahead_waits_for_nothing_but_the_edge() {
    let mut world = World::new();
    let mut stage = world.live(10);
    let mut client = world.ask("GET", &stage.path(".mp4?from=5000"), "");
    world.until("the init segment", |_| (client.body() == init::segment()).then_some(()));
    stage.seal(&[Rung::R64], 1);
    assert_eq!(world.until("fragment 10", |_| fragments(client.body()).first().copied()).0, 10);
}

#[test]
fn who_reads_slowly_is_moved_to_the_edge_at_a_boundary() {
    let mut world = World::new();
    let mut stage = world.live(5);
    let mut client = world.ask("GET", &stage.path(".mp4?from=-1"), "");
    world.until("the init segment", |_| (client.body().len() > init::segment().len()).then_some(()));
    // The kernel's buffers take some of it, a listener's patience the rest.
    let mut sealed = 5;
    while world.metric("skips_total") == 0 {
        for _ in 0..20 {
            stage.seal(&[Rung::R64], 20);
            sealed += 20;
            world.settle();
        }
        assert!(sealed < 100_000);
        // A little is read, so that the relay comes to a boundary again.
        let mut some = [0; 4096];
        for _ in 0..64 {
            if let Ok(count) = std::io::Read::read(&mut client.stream, &mut some) {
                client.received.extend_from_slice(&some[..count]);
            }
        }
        world.settle();
    }
    let last = sealed - 1;
    let found = world.until("the edge", |_| Some(fragments(client.body())).filter(|found| found.last().is_some_and(|one| one.0 == last)));
    let jumps: Vec<_> = found.windows(2).filter(|pair| pair[1].0 != pair[0].0 + 1).collect();
    assert!(!jumps.is_empty() && jumps.iter().all(|pair| pair[1].0 > pair[0].0 + 150), "{jumps:?}");
    assert_eq!(jumps.len() as u64, world.metric("skips_total"));
}

#[test]
fn who_rewinds_is_not_slow() {
    let mut world = World::new();
    let stage = world.live(1_000);
    let mut client = world.ask("GET", &stage.path(".mp4?from=-200"), "");
    let whole = stage.file(Rung::R64);
    world.until("everything", |_| (client.body() == whole).then_some(()));
    assert_eq!(world.metric("skips_total"), 0);
}

#[test]
fn a_rung_comes_and_goes_without_a_gap() {
    for (rung, slots) in [(Rung::R32, 1), (Rung::R16, 5)] {
        let mut world = World::new();
        let mut stage = world.live(7);
        let mut client = world.ask("GET", &stage.path(&format!(".mp4?rung={rung}&from=0")), "");
        world.until("rung 64", |_| (fragments(client.body()).len() == 7).then_some(()));
        assert!(world.worker.listening(world.now()).contains(&(stage.id, vec![(rung, 1)])));
        for _ in 0..20 {
            stage.seal(&[Rung::R64, rung], 1);
            world.settle();
        }
        stage.stop(rung);
        for _ in 0..20 {
            stage.seal(&[Rung::R64], 1);
            world.settle();
        }
        // The saver rung is sent once a second.
        let found = world.until("47 slots", |_| {
            let found = fragments(client.body());
            let end = found.last().map_or(0, |&(number, size)| number + if size == rung.frame_bytes() { slots } else { 1 });
            (end + slots > 47).then_some(found)
        });
        let mut at = 0;
        for &(number, size) in &found {
            assert_eq!(number, at, "{found:?}");
            at += if size == rung.frame_bytes() { slots } else { 1 };
        }
        let own = found.iter().filter(|(_, size)| *size == rung.frame_bytes()).count() as u64;
        assert!(own * slots >= 10, "{found:?}");
        assert_eq!(found.last().unwrap().1, Rung::R64.frame_bytes());
    }
}

#[test]
fn a_delay_holds_sound_back_and_runs_out_after_the_end() {
    let mut world = World::new();
    let mut stage = world.announce(Visibility::Public, Delay::Seconds5);
    stage.seal(&[Rung::R64], 20);
    assert_eq!(world.get(&stage.path(".mp4")).problem(), (404, "event-not-live".to_owned()));
    stage.seal(&[Rung::R64], 20);
    world.settle();
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    world.until("fifteen", |_| (fragments(client.body()).len() == 15).then_some(()));
    stage.end();
    world.settle();
    assert!(fragments(client.body()).len() < 40);
    world.skipped += Duration::from_secs(5);
    world.until("the rest", |_| (client.body() == stage.file(Rung::R64) && client.closed).then_some(()));
}

#[test]
fn a_cut_is_silence_and_a_hole_is_too() {
    let mut world = World::new();
    let mut stage = world.live(10);
    std::fs::write(stage.disk.join("cuts"), Cuts::record(Cut { from: FragmentNumber(2), to: FragmentNumber(4) })).unwrap();
    stage.reopen(10);
    stage.seal(&[Rung::R64], 1);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    let body = world.until("all", |_| (fragments(client.body()).len() == 21).then(|| client.body().to_vec()));
    let mut expected = init::segment().to_vec();
    let file = stage.file(Rung::R64);
    let mut at = expected.len();
    for number in 0..21 {
        let silent = fragment::silent(Rung::R64, FragmentNumber(number));
        let sealed = (!(10..20).contains(&number)).then(|| fragment::find(&file[at..]).unwrap().length());
        let is_silent = sealed.is_none() || (2..4).contains(&number);
        expected.extend_from_slice(if is_silent { &silent } else { &file[at..at + sealed.unwrap()] });
        at += sealed.unwrap_or(0);
    }
    assert!(body == expected);
    world.settle();
    assert!(world.fetch("HEAD", &stage.path(".mp4"), "").head.contains("Townsquare-Edge: 2.20\r\n"));
}

#[test]
fn files_that_a_crash_cut_are_read_anew() {
    let mut world = World::new();
    let mut stage = world.live(10);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    world.until("ten", |_| (fragments(client.body()).len() == 10).then_some(()));
    for (kind, record) in [("idx", 32), ("mp4", 1_000)] {
        let file = std::fs::OpenOptions::new().write(true).open(stage.disk.join(format!("64.{kind}"))).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - 2 * record).unwrap();
    }
    world.settle();
    stage.reopen(8);
    stage.seal(&[Rung::R64], 3);
    let found = world.until("the new epoch", |_| Some(fragments(client.body())).filter(|found| found.last().unwrap().0 == 20));
    assert!(found.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "{found:?}");
}

#[test]
fn sound_goes_on_from_memory_when_the_disk_is_full() {
    let mut world = World::new();
    let mut stage = world.live(5);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    world.until("disk", |_| (fragments(client.body()).len() == 5).then_some(()));
    stage.divert();
    stage.seal(&[Rung::R64], 5);
    let found = world.until("memory", |_| Some(fragments(client.body())).filter(|found| found.len() == 10));
    assert!(found.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
    stage.end();
    world.until("the end", |_| {
        client.read();
        client.closed.then_some(())
    });
}

#[test]
fn who_is_blocked_goes_on_although_the_system_never_says_so() {
    let mut world = World::new();
    let stage = world.live(4_000);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    world.until("the socket is full", |world| {
        let sent = world.metric("sent_bytes_total");
        (0..8).for_each(|_| world.turn());
        (sent > 100_000 && world.metric("sent_bytes_total") == sent).then_some(())
    });
    assert!(fragments(client.body()).len() < 3_000, "there is more than the socket takes");
    world.until("all of it", |world| {
        // What epoll says here is lost with the next wait: that is how it is when sockets run out of memory.
        client.read();
        world.worker.wait(Duration::ZERO).unwrap();
        world.skipped += Duration::from_secs(1);
        (fragments(client.body()).len() == 4_000).then_some(())
    });
    assert!(world.metric("retries_total") > 0);
}

#[test]
fn who_takes_next_to_nothing_is_given_up() {
    let mut world = World::new();
    let stage = world.live(4_000);
    let mut client = world.ask("GET", &stage.path(".mp4?from=0"), "");
    world.until("the socket is full", |world| {
        let sent = world.metric("sent_bytes_total");
        (0..8).for_each(|_| world.turn());
        (sent > 100_000 && world.metric("sent_bytes_total") == sent).then_some(())
    });
    for seconds in (0..limit::LISTENER_STALLED_MILLIS_MAX / 1_000).step_by(10) {
        assert_eq!(world.worker.load().streams, 1, "after {seconds} s");
        let mut byte = [0];
        std::io::Read::read_exact(&mut client.stream, &mut byte).unwrap();
        world.skipped += Duration::from_secs(10);
        world.turn();
    }
    world.until("it is closed", |world| (world.worker.load().connections == 0).then_some(()));
    assert_eq!(world.metric("stalled_total"), 1);
}
