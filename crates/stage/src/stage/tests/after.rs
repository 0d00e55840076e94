//! Among themselves, after the end.

use super::*;

fn console(session: u64, key: &str) -> Vec<Input> {
    open(session, key, SessionKind::Console)
}

/// A host and a guest with consoles, an encoder without one and somebody who only hears; the host ends the event.
fn ended() -> (World, String) {
    let mut world = World::new();
    for inputs in [media(1, "host"), media(2, "a"), console(11, "host"), console(12, "a"), media(3, "b"), open(9, "", SessionKind::Monitor)]
    {
        world.all(inputs);
    }
    world.all(go_live());
    let words = world.all(act("host", Action::End));
    (world, words)
}

#[test]
fn people_talk_on_among_themselves() {
    let (mut world, words) = ended();
    assert_eq!(words, "close ended:7 over mix-3 bye:3 bye:9 air1:false air2:false");
    assert!(!world.stage.idle() && !world.stage.on_air());
    assert_eq!(world.all(mute("a", 2, true)), "mix=2:true");
    assert_eq!(world.all(mute("host", 1, true)), "mix=1:true");
    assert_eq!(world.all(go_live()), "event-ended");
    assert_eq!(world.all(media(4, "c")), "event-ended");
    assert_eq!(world.all(media(4, "b")), "event-ended", "an encoder that comes back");
    // A lost connection comes back, as on the stage.
    assert_eq!(world.all(gone(2)), "mix-2");
    assert_eq!(world.all(media(5, "a")), "mix+5:true");
    assert_eq!(
        world.all(act("host", Action::Remove { participant: ParticipantId(2) })),
        "mix-5 bye:5 bye:12",
        "nothing of it is written down"
    );
    assert_eq!(world.all(media(6, "a")), "event-ended");
}

#[test]
fn the_last_microphone_or_the_limit_ends_it() {
    let (mut world, _) = ended();
    world.all(act("a", Action::Leave));
    assert_eq!(world.all(gone(1)), "mix-1 bye:11");
    assert!(world.stage.idle());
    let (mut world, _) = ended();
    let limit = world.millis + limit::AFTER_END_MILLIS_MAX;
    assert_eq!(world.until(limit - 1), "");
    assert_eq!(world.until(limit), "mix-1 bye:1 mix-2 bye:2 bye:11 bye:12");
    assert!(world.stage.idle());
    assert_eq!(world.all(media(7, "host")), "event-ended");
}

#[test]
fn who_talks_on_makes_room_for_an_event_that_begins() {
    let (mut world, _) = ended();
    assert!(world.stage.talks_until().is_some());
    assert_eq!(world.all(vec![Input::Disperse]), "mix-1 bye:1 mix-2 bye:2 bye:11 bye:12");
    assert!(world.stage.idle() && world.stage.talks_until().is_none());
    let mut world = World::new();
    world.all([media(1, "host"), go_live()].concat());
    assert_eq!(world.all(vec![Input::Disperse]), "", "an event that is live goes on");
}

#[test]
fn nobody_is_left_alone() {
    let alone = [media(1, "host"), console(11, "host"), media(2, "a"), go_live()].concat();
    check(vec![alone, act("host", Action::End)], "close ended:7 over mix-1 bye:1 mix-2 bye:2 bye:11");
}
