use super::*;

const STAGE: RoleId = RoleId { role: RoleName::Stage, index: 0 };

/// A roster on a clock of its own.
struct World {
    roster: Roster,
    zero: Instant,
}

impl World {
    fn with_stage() -> Self {
        let mut world = Self { roster: Roster::default(), zero: Instant::now() };
        assert_eq!(world.at(0, Input::Wanted(STAGE)), [Order::Start(STAGE)]);
        assert_eq!(world.at(0, Input::Started(STAGE)), []);
        world
    }

    fn at(&mut self, millis: u64, input: Input) -> Vec<Order> {
        self.roster.handle(self.zero + Duration::from_millis(millis), input)
    }
}

#[test]
fn a_silent_role_is_killed_and_replaced_only_once_it_has_ended() {
    let mut world = World::with_stage();
    assert!(!world.roster.complete());
    world.at(100, Input::Beat(STAGE));
    assert!(world.roster.complete());
    assert_eq!(world.at(1_099, Input::Tick), []);
    assert_eq!(world.at(1_100, Input::Tick), [Order::Kill(STAGE)]);
    assert_eq!(world.at(9_000, Input::Tick), [], "killed once, and never replaced while it may still write");
    assert_eq!(world.at(9_001, Input::Exited(STAGE)), [Order::Start(STAGE)]);
}

#[test]
fn a_role_that_never_beats_has_its_time_to_start() {
    let mut world = World::with_stage();
    assert_eq!(world.at(4_999, Input::Tick), []);
    assert_eq!(world.at(5_000, Input::Tick), [Order::Kill(STAGE)]);
}

#[test]
fn nobody_is_judged_for_time_that_the_supervisor_lost() {
    let mut world = World::with_stage();
    world.at(100, Input::Beat(STAGE));
    assert_eq!(world.at(60_200, Input::Delayed(Duration::from_secs(60))), []);
    assert_eq!(world.at(61_099, Input::Tick), []);
    assert_eq!(world.at(61_100, Input::Tick), [Order::Kill(STAGE)]);
}

#[test]
fn what_is_heard_after_a_standstill_judges_nobody_else() {
    let relay = RoleId { role: RoleName::Relay, index: 0 };
    let mut world = World::with_stage();
    world.at(0, Input::Wanted(relay));
    world.at(0, Input::Started(relay));
    world.at(100, Input::Beat(STAGE));
    assert_eq!(world.at(60_100, Input::Beat(relay)), [], "it is not known yet that the supervisor stood still");
    world.at(60_110, Input::Delayed(Duration::from_secs(60)));
    assert_eq!(world.at(61_099, Input::Tick), []);
    assert_eq!(world.at(61_100, Input::Tick), [Order::Kill(STAGE)]);
    assert_eq!(world.at(61_110, Input::Tick), [Order::Kill(relay)], "who was heard of since is owed no more than its time");
}

#[test]
fn a_role_that_dies_at_its_start_waits_longer_each_time_but_is_never_given_up() {
    let mut world = World::with_stage();
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..9 {
        now += 10;
        let mut orders = world.at(now, Input::Exited(STAGE));
        let died = now;
        while orders.is_empty() {
            now += 10;
            orders = world.at(now, Input::Tick);
        }
        waits.push(now - died);
        world.at(now, Input::Started(STAGE));
    }
    assert_eq!(waits, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    world.at(now + 10, Input::Beat(STAGE));
    assert_eq!(world.at(now + 2_000, Input::Exited(STAGE)), [Order::Start(STAGE)], "a long life makes up for the short ones");
}

#[test]
fn nobody_is_started_or_judged_while_the_house_closes() {
    let mut world = World::with_stage();
    world.at(100, Input::Beat(STAGE));
    assert_eq!(world.at(200, Input::Stop), []);
    assert_eq!(world.at(9_000, Input::Tick), []);
    assert_eq!(world.at(9_000, Input::Exited(STAGE)), []);
}

#[test]
fn what_cannot_start_yet_is_tried_again() {
    let mut world = World { roster: Roster::default(), zero: Instant::now() };
    assert_eq!(world.at(0, Input::Wanted(STAGE)), [Order::Start(STAGE)]);
    assert_eq!(world.at(0, Input::NotStarted(STAGE)), []);
    assert_eq!(world.at(100, Input::Tick), [Order::Start(STAGE)]);
}
