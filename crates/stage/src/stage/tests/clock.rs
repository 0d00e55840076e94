//! The debate clock.

use super::*;

fn set(mode: Option<ClockMode>, seconds: u64, sides: &[(&str, &[u16])]) -> Vec<Input> {
    let side = |(name, who): &(&str, &[u16])| Side { name: (*name).to_owned(), who: who.iter().copied().map(ParticipantId).collect() };
    act("host", Action::Clock { mode, seconds, sides: sides.iter().map(side).collect() })
}

fn turn(key: &str, participant: Option<u16>) -> Vec<Input> {
    act(key, Action::Turn { participant: participant.map(ParticipantId) })
}

/// A host and two speakers, live.
fn debate() -> World {
    let mut world = World::new();
    world.all([media(1, "host"), media(2, "a"), media(3, "b"), go_live()].concat());
    world
}

fn left(world: &World) -> Vec<u64> {
    world.stage.view().clock.map(|view| view.clock.budgets.iter().map(|budget| budget.left_ms).collect()).unwrap_or_default()
}

#[test]
fn each_speaker_has_a_budget_and_fades_at_its_end() {
    let mut world = debate();
    assert_eq!(world.all(set(Some(ClockMode::Speaker), 30, &[])), "clock:30000/30000 k2");
    assert_eq!(world.all(turn("host", Some(2))), "clock:30000/30000@2 k2");
    assert_eq!(world.until(19_999), "clock:25000/30000@2 k2 clock:20000/30000@2 k2 clock:15000/30000@2 k2");
    assert_eq!(left(&world), [10_001, 30_000]);
    assert_eq!(world.until(20_000), "chime clock:10000/30000@2 k2");
    assert_eq!(world.all(turn("host", Some(3))), "clock:10000/30000@3 k2", "the other's time runs, the first one's stands");
    assert_eq!(world.all(turn("host", Some(2))), "clock:10000/30000@2 k2");
    let words = world.until(30_000);
    assert!(words.ends_with("clock:0/30000@2 clock:0/30000 muted:2:true fade2 k2 s3"), "{words}");
    assert!(!words.contains("chime"), "it sounds once");
    assert_eq!(world.all(mute("a", 2, false)), "time-spent");
    assert_eq!(world.all(turn("host", Some(2))), "time-spent");
    world.all(set(Some(ClockMode::Speaker), 30, &[]));
    assert_eq!(world.all(mute("a", 2, false)), "muted:2:false mix=2:false s3");
}

#[test]
fn a_side_shares_its_budget() {
    let mut world = debate();
    for sides in [&[][..], &[("For", &[2][..]), ("Against", &[2])], &[("", &[2])], &[("For", &[])], &[("For", &[9])]] {
        assert_eq!(world.all(set(Some(ClockMode::Side), 60, sides)), "bad-clock", "{sides:?}");
    }
    assert_eq!(world.all(set(Some(ClockMode::Side), 0, &[("For", &[2])])), "bad-clock");
    assert_eq!(world.all(set(Some(ClockMode::Side), 60, &[("For", &[2, 3]), ("Against", &[1])])), "clock:60000/60000 k2");
    world.all(turn("host", Some(2)));
    world.until(2_000);
    world.all(turn("host", Some(3)));
    world.until(5_000);
    assert_eq!(left(&world), [55_000, 60_000]);
    let names: Vec<_> = world.stage.view().clock.unwrap().clock.budgets.into_iter().map(|budget| budget.name).collect();
    assert_eq!(names, ["For", "Against"]);
}

#[test]
fn a_turn_has_its_budget_anew() {
    let mut world = debate();
    assert_eq!(world.all(set(Some(ClockMode::Turn), 60, &[])), "clock: k0");
    world.all(turn("host", Some(2)));
    world.until(4_000);
    assert_eq!(left(&world), [56_000]);
    assert_eq!(world.all(turn("b", None)), "forbidden");
    assert_eq!(world.all(turn("a", None)), "clock:56000 k1", "who speaks may stop");
    world.all(turn("host", Some(3)));
    assert_eq!(left(&world), [60_000]);
    assert_eq!(world.all(set(None, 0, &[])), "clock:off k0");
    assert_eq!(world.all(turn("host", Some(3))), "bad-clock");
}

#[test]
fn listeners_of_a_debate_are_told_who_has_spoken_how_long() {
    let mut world = debate();
    let talk = |world: &mut World, participant: u16, seconds: u64| {
        let mut told = Vec::new();
        for _ in 0..seconds * 10 {
            world.millis += 100;
            told.extend(world.all(voice(participant, 30, true, false)).split(' ').filter(|word| word.starts_with('t')).map(str::to_owned));
        }
        told
    };
    assert_eq!(talk(&mut world, 2, 12), [""; 0], "it is no debate yet");
    let set = world.all(set(Some(ClockMode::Speaker), 600, &[]));
    assert!(set.contains("tNa:11"), "{set}");
    assert_eq!(talk(&mut world, 3, 11), ["tNa:11Nb:5", "tNa:11Nb:10"], "every five seconds");
    world.millis += 5_000;
    let off = world.all(act("host", Action::Clock { mode: None, seconds: 0, sides: Vec::new() }));
    assert!(off.split(' ').any(|word| word == "t"), "{off}");
}

#[test]
fn a_lost_connection_costs_nobody_their_time() {
    let mut world = debate();
    world.all([set(Some(ClockMode::Speaker), 60, &[]), turn("host", Some(2))].concat());
    world.until(3_000);
    assert_eq!(world.all(gone(2)), "mix-2 clock:57000/60000@2 k2");
    world.until(20_000);
    assert_eq!(left(&world), [57_000, 60_000]);
    assert!(!world.stage.view().clock.unwrap().counts);
    world.all(media(12, "a"));
    world.until(21_000);
    assert_eq!(left(&world), [56_000, 60_000]);
}

#[test]
fn a_killed_stage_goes_on_with_what_was_left() {
    let mut world = debate();
    world.all([set(Some(ClockMode::Speaker), 60, &[]), turn("host", Some(2))].concat());
    world.until(12_000);
    world.restart(UNPLANNED);
    world.millis += 3_000;
    assert_eq!(left(&world), [50_000, 60_000], "as it was noted last");
    world.all([media(11, "host"), media(12, "a")].concat());
    world.until(world.millis + 2_000);
    assert_eq!(left(&world), [48_000, 60_000]);
}
