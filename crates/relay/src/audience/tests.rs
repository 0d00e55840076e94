use super::*;

#[test]
fn a_client_counts_once_and_for_ten_seconds() {
    let (event, start) = (EventId::from_random(1), Instant::now());
    let mut audience = Audience::default();
    let at = |seconds| start + Duration::from_secs(seconds);
    audience.saw(event, Rung::R64, [10, 0, 0, 1].into(), b"a", at(0));
    audience.saw(event, Rung::R32, [10, 0, 0, 1].into(), b"a", at(6));
    audience.saw(event, Rung::R64, [10, 0, 0, 1].into(), b"b", at(6));
    audience.saw(event, Rung::R64, [10, 0, 0, 2].into(), b"a", at(2));
    audience.forget(at(9));
    let mut rungs: Vec<_> = audience.all().map(|(_, rung)| rung).collect();
    rungs.sort();
    assert_eq!(rungs, [Rung::R64, Rung::R64, Rung::R32]);
    audience.forget(at(12));
    assert_eq!(audience.len(), 2);
    audience.forget(at(16));
    assert_eq!(audience.len(), 0);
}

#[test]
fn more_clients_than_fit_are_not_counted() {
    let now = Instant::now();
    let mut audience = Audience::default();
    for index in 0..limit::HLS_CLIENTS_MAX + 10 {
        audience.saw(EventId::from_random(1), Rung::R64, [10, 0, 0, 1].into(), &index.to_le_bytes(), now);
    }
    assert_eq!(audience.len(), limit::HLS_CLIENTS_MAX);
}
