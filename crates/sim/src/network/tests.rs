//! The network loses what it should, and does the same again for the same seed.

use super::*;

fn address(port: u16) -> SocketAddr {
    ([10, 0, 0, 1], port).into()
}

fn run(seed: u64, weather: Weather) -> (Vec<u8>, (u64, u64)) {
    let mut clock = Clock::new();
    let mut network = Network::new(seed, weather);
    let mut arrived = Vec::new();
    for number in 0..200_u8 {
        network.send(clock.now(), Datagram { source: address(1), destination: address(2), bytes: vec![number] });
        clock.advance(Duration::from_millis(20));
        arrived.extend(std::iter::from_fn(|| network.receive(clock.now())).map(|datagram| datagram.bytes[0]));
    }
    while let Some(at) = network.deadline() {
        clock.advance_to(at);
        arrived.extend(network.receive(clock.now()).map(|datagram| datagram.bytes[0]));
    }
    (arrived, network.counts())
}

#[test]
fn fine_weather_keeps_everything_in_order() {
    let (arrived, counts) = run(1, Weather { delay: Duration::from_millis(50), ..Weather::default() });
    assert_eq!(arrived, (0..200).collect::<Vec<_>>());
    assert_eq!(counts, (200, 0));
}

#[test]
fn a_storm_loses_reorders_and_repeats() {
    let storm =
        Weather { loss_permille: 100, duplicate_permille: 100, delay: Duration::from_millis(10), jitter: Duration::from_millis(200) };
    let (arrived, (_, lost)) = run(7, storm);
    assert!((5..50).contains(&lost), "{lost} of 200 were lost");
    assert!(!arrived.is_sorted(), "jitter beyond the spacing reorders");
    let mut unique = arrived.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len() as u64, 200 - lost);
    assert!(arrived.len() > unique.len(), "some arrived twice");
    assert_eq!(run(7, storm).0, arrived, "the same seed, the same storm");
}

#[test]
fn equal_arrivals_keep_the_order_of_sending() {
    let clock = Clock::new();
    let mut network = Network::new(3, Weather::default());
    for number in 0..50 {
        network.send(clock.now(), Datagram { source: address(1), destination: address(2), bytes: vec![number] });
    }
    let arrived: Vec<_> = std::iter::from_fn(|| network.receive(clock.now())).map(|datagram| datagram.bytes[0]).collect();
    assert_eq!(arrived, (0..50).collect::<Vec<_>>());
}
