//! From the announcement to the first word, and behind the stage.

use super::*;

const SECOND: u64 = 1_000;

/// Begins an hour after it was created; the doors open a quarter of an hour before.
const IN_AN_HOUR: Schedule = Schedule { start_at: Some(UnixMillis(CREATED.0 + 3_600_000)), ..UNPLANNED };

/// When the doors open, in milliseconds of the world.
const DOORS: u64 = 2_700_000;
const START: u64 = 3_600_000;

fn ready(key: &str, ready: bool, yes: bool) -> Vec<Input> {
    act(key, Action::Ready { ready, yes })
}

fn heard(world: &mut World, participant: u16) {
    world.all(voice(participant, 30, true, false));
}

#[test]
fn the_doors_open_and_the_event_begins_by_itself_at_its_second() {
    let mut world = World::planned(IN_AN_HOUR);
    assert_eq!(world.until(DOORS - 1), "");
    assert_eq!(world.until(DOORS), "doors open epoch:1 doors-open b0");
    assert_eq!(world.stage.phase(), Phase::Doors);
    assert!(!world.stage.idle());
    // People come and talk among themselves; listeners see nobody.
    assert_eq!(world.all(media(1, "host")), "joined:1:Nhost:Host mix+1:false");
    heard(&mut world, 1);
    assert_eq!(world.all(ready("host", true, false)), "ready:1:true");
    assert_eq!(world.until(START - 1), "");
    assert_eq!(world.until(START), "begin begun:5 live air1:true hold:false b5 s1");
    assert_eq!(world.stage.phase(), Phase::Live);
}

#[test]
fn a_host_who_is_late_is_waited_for() {
    let mut world = World::planned(IN_AN_HOUR);
    world.until(START + 60 * SECOND);
    assert_eq!(world.stage.phase(), Phase::Doors);
    world.all(media(1, "a"));
    heard(&mut world, 1);
    assert_eq!(world.all(ready("a", true, false)), "ready:1:true", "a speaker can't begin it");
    world.all(media(2, "host"));
    assert_eq!(world.all(ready("host", true, false)), "microphone-silent");
    assert_eq!(world.all(ready("host", true, true)), "ready:2:true begin begun:5 live air1:true air2:true hold:false b5 s2");
    // Nobody ever came.
    let mut world = World::planned(IN_AN_HOUR);
    let late = START + limit::HOST_LATE_MILLIS_MAX;
    world.until(late - 1);
    assert_eq!(world.stage.phase(), Phase::Doors);
    assert_eq!(world.until(late), "close ended:7 over");
    // A stage that starts later than that leaves the event alone.
    let mut world = World::new();
    world.millis = late;
    world.restart(IN_AN_HOUR);
    assert_eq!((world.until(late + SECOND).as_str(), world.stage.idle()), ("", true));
}

#[test]
fn a_host_whose_microphone_came_with_a_speakers_ticket_is_ready_too() {
    let mut world = World::planned(IN_AN_HOUR);
    world.until(DOORS);
    let mut encoder = media(1, "host");
    if let Some(Input::Open { who, .. }) = encoder.first_mut() {
        who.role = Role::Speaker;
    }
    assert_eq!(world.all(encoder), "joined:1:Nhost:Speaker mix+1:false");
    assert_eq!(world.all(ready("host", true, true)), "joined:1:Nhost:Host ready:1:true");
    assert_eq!(world.until(START), "begin begun:5 live air1:true hold:false b5 s1");
}

#[test]
fn a_host_without_a_microphone_is_ready_by_their_console() {
    let mut world = World::planned(IN_AN_HOUR);
    world.until(DOORS);
    world.all(open(9, "host", SessionKind::Console));
    assert_eq!(world.all(ready("host", true, false)), "microphone-silent");
    assert_eq!(world.all(ready("host", true, true)), "");
    assert_eq!(world.until(START), "", "nobody could be heard");
    assert_eq!(world.all(media(1, "a")), "joined:1:Na:Speaker mix+1:false begin begun:5 live air1:true hold:false b5 s1");
    // The word goes with the console.
    let mut world = World::planned(IN_AN_HOUR);
    world.until(DOORS);
    world.all([open(9, "host", SessionKind::Console), media(1, "a"), ready("host", true, true), gone(9)].concat());
    assert_eq!(world.until(START), "");
    assert_eq!(world.all(ready("host", true, true)), "forbidden");
    // It does not go when they turn their microphone on.
    let mut world = World::planned(IN_AN_HOUR);
    world.until(DOORS);
    world.all([media(1, "a"), open(9, "host", SessionKind::Console), ready("host", true, true)].concat());
    assert_eq!(world.all(media(2, "host")), "joined:2:Nhost:Host ready:2:true mix+2:false");
    assert_eq!(world.until(START), "begin begun:5 live air1:true air2:true hold:false b5 s2");
}

#[test]
fn an_encoder_with_a_host_s_ticket_is_ready_once_it_is_heard() {
    let mut world = World::planned(IN_AN_HOUR);
    let mut encoder = media(1, "");
    if let Some(Input::Open { who, .. }) = encoder.first_mut() {
        who.role = Role::Host;
    }
    world.until(DOORS);
    world.all(encoder);
    assert_eq!(world.until(START), "");
    let begins = world.all(voice(1, 30, true, false));
    assert!(begins.starts_with("begin begun:5 live"), "{begins}");
}

#[test]
fn a_host_begins_when_they_like() {
    let mut world = World::planned(IN_AN_HOUR);
    assert_eq!(world.all(go_live()), "open epoch:1 live hold:false b1", "before the doors");
    let mut world = World::planned(IN_AN_HOUR);
    world.until(DOORS);
    assert_eq!(world.all(go_live()), "begin begun:5 live hold:false b5");
    assert_eq!(world.all(go_live()), "");
}

#[test]
fn an_announcement_may_change() {
    let mut world = World::planned(IN_AN_HOUR);
    let sooner = Schedule { start_at: Some(UnixMillis(CREATED.0 + 600_000)), ..UNPLANNED };
    assert_eq!(world.all(vec![Input::Announced(sooner)]), "doors open epoch:1 doors-open b0");
    assert_eq!(world.all(vec![Input::Announced(UNPLANNED)]), "");
    assert_eq!(world.until(START), "", "it begins when somebody says so");
    assert_eq!(world.all(go_live()), "begin begun:5 live hold:false b5");
}

#[test]
fn a_killed_stage_finds_the_doors_open() {
    let mut world = World::planned(IN_AN_HOUR);
    world.all([media(1, "host"), ready("host", true, true)].concat());
    world.until(DOORS);
    world.restart(IN_AN_HOUR);
    assert_eq!(world.stage.phase(), Phase::Doors);
    let again = Input::ProgrammeOpened { epoch: Epoch(2), first: FragmentNumber(9), boot: "b".into() };
    assert_eq!(world.all(vec![again]), "epoch:2 doors-open b0");
    world.millis = START - SECOND;
    // The place was given up meanwhile, and being ready with it.
    assert_eq!(world.all(media(2, "host")), "left:1 joined:1:Nhost:Host mix+2:false");
    assert_eq!(world.until(START), "");
    assert_eq!(world.all(ready("host", true, true)), "ready:1:true begin begun:5 live air2:true hold:false b5 s1");
}

#[test]
fn a_silent_microphone_needs_a_yes() {
    let live = |yes| act("host", Action::GoLive { yes });
    check(vec![live(false)], "microphone-silent");
    check(vec![media(1, "host"), live(false)], "microphone-silent");
    check(vec![media(1, "host"), voice(1, 90, false, false), live(false)], "microphone-silent");
    check(vec![media(1, "host"), voice(1, 40, false, false), live(false)], "open epoch:1 live air1:true hold:false b1");
    check(vec![media(1, "host"), live(true)], "open epoch:1 live air1:true hold:false b1");
    // Another microphone is another one.
    check(vec![media(1, "host"), voice(1, 40, true, false), media(2, "host"), live(false)], "microphone-silent");
    check(vec![act("a", Action::GoLive { yes: true })], "forbidden");
    check(vec![act("co", Action::GoLive { yes: true })], "open epoch:1 live hold:false b1");
}

#[test]
fn guests_wait_behind_the_stage() {
    let step =
        |key: &str, participant: Option<u16>, backstage| act(key, Action::Step { participant: participant.map(ParticipantId), backstage });
    check(vec![go_live(), behind(1, "a")], "joined:1:Na:Speaker mix+1:false");
    check(vec![go_live(), behind(1, "a"), step("a", None, false)], "stepped:1:false air1:true s1");
    check(vec![go_live(), media(1, "a"), step("a", None, true)], "stepped:1:true air1:false s0");
    check(vec![go_live(), media(1, "a"), step("host", Some(1), true)], "stepped:1:true air1:false s0");
    check(vec![go_live(), behind(1, "a"), step("host", Some(1), false)], "muted:1:true mix=1:true stepped:1:false air1:true s1");
    check(vec![go_live(), behind(1, "a"), step("b", Some(1), false)], "forbidden");
    check(vec![go_live(), media(1, "a"), step("b", Some(1), true)], "forbidden");
    check(vec![go_live(), step("a", None, false)], "forbidden");
    check(vec![go_live(), behind(1, "a"), gone(1), media(2, "a")], "mix+2:false");
    // Nobody else comes on a locked stage, but for who rules.
    let lock = |locked| act("host", Action::Lock { locked });
    check(vec![lock(true)], "locked:true");
    check(vec![lock(true), media(1, "a")], "stage-locked");
    check(vec![lock(true), behind(1, "a"), step("a", None, false)], "stage-locked");
    check(vec![lock(true), behind(1, "a"), lock(false), step("a", None, false)], "stepped:1:false s1");
    check(vec![media(1, "a"), lock(true), gone(1), media(2, "a")], "mix+2:false");
    check(vec![lock(true), media(1, "co")], "joined:1:Nco:CoHost mix+1:false s1");
    check(vec![act("a", Action::Lock { locked: true })], "forbidden");
}

#[test]
fn an_event_that_everybody_left_holds_and_ends() {
    let mut world = World::new();
    world.all([go_live(), media(1, "host")].concat());
    world.all(gone(1));
    let left = world.millis;
    assert_eq!(world.until(left + limit::HOLD_AFTER_MILLIS), "hold:true hold? held:25");
    assert_eq!(world.all(media(2, "host")), "mix+2:false air2:true hold:false held:over");
    world.all(gone(2));
    let left = world.millis;
    assert!(world.until(left + UNPLANNED.empty_ms - 1).ends_with("left:1"));
    // The replay ends a second after the last left, at 5 s: the hold sound of before is in the middle of the event.
    assert_eq!(world.until(left + UNPLANNED.empty_ms), "close ended:7:30 over");
    // Somebody who only waits behind the stage does not keep it.
    let mut world = World::new();
    world.all([go_live(), behind(1, "a")].concat());
    assert!(world.until(UNPLANNED.empty_ms).ends_with("close ended:7:5 over mix-1 bye:1"));
}

#[test]
fn where_all_had_left_outlives_the_stage() {
    let mut world = World::new();
    world.all([go_live(), media(1, "host")].concat());
    world.until(60_000);
    world.all(gone(1));
    assert_eq!(world.until(65_000), "hold:true hold? held:325");
    world.restart(UNPLANNED);
    assert!(!world.until(200_000).contains("held"), "it is known");
    assert_eq!(world.all(act("host", Action::End)), "close ended:7:305 over");
    // Who comes back before the answer does makes it void.
    let mut world = World::new();
    world.all([go_live(), media(1, "host"), gone(1)].concat());
    world.millis += limit::HOLD_AFTER_MILLIS;
    world.stage.handle(world.now(), Input::Tick);
    world.all(media(2, "host"));
    assert_eq!(world.all(vec![Input::Held { first: FragmentNumber(9) }]), "");
    assert!(world.all(act("host", Action::End)).starts_with("close ended:7 over"));
}

#[test]
fn who_talks_though_muted_is_told() {
    let mut world = World::new();
    world.all([media(1, "a"), mute("a", 1, true)].concat());
    let mut told = Vec::new();
    for _ in 0..120 {
        world.millis += 100;
        if world.all(voice(1, 30, false, true)) == "muted?1" {
            told.push(world.millis);
        }
    }
    assert!(told[0] <= SECOND, "{told:?}");
    assert_eq!(told.len(), 3, "every five seconds: {told:?}");
    assert_eq!(world.all(voice(1, 30, false, false)), "", "not who is quiet");
}

#[test]
fn how_long_everybody_spoke_is_kept() {
    let mut world = World::new();
    world.all([media(1, "host"), media(2, "a")].concat());
    world.all(voice(2, 30, true, false));
    world.all(go_live());
    for _ in 0..100 {
        world.millis += 100;
        world.all(voice(2, 30, true, false));
    }
    let spoken = |world: &World| world.stage.view().spoken.iter().map(|row| (row.person.0, row.millis)).collect::<Vec<_>>();
    assert_eq!(spoken(&world), [(2, 10_000)]);
    assert_eq!(world.until(world.millis + limit::SPOKEN_NOTED_MILLIS), "spoken:1");
    world.restart(UNPLANNED);
    assert_eq!(spoken(&world), [(2, 10_000)]);
}
