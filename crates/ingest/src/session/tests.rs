//! A caller and a session over a bad network in virtual time; the offers of the world; offers that nobody would write.

mod offers;
mod world;

use crate::{Call, Caller, Candidate, Closing, Input, Output, Purpose, Session, Transport, Wish};
use base::fact::LevelDb;
use base::limit::{PACKETS_PER_SECOND_MAX, SESSION_SILENT_MILLIS_MAX};
use sim::network::Weather;
use std::time::Duration;
use world::World;

fn rainy() -> Weather {
    Weather { loss_permille: 100, duplicate_permille: 10, delay: Duration::from_millis(20), jitter: Duration::from_millis(30) }
}

#[test]
fn sound_flows_both_ways_at_ten_percent_loss() {
    for seed in 1..=5 {
        let mut world = World::new(seed, rainy(), Purpose::Whip, Wish::Both);
        world.until_connected_in_real_time();
        world.speak(200);
        let (there, back) = (&world.session_log.packets, &world.call_log.packets);
        assert!((150..=200).contains(&there.len()), "seed {seed}: {} of 200 came to the stage", there.len());
        assert!((150..=200).contains(&back.len()), "seed {seed}: {} of 200 came back", back.len());
        for packet in there.iter().chain(back) {
            let number = packet.timestamp / 960;
            assert_eq!(packet.payload[..], world::frame(number)[..], "seed {seed}");
            assert_eq!(packet.level, Some(LevelDb(30)), "seed {seed}");
        }
        let mut sequences: Vec<_> = there.iter().map(|packet| packet.sequence).collect();
        sequences.sort_unstable();
        sequences.dedup();
        assert_eq!(sequences.len(), there.len(), "seed {seed}: a datagram that arrives twice is one packet");
        assert!(world.session.stats().packets_out == 200 && world.call.stats().packets_out == 200, "seed {seed}");
    }
}

#[test]
fn a_speaker_alone_hears_nothing_and_an_ear_says_nothing() {
    let mut world = World::new(11, Weather::default(), Purpose::Whip, Wish::Send);
    world.until_connected();
    world.speak(20);
    assert_eq!((world.session_log.packets.len(), world.call_log.packets.len()), (20, 0));
    let mut world = World::new(12, Weather::default(), Purpose::Whep, Wish::Receive);
    world.until_connected();
    world.speak(20);
    assert_eq!((world.session_log.packets.len(), world.call_log.packets.len()), (0, 20));
}

#[test]
fn over_tcp_too() {
    let mut world = World::over(Transport::Tcp, 13, Weather::default(), Purpose::Whip, Wish::Both);
    world.until_connected();
    world.speak(20);
    assert_eq!((world.session_log.packets.len(), world.call_log.packets.len()), (20, 20));
    assert_eq!(world.session_log.transports, [Transport::Tcp]);
}

#[test]
fn the_way_is_measured_in_both_directions() {
    let clean = Weather { delay: Duration::from_millis(20), ..Weather::default() };
    let lossy = Weather { loss_permille: 80, jitter: Duration::from_millis(10), ..clean };
    for (weather, loss, jitter) in [(clean, 0.0..0.001, 0..2), (lossy, 0.05..0.11, 1..10)] {
        let mut world = World::new(31, clean, Purpose::Whip, Wish::Both);
        world.until_connected();
        world.network.set_weather(weather);
        world.speak(1_000);
        let stats = world.session.stats();
        let round_trip = stats.round_trip.unwrap().as_millis();
        assert!((39..70).contains(&round_trip), "{round_trip} ms");
        assert!(loss.contains(&stats.lost_in.unwrap()), "{stats:?}");
        // The peer tells of five seconds at a time.
        assert!(stats.lost_out.unwrap() < 2.0 * loss.end && stats.lost_out.unwrap() >= loss.start / 3.0, "{stats:?}");
        assert!(jitter.contains(&stats.jitter_in.unwrap().as_millis()), "{stats:?}");
        assert!(jitter.contains(&stats.jitter_out.unwrap().as_millis()), "{stats:?}");
        assert_eq!(stats.transport, Some(Transport::Udp));
    }
    let mut world = World::over(Transport::Tcp, 33, clean, Purpose::Whip, Wish::Send);
    world.until_connected();
    world.speak(200);
    let stats = world.session.stats();
    assert_eq!((stats.transport, stats.lost_in), (Some(Transport::Tcp), Some(0.0)), "{stats:?}");
}

#[test]
fn a_goodbye_closes_the_other_side() {
    let mut world = World::new(14, Weather::default(), Purpose::Whip, Wish::Both);
    world.until_connected();
    world.hang_up();
    assert_eq!(world.session_log.closed, Some(Closing::Left));
    assert_eq!(world.session.deadline(), None);
    assert!(world.session.handle(world.clock.now(), Input::Tick).is_empty(), "a closed session is inert");
}

#[test]
fn silence_closes_within_its_limit() {
    let mut world = World::new(15, Weather::default(), Purpose::Whip, Wish::Both);
    world.until_connected();
    world.network.set_weather(Weather { loss_permille: 1_000, ..Weather::default() });
    let from = world.clock.elapsed();
    world.run_until(|world| world.session_log.closed.is_some(), Duration::from_millis(SESSION_SILENT_MILLIS_MAX + 1_000));
    assert_eq!(world.session_log.closed, Some(Closing::Silent));
    let took = world.clock.elapsed() - from;
    assert!(took <= Duration::from_millis(SESSION_SILENT_MILLIS_MAX + 100), "it took {took:?}");
}

#[test]
fn a_connection_that_never_comes_closes_too() {
    let mut world = World::new(16, Weather { loss_permille: 1_000, ..Weather::default() }, Purpose::Whip, Wish::Send);
    world.run_until(|world| world.session_log.closed.is_some(), Duration::from_secs(30));
    assert_eq!(world.session_log.closed, Some(Closing::Silent));
}

#[test]
fn a_flood_is_dropped_and_counted() {
    let mut world = World::new(17, Weather::default(), Purpose::Whip, Wish::Send);
    world.until_connected();
    let before = world.session.stats().dropped;
    let now = world.clock.now();
    let (source, destination) = world.addresses();
    for _ in 0..PACKETS_PER_SECOND_MAX * 2 {
        let _ = world.session.handle(now, Input::Datagram { transport: Transport::Udp, source, destination, bytes: &[0x80; 60] });
    }
    let dropped = world.session.stats().dropped - before;
    assert!(dropped >= u64::from(PACKETS_PER_SECOND_MAX), "{dropped} were dropped");
    world.speak(200);
    assert!(world.session_log.packets.len() >= 140, "it recovers: {}", world.session_log.packets.len());
    let huge = Input::Datagram { transport: Transport::Udp, source, destination, bytes: &[0x80; 3_000] };
    assert!(world.session.handle(world.clock.now(), huge).is_empty());
}

#[test]
fn a_session_knows_its_own_datagrams() {
    let mut world = World::new(18, Weather::default(), Purpose::Whip, Wish::Send);
    let other = World::new(19, Weather::default(), Purpose::Whip, Wish::Send);
    let first = world.first_stun();
    assert_eq!(crate::stun::username_ufrag(&first), Some(world.session.local_ufrag()));
    let (source, destination) = world.addresses();
    let now = world.clock.now();
    assert!(world.session.accepts(now, Transport::Udp, source, destination, &first));
    assert!(!other.session.accepts(now, Transport::Udp, source, destination, &first));
    let mut forged = first.clone();
    let end = forged.len() - 10;
    forged[end] ^= 1;
    assert!(!world.session.accepts(now, Transport::Udp, source, destination, &forged));
}

#[test]
fn an_address_that_is_no_candidate_stands_for_one() {
    for arrives_at in ["[::ffff:10.9.9.9]:7", "[::]:10000", "0.0.0.0:0"] {
        let mut world = World::new(20, Weather::default(), Purpose::Whip, Wish::Both);
        world.arrives_at = Some(arrives_at.parse().unwrap());
        world.until_connected();
        world.speak(10);
        assert_eq!((world.session_log.packets.len(), world.call_log.packets.len()), (10, 10), "{arrives_at}");
    }
}

#[test]
fn bytes_from_nobody_hurt_nobody() {
    use proptest::prelude::*;
    let mut world = World::new(21, Weather::default(), Purpose::Whip, Wish::Both);
    world.until_connected();
    let (source, destination) = world.addresses();
    let stun = world.first_stun();
    let now = std::cell::Cell::new(world.clock.now());
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let mutations = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let session = std::cell::RefCell::new(&mut world.session);
    runner
        .run(&(noise, mutations, 0..256_u16), |(noise, mutations, first)| {
            now.set(now.get() + Duration::from_millis(20));
            let mut shaped = noise.clone();
            if let Some(byte) = shaped.first_mut() {
                *byte = first.to_le_bytes()[0];
            }
            let mut torn = stun.clone();
            for (place, value) in mutations {
                let place = place.index(torn.len());
                torn[place] = value;
            }
            for bytes in [&noise, &shaped, &torn] {
                let outputs =
                    session.borrow_mut().handle(now.get(), Input::Datagram { transport: Transport::Udp, source, destination, bytes });
                prop_assert!(!outputs.iter().any(|output| matches!(output, Output::Packet(_))));
            }
            Ok(())
        })
        .unwrap();
}

fn candidates() -> [Candidate; 3] {
    let candidate = |transport, address: &str| Candidate { transport, address: address.parse().unwrap() };
    [
        candidate(Transport::Udp, "198.51.100.7:10000"),
        candidate(Transport::Udp, "[2001:db8::7]:10000"),
        candidate(Transport::Tcp, "198.51.100.7:10000"),
    ]
}

fn answered(offer: &str, purpose: Purpose, now: std::time::Instant) -> (Session, String) {
    Session::accept(now, purpose, offer, &candidates(), [7; 32]).unwrap()
}

fn call(wish: Wish, purpose: Purpose, now: std::time::Instant) -> (Call, Session) {
    let (caller, offer) = Caller::offer(now, wish);
    let (session, answer) = answered(&offer, purpose, now);
    assert!(
        answer.contains("a=ice-ufrag:0707070707070707\r\n") && answer.contains(&format!("a=ice-pwd:{}\r\n", "07".repeat(24))),
        "{answer}"
    );
    (caller.answered(now, &answer).unwrap(), session)
}
