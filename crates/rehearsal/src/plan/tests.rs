//! Crowds are divided whole, and nobody shares a port.

use super::*;
use proptest::prelude::*;

/// An order for a crowd on the loopback network.
pub(crate) fn order(listeners: usize) -> Order {
    Order {
        server: ([127, 0, 0, 1], 80).into(),
        host: "localhost".into(),
        target: "/live/0123456789ab.mp4".into(),
        tls: false,
        trust: None,
        listeners,
        listeners_per_sample: listeners_per_sample(listeners),
        joins_per_second: 1_000.0,
        mix: Mix::Stream,
        churn_percent: 0.0,
        slow_percent: 0.0,
        buffer_ms: 3_000,
        exit_surge: false,
        raw: false,
        sources: Vec::new(),
        seed: 7,
    }
}

#[test]
fn those_who_decode_are_few() {
    for (listeners, expected) in [(0, 1_000), (1, 1_000), (48_000, 1_000), (48_001, 1_001), (420_000, 8_750)] {
        assert_eq!(listeners_per_sample(listeners), expected, "{listeners}");
    }
}

#[test]
fn processes_follow_the_limits() {
    for (listeners, descriptors, expected) in [
        (0, 20_000, 1),
        (1, 20_000, 1),
        (19_500, 20_000, 1),
        (19_501, 20_000, 2),
        (420_000, 20_000, 22),
        (420_000, 1 << 20, 22),
        (1_000, 600, 2),
        (5, 3, 5),
    ] {
        assert_eq!(processes(listeners, descriptors), expected, "{listeners} with {descriptors}");
    }
}

#[test]
fn addresses_of_the_network_beside_loopback_are_the_systems_choice() {
    let outside = Order { server: ([192, 0, 2, 1], 80).into(), ..order(10) };
    assert!(divide(&outside, 2).iter().all(|part| part.sources.is_empty()));
    let named = Order { sources: vec![source([192, 0, 2, 7].into())], ..outside };
    let ranges: Vec<_> = divide(&named, 2).iter().map(|part| (part.sources[0].from, part.sources[0].to)).collect();
    assert_eq!(ranges, [(10_000, 36_999), (37_000, 63_999)]);
}

proptest! {
    #[test]
    fn parts_make_the_whole(listeners in 0usize..500_000, parts in 1usize..300, rate in 1.0f64..50_000.0) {
        let whole = Order { joins_per_second: rate, ..order(listeners) };
        let divided = divide(&whole, parts);
        prop_assert_eq!(divided.iter().map(|part| part.listeners).sum::<usize>(), listeners);
        let sum: f64 = divided.iter().map(|part| part.joins_per_second).sum();
        prop_assert!(listeners == 0 || (sum - rate).abs() < rate * 1e-9);
        let mut addresses: Vec<_> = divided.iter().map(|part| part.sources[0].address).collect();
        addresses.dedup();
        prop_assert_eq!(addresses.len(), divided.len());
    }

    #[test]
    fn named_sources_are_shared_without_overlap(parts in 1usize..300) {
        let divided = divide(&Order { sources: vec![source([10, 0, 0, 1].into())], ..order(500_000) }, parts);
        let ranges: Vec<_> = divided.iter().map(|part| (part.sources[0].from, part.sources[0].to)).collect();
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
        prop_assert_eq!((ranges[0].0, ranges[parts - 1].1), PORTS);
    }
}
