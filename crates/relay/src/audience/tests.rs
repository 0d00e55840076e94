//! Who counts, and for how long.

use super::*;

struct World {
    audience: Audience,
    event: EventId,
    start: Instant,
}

impl World {
    fn new() -> Self {
        Self { audience: Audience::default(), event: EventId::from_random(1), start: Instant::now() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn asker<'a>(&self, last: u8, user_agent: &'a [u8], is_proxied: bool) -> Asker<'a> {
        Asker { event: self.event, rung: Rung::R64, address: [10, 0, 0, last].into(), user_agent, is_proxied }
    }

    /// Over a connection of that serial.
    fn given(&mut self, last: u8, was_reload: bool, connection: u32, millis: u64) {
        assert!(self.audience.given(&self.asker(last, b"a", false), was_reload, connection, self.at(millis)));
    }

    fn holds(&mut self, last: u8, millis: u64) -> Key {
        self.audience.holds(&self.asker(last, b"a", false), self.at(millis)).unwrap()
    }

    fn count(&mut self, millis: u64) -> usize {
        self.audience.forget(self.at(millis));
        self.audience.count(self.at(millis))
    }
}

#[test]
fn who_polls_counts_once_and_for_ten_seconds() {
    let mut world = World::new();
    for (connection, (last, agent, millis)) in (0..).zip([(1, b"a", 0), (1, b"a", 6_000), (1, b"b", 6_000), (2, b"a", 2_000)]) {
        world.audience.given(&world.asker(last, agent, false), false, connection, world.at(millis));
    }
    assert_eq!((world.count(9_000), world.count(12_000), world.count(16_000)), (3, 2, 0));
}

#[test]
fn who_has_a_reload_held_counts_until_it_is_broken_off() {
    let mut world = World::new();
    world.given(1, false, 7, 0);
    for reload in 0..40 {
        let key = world.holds(1, reload * 600);
        assert_eq!(world.count(reload * 600 + 590), 1);
        world.audience.released(key, world.at(reload * 600 + 590));
        world.given(1, true, 7, reload * 600 + 590);
    }
    let key = world.holds(1, 24_000);
    assert_eq!(world.count(40_000), 1, "however long it is held");
    world.audience.broke_off(key, world.at(40_000));
    assert_eq!((world.count(40_200), world.count(40_300)), (1, 0));
}

#[test]
fn on_its_way_to_another_rung_it_stays() {
    let mut world = World::new();
    let key = world.holds(1, 0);
    world.audience.broke_off(key, world.at(300));
    let other = world.holds(1, 350);
    assert_eq!((world.count(700), world.count(5_000)), (1, 1));
    world.audience.released(other, world.at(5_000));
    world.given(1, true, 7, 5_000);
    assert_eq!((world.count(5_900), world.count(6_100)), (1, 0), "it asks no more, and nobody saw it close");
}

#[test]
fn those_who_share_an_address_count_as_many_as_they_are() {
    let mut world = World::new();
    let keys = [0, 1, 2].map(|place| world.holds(1, place * 10));
    assert_eq!(world.count(500), 3);
    // Between two parts none is held.
    for (key, connection) in keys.into_iter().zip(0..) {
        world.audience.released(key, world.at(600));
        world.given(1, true, connection, 600);
    }
    assert_eq!(world.count(610), 3);
    for _ in 0..2 {
        world.holds(1, 620);
    }
    assert_eq!((world.count(700), world.count(1_700)), (3, 2), "one did not come again");
    world.audience.broke_off(keys[0], world.at(2_800));
    assert_eq!((world.count(2_900), world.count(3_900)), (1, 1));
}

#[test]
fn who_polls_and_closes_its_connections_is_gone() {
    let mut world = World::new();
    for (connection, millis) in [(1, 0), (1, 3_000), (2, 3_100)] {
        world.given(1, false, connection, millis);
    }
    world.audience.closed(1, world.at(4_000));
    assert_eq!(world.count(5_000), 1, "one is still open");
    world.audience.closed(2, world.at(5_000));
    assert_eq!((world.count(5_200), world.count(5_300)), (1, 0));
}

#[test]
fn a_connection_for_each_request_says_nothing_when_it_closes() {
    let mut world = World::new();
    for (connection, millis) in [(1, 0), (2, 3_000), (3, 6_000)] {
        world.given(1, false, connection, millis);
        world.audience.closed(connection, world.at(millis + 10));
        assert_eq!(world.count(millis + 2_900), 1);
    }
}

#[test]
fn behind_a_proxy_it_is_ten_seconds() {
    let mut world = World::new();
    let asker = || world.asker(1, b"a", true);
    let (start, later) = (world.at(0), world.at(600));
    let key = world.audience.holds(&asker(), start).unwrap();
    world.audience.released(key, later);
    assert!(!world.audience.given(&world.asker(1, b"a", true), true, 7, later));
    let key = world.audience.holds(&world.asker(1, b"a", true), world.at(700)).unwrap();
    world.audience.broke_off(key, world.at(800));
    assert_eq!((world.count(10_700), world.count(10_900)), (1, 0));
}

#[test]
fn who_goes_to_another_event_has_left_the_first() {
    let mut world = World::new();
    world.given(1, false, 7, 0);
    world.given(1, false, 7, 100);
    world.event = EventId::from_random(2);
    world.given(1, false, 7, 1_000);
    let now = world.at(2_000);
    let events: Vec<_> = world.audience.all(now).filter(|(.., count)| *count > 0).map(|(event, ..)| event).collect();
    assert_eq!(events, [world.event]);
}

#[test]
fn more_clients_than_fit_are_not_counted() {
    let mut world = World::new();
    for index in 0..limit::HLS_CLIENTS_MAX + 10 {
        world.audience.given(&world.asker(1, &index.to_le_bytes(), false), false, 7, world.at(0));
    }
    assert_eq!(world.count(1), limit::HLS_CLIENTS_MAX);
}
