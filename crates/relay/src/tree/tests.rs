use super::*;

fn event(number: u64) -> EventId {
    EventId::from_random(number)
}

#[test]
fn an_unknown_event_is_asked_for_once_a_second_and_then_let_be() {
    let (mut upstream, start) = (Upstream::default(), Instant::now());
    let at = |millis| start + Duration::from_millis(millis);
    assert_eq!(upstream.has(event(1), at(0)), Ok(false));
    assert_eq!(upstream.has(event(1), at(1)), Ok(false), "ten who ask are one question");
    upstream.wait(event(1), (7, 70));
    assert_eq!(upstream.wants([].into_iter(), at(2)), [Want::Event(event(1))]);
    assert_eq!(upstream.wants([].into_iter(), at(900)), []);
    assert_eq!(upstream.wants([].into_iter(), at(1_100)), [Want::Event(event(1))]);
    assert_eq!(upstream.hear(event(1), false, at(1_200)), [(7, 70)]);
    assert_eq!(upstream.wants([].into_iter(), at(9_000)), []);
    assert_eq!(upstream.has(event(1), at(1_300)), Err(FaultKind::EventUnknown));
    assert_eq!(upstream.has(event(1), at(1_200 + limit::UNKNOWN_EVENT_MILLIS)), Ok(false));
}

#[test]
fn an_event_is_here_once_the_copier_says_so() {
    let (mut upstream, now) = (Upstream::default(), Instant::now());
    assert_eq!(upstream.has(event(1), now), Ok(false));
    assert_eq!(upstream.hear(event(1), true, now), []);
    assert_eq!(upstream.has(event(1), now), Ok(false), "nobody waited, so nobody kept it");
    upstream.wait(event(1), (1, 1));
    upstream.hear(event(1), true, now);
    assert_eq!(upstream.has(event(1), now), Ok(true));
    upstream.forget(event(1));
    assert_eq!(upstream.has(event(1), now), Ok(false));
}

#[test]
fn what_nobody_waits_for_is_not_wanted() {
    let (mut upstream, now) = (Upstream::default(), Instant::now());
    upstream.has(event(1), now).unwrap();
    upstream.has(event(2), now).unwrap();
    upstream.wait(event(2), (1, 1));
    upstream.tidy(now, |_, _| true);
    let block = Want::Block(event(3), Rung::R16, 4);
    assert_eq!(upstream.wants([block].into_iter(), now), [Want::Event(event(2)), block]);
    for number in 10..10 + limit::COMING_EVENTS_MAX as u64 - 1 {
        assert_eq!(upstream.has(event(number), now), Ok(false));
    }
    assert_eq!(upstream.has(event(5), now), Err(FaultKind::EventsFull));
}

#[test]
fn shares_end_with_their_connection_or_their_time() {
    let (mut shares, start) = (Shares::default(), Instant::now());
    let sum = |shares: &Shares| shares.all().map(|(_, counts)| counts[0]).sum::<u32>();
    shares.say(1, event(1), [5, 0, 0], start);
    shares.say(1, event(1), [6, 0, 0], start);
    shares.say(1, event(2), [1, 0, 0], start);
    shares.say(2, event(1), [10, 0, 0], start);
    assert_eq!(sum(&shares), 17);
    shares.leave(1);
    assert_eq!(sum(&shares), 10);
    shares.tidy(start + Duration::from_millis(limit::LISTENING_MILLIS_MAX));
    assert_eq!(sum(&shares), 0);
}
