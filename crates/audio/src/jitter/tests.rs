//! What the buffer gives for what it gets, packet by packet.

use super::{Buffer, Counts, Next, Packet};
use crate::sample::origin;
use base::limit::DATAGRAM_BYTES_MAX;
use std::time::Duration;

/// A packet of 20 ms that tells its number: CELT, full band, one frame.
fn packet(number: u8) -> [u8; 3] {
    [0xf8, number, 0]
}

/// What came out, in short: a packet's number, or R (recovered), C (concealed), - (silence).
fn name(next: Next<'_>) -> String {
    match next {
        Next::Packet(packet) => packet[1].to_string(),
        Next::Recover(packet, 960) => format!("R{}", packet[1]),
        Next::Conceal(960) => "C".to_owned(),
        Next::Recover(_, samples) | Next::Conceal(samples) => panic!("{samples} samples"),
        Next::Silence => "-".to_owned(),
    }
}

/// Pushes packets (arrival in ms, number, number of pauses of 20 ms before it) and pops once a tick from 5 ms on.
fn check(name_of_row: &str, arrivals: &[(u64, u8, u32)], expected: &str) {
    let origin = origin();
    for base in [0u16, 65_533] {
        let mut buffer = Buffer::new();
        let mut given = Vec::new();
        let mut arrivals = arrivals.iter().peekable();
        for tick in 0..expected.split(' ').count() as u64 {
            let now = 5 + tick * 20;
            while let Some((at, number, pauses)) = arrivals.next_if(|(at, _, _)| *at <= now) {
                let timestamp = u32::MAX.wrapping_mul(u32::from(base)).wrapping_add((u32::from(*number) + pauses) * 960);
                let sequence = base.wrapping_add(u16::from(*number));
                buffer.push(origin + Duration::from_millis(*at), sequence, timestamp, &packet(*number));
            }
            given.push(name(buffer.pop(origin + Duration::from_millis(now))));
        }
        assert_eq!(given.join(" "), expected, "{name_of_row}, sequence from {base}");
    }
}

#[test]
fn packets_come_out_in_order_and_in_time() {
    let steady = |number: u8| (u64::from(number) * 20, number, 0);
    let all: Vec<_> = (0..7).map(steady).collect();
    check("steady", &all, "- - - 0 1 2 3 4 5 6");
    let without = |lost: &[u8]| all.iter().copied().filter(|(_, number, _)| !lost.contains(number)).collect::<Vec<_>>();
    check("one lost", &without(&[2]), "- - - 0 1 R3 3 4 5 6");
    check("two lost", &without(&[2, 3]), "- - - 0 1 C R4 4 5 6");
    check("the last ones lost", &without(&[5, 6]), "- - - 0 1 2 3 4 C C C C C C C C C C - -");
    check("out of order", &[steady(0), steady(1), (60, 3, 0), (61, 2, 0), steady(4)], "- - - 0 1 2 3 4");
    check("twice", &[steady(0), steady(1), (21, 1, 0), steady(2), steady(3)], "- - - 0 1 2 3");
    check("too late", &[steady(0), steady(1), steady(3), steady(4), (119, 2, 0), steady(6)], "- - - 0 1 R3 3 4 R6 6");
    check("late, but nothing else was there", &[steady(0), steady(1), (119, 2, 0), (120, 3, 0)], "- - - 0 1 C 2 3");
    check("a pause of the sender", &[steady(0), steady(1), (80, 2, 2), (100, 3, 2)], "- - - 0 1 C C 2 3");
    check(
        "silence, then again",
        &[(0, 0, 0), (1_000, 1, 49), (1_020, 2, 49)],
        &format!("- - - 0 {} {} 1 2", ["C"; 10].join(" "), ["-"; 39].join(" ")),
    );
}

#[test]
fn counts_say_what_happened() {
    let origin = origin();
    let at = |millis| origin + Duration::from_millis(millis);
    let mut buffer = Buffer::new();
    buffer.push(at(0), 0, 0, &packet(0));
    buffer.push(at(20), 1, 960, &packet(1));
    buffer.push(at(20), 1, 960, &packet(1));
    buffer.push(at(20), 2, 1_920, &[]);
    buffer.push(at(60), 3, 2_880, &packet(3));
    (0..4).for_each(|_| drop(name(buffer.pop(at(65)))));
    buffer.push(at(70), 0, 0, &packet(0));
    buffer.push(at(80), 9_000, 1 << 31, &packet(4));
    let expected = Counts { taken: 3, malformed: 1, duplicate: 1, late: 2, recovered: 1, ..Counts::default() };
    assert_eq!(buffer.counts(), expected);
    buffer.push(at(100), 9_001, (1 << 31) + 960, &packet(5));
    assert_eq!(buffer.counts(), Counts { taken: 4, restarts: 1, ..expected });
    buffer.reset();
    assert_eq!(buffer.counts(), Counts::default());
}

#[test]
fn a_flood_is_held_to_what_fits() {
    let origin = origin();
    let mut buffer = Buffer::new();
    for number in 0..1_000u16 {
        buffer.push(origin + Duration::from_millis(u64::from(number)), number, u32::from(number) * 120, &[0xe0, 0]);
    }
    assert!(buffer.counts().skipped > 0);
    buffer.skip(origin + Duration::from_secs(1));
    assert!(matches!(buffer.pop(origin + Duration::from_secs(1)), Next::Packet(_)));
}

#[test]
fn a_packet_crosses_the_ring_whole() {
    let origin = origin();
    for (bytes, fits) in [(0, false), (1, true), (DATAGRAM_BYTES_MAX, true), (DATAGRAM_BYTES_MAX + 1, false), (70_000, false)] {
        let payload = vec![7; bytes];
        let packet = Packet::new(origin, 1, 2, &payload);
        assert_eq!(packet.is_some(), fits, "{bytes}");
        assert!(packet.is_none_or(|packet| packet.payload() == payload && packet.sequence == 1 && packet.timestamp == 2));
    }
}
