//! TLS as a client of our own sees it, which does what no good client does.

use crate::secure::{Certificate, Secure};
use crate::world::{World, fragments};
use base::Rung;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, Error};
use std::io::Write as _;
use std::net::Shutdown;

/// With records that are sealed here and, where this kernel does that, there.
fn in_every_world(test: impl Fn(&Certificate, &mut World)) {
    let certificate = Certificate::new();
    for mut world in [Some(certificate.world()), certificate.world_with_kernel()].into_iter().flatten() {
        test(&certificate, &mut world);
    }
}

#[test]
fn sound_goes_through_tls_too() {
    in_every_world(|certificate, world| {
        for version in [&TLS13, &TLS12] {
            let mut stage = world.live(400);
            let mut client = Secure::ask(world, &certificate.client(&[version]), &stage.path(".mp4?from=0"), "");
            stage.seal(&[Rung::R64], 1);
            let whole = stage.file(Rung::R64);
            world.until("all of it", |_| {
                client.pull(usize::MAX);
                (client.body() == whole).then_some(())
            });
            assert_eq!(fragments(client.body()).len(), 401);
            stage.end();
            world.until("the end", |_| {
                client.pull(usize::MAX);
                client.client.closed.then_some(())
            });
            assert_eq!(client.fault, None);
            assert!(client.body() == stage.file(Rung::R64));
        }
    });
}

#[test]
fn new_keys_are_there_for_who_asks() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let mut stage = world.live(1);
    let mut client = Secure::ask(&world, &certificate.client(&[&TLS13]), &stage.path(".mp4?from=0"), "");
    for count in 1..6 {
        world.until("it goes on", |_| {
            client.pull(usize::MAX);
            (fragments(client.body()).len() == count).then_some(())
        });
        client.session.refresh_traffic_keys().unwrap();
        client.push();
        stage.seal(&[Rung::R64], 1);
    }
    assert_eq!(client.fault, None);
}

#[test]
fn who_asks_the_kernel_for_new_keys_comes_again() {
    let certificate = Certificate::new();
    let Some(mut world) = certificate.world_with_kernel() else { return };
    let stage = world.live(3);
    let mut client = Secure::ask(&world, &certificate.client(&[&TLS13]), &stage.path(".mp4?from=0"), "");
    world.until("it streams", |_| {
        client.pull(usize::MAX);
        (fragments(client.body()).len() == 3).then_some(())
    });
    client.session.refresh_traffic_keys().unwrap();
    world.until("it ends", |_| {
        client.pull(usize::MAX);
        client.client.closed.then_some(())
    });
    assert_eq!(client.fault, None);
    assert!(client.session.process_new_packets().unwrap().peer_has_closed(), "with a farewell");
}

#[test]
fn who_speaks_no_tls_gets_an_alert_and_no_answer() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let stage = world.live(5);
    let mut plain = world.ask("GET", &stage.path(".mp4"), "");
    world.until("the connection closes", |_| {
        plain.read();
        plain.closed.then_some(())
    });
    assert_eq!(plain.received.first_chunk(), Some(&[21, 3, 3, 0, 2, 2]), "a fatal alert");
}

/// The replay of some minutes, as it is without TLS.
fn replay(world: &mut World, stage: &mut crate::world::Stage) -> (String, Vec<u8>) {
    stage.end();
    let path = format!("/replay/{}.m4a", stage.id);
    let whole = world.beside().get(&path).body;
    world.settle();
    (path, whole)
}

fn shake_hands(world: &mut World, client: &mut Secure) {
    world.until("hands are shaken", |_| {
        client.pull(usize::MAX);
        (!client.session.is_handshaking()).then_some(())
    });
}

#[test]
fn a_reader_that_stops_and_goes_on_misses_no_byte() {
    in_every_world(|certificate, world| {
        let mut stage = world.live(4_500);
        let (path, whole) = replay(world, &mut stage);
        assert!(whole.len() > 7_000_000);
        for version in [&TLS13, &TLS12] {
            let mut client = Secure::new(world, &certificate.client(&[version]));
            shake_hands(world, &mut client);
            client.say(&format!("GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n"));
            // Until the kernel takes no more, most likely in the middle of a record.
            let begun = world.metric("sent_bytes_total");
            let mut sent = begun;
            world.until("it is blocked", |world| {
                for _ in 0..20 {
                    world.turn();
                }
                let before = std::mem::replace(&mut sent, world.metric("sent_bytes_total"));
                (sent > begun && sent == before).then_some(())
            });
            // A little at a time, in pieces that fit no record.
            for piece in [1, 5, 6, 777, 16_384, 16_405, 16_406, 30_001] {
                for _ in 0..3 {
                    client.pull(piece);
                    world.turn();
                }
            }
            let response = world.until("all of it", |_| client.response());
            assert!(response.body == whole, "the same bytes as without TLS");
            assert_eq!(client.fault, None);
        }
    });
}

#[test]
fn answers_around_the_length_of_a_record_are_whole() {
    in_every_world(|certificate, world| {
        let mut stage = world.live(300);
        let (path, whole) = replay(world, &mut stage);
        for version in [&TLS13, &TLS12] {
            // One connection, many answers.
            let mut client = Secure::new(world, &certificate.client(&[version]));
            for records in [1, 2, 4] {
                for length in [records * 16_384 - 1, records * 16_384, records * 16_384 + 1] {
                    client.say(&format!("GET {path} HTTP/1.1\r\nHost: relay\r\nRange: bytes=7-{}\r\n\r\n", 6 + length));
                    let part = world.until("a part", |_| client.response());
                    assert!(part.status() == 206 && part.body == whole[7..7 + length], "{length}");
                }
            }
            client.session.send_close_notify();
            client.push();
            world.until("good bye", |_| {
                client.pull(usize::MAX);
                client.client.closed.then_some(())
            });
            assert_eq!(client.fault, None);
            assert!(client.session.process_new_packets().unwrap().peer_has_closed(), "close_notify is answered");
        }
    });
}

#[test]
fn who_says_no_more_still_gets_a_whole_answer() {
    in_every_world(|certificate, world| {
        let mut stage = world.live(2_000);
        let live = world.live(5);
        let (path, whole) = replay(world, &mut stage);
        let config = certificate.client(&[&TLS13]);
        let mut client = Secure::new(world, &config);
        shake_hands(world, &mut client);
        client.say(&format!("GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n"));
        client.half_close();
        let response = world.until("all of it", |_| client.response());
        assert!(response.body == whole);
        // An endless stream ends for who hangs up, and says so.
        let mut client = Secure::ask(world, &config, &live.path(".mp4?from=0"), "");
        world.until("it streams", |_| {
            client.pull(usize::MAX);
            (fragments(client.body()).len() == 5).then_some(())
        });
        client.half_close();
        world.until("it ends", |_| {
            client.pull(usize::MAX);
            client.client.closed.then_some(())
        });
        assert!(client.session.process_new_packets().unwrap().peer_has_closed(), "close_notify is answered");
        assert_eq!(world.worker.load().streams, 0);
    });
}

#[test]
fn garbage_in_the_middle_of_a_stream_ends_that_stream_alone() {
    in_every_world(|certificate, world| {
        let mut stage = world.live(10);
        let path = stage.path(".mp4?from=0");
        for version in [&TLS13, &TLS12] {
            let config = certificate.client(&[version]);
            let mut garbler = Secure::ask(world, &config, &path, "");
            let mut other = Secure::ask(world, &config, &path, "");
            world.until("both stream", |_| {
                garbler.pull(usize::MAX);
                other.pull(usize::MAX);
                (garbler.body() == stage.file(Rung::R64) && other.body() == stage.file(Rung::R64)).then_some(())
            });
            (&garbler.client.stream).write_all(&[&[23, 3, 3, 0, 64][..], &[7; 64]].concat()).unwrap();
            world.until("it is told", |_| {
                garbler.pull(usize::MAX);
                garbler.fault.take()
            });
            let fault = Error::AlertReceived(AlertDescription::BadRecordMac);
            assert_eq!(garbler.session.process_new_packets().err(), Some(fault));
            stage.seal(&[Rung::R64], 3);
            world.until("the other goes on", |_| {
                other.pull(usize::MAX);
                (other.body() == stage.file(Rung::R64)).then_some(())
            });
            garbler.client.stream.shutdown(Shutdown::Both).unwrap();
        }
    });
}

#[test]
fn who_says_half_a_hello_is_not_waited_for() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let mut half = world.connect();
    half.stream.write_all(&[22, 3, 1, 1, 0, 1, 0]).unwrap();
    world.until("it is there", |world| (world.worker.load().connections == 1).then_some(()));
    world.skipped += std::time::Duration::from_millis(base::limit::REQUEST_HEAD_MILLIS_MAX + 1_500);
    world.until("the connection closes", |_| {
        half.read();
        half.closed.then_some(())
    });
}

#[test]
fn who_pours_in_data_that_nobody_wants_disturbs_nobody() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let mut stage = world.live(10);
    let config = certificate.client(&[&TLS13]);
    let mut talker = Secure::ask(&world, &config, &stage.path(".mp4?from=0"), "");
    for _ in 0..20 {
        talker.say(&"nobody reads this ".repeat(20_000));
        world.turn();
        talker.pull(usize::MAX);
    }
    stage.seal(&[Rung::R64], 3);
    world.until("it streams", |_| {
        talker.pull(usize::MAX);
        (talker.body() == stage.file(Rung::R64)).then_some(())
    });
}
