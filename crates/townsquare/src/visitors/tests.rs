use super::*;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

/// Lets in as many from one address as get in.
fn crowd(visitors: &Arc<Visitors>, from: Option<IpAddr>) -> Vec<Visit> {
    std::iter::from_fn(|| visitors.enter(from)).collect()
}

#[test]
fn nobody_takes_all_the_room() {
    let visitors = Visitors::new("test", 12);
    let first = crowd(&visitors, address("192.0.2.1"));
    assert_eq!(first.len(), 6, "half");
    let second = crowd(&visitors, address("192.0.2.2"));
    assert_eq!(second.len(), 3, "half of what is left");
    assert!(visitors.enter(address("192.0.2.1")).is_none(), "who has most gets no more");
    // Whoever holds none gets in to the last place.
    let others: Vec<_> = (3..=5).filter_map(|last| visitors.enter(address(&format!("192.0.2.{last}")))).collect();
    assert_eq!(others.len(), 3);
    assert!(visitors.enter(address("192.0.2.6")).is_none() && visitors.enter(None).is_none(), "there is no place left");
    drop((first, second, others));
    assert_eq!(crowd(&visitors, None).len(), 12, "this machine's own socket has all of it");
}

#[test]
fn an_address_in_other_words_is_the_same() {
    for (one, other, same) in [
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("2001:db8::1", "2001:db8::ffff:2", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
        ("192.0.2.1", "192.0.2.2", false),
    ] {
        assert_eq!(address(one).map(household) == address(other).map(household), same, "{one}, {other}");
    }
}

#[test]
fn who_waits_for_room_gets_it() {
    let visitors = Visitors::new("test", 1);
    let visit = visitors.enter(None).expect("room");
    assert!(visitors.enter(None).is_none());
    let text = visitors.metrics();
    for row in ["townsquare_test_connections 1\n", "townsquare_test_connections_max 1\n", "townsquare_test_connections_refused_total 1\n"] {
        assert!(text.contains(row), "{text}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let leaving = std::thread::spawn(move || drop(visit));
    runtime.block_on(async {
        visitors.room().await;
        visitors.gone().await;
    });
    leaving.join().expect("left");
    assert!(visitors.metrics().contains("townsquare_test_connections 0\n"));
}
