//! Who is who: people in another browser, people who share a link, who has spoken how long though they left, who muted whom.

use super::*;
use base::journal::MutedBy;

/// A browser with this key, in which somebody comes by a ticket under a name.
fn by(inputs: Vec<Input>, ticket: u64, name: &str) -> Vec<Input> {
    let mut inputs = with_ticket(inputs, ticket, false);
    for input in &mut inputs {
        if let Input::Open { who, .. } | Input::Act { who, .. } = input {
            who.name = Some(name.to_owned());
        }
    }
    inputs
}

/// Ada, a host whose link has the number 3.
fn ada(session: u64, browser: &str) -> Vec<Input> {
    by(media(session, browser), 3, "Ada")
}

/// Somebody talks for so long.
fn talk(world: &mut World, participant: u16, millis: u64) {
    // The first report says nothing of how long it was.
    world.all(voice(participant, 90, false, false));
    for _ in 0..millis / 100 {
        world.millis += 100;
        world.all(voice(participant, 30, true, false));
    }
}

/// Who is shown to have spoken how long.
fn spoken(world: &World) -> Vec<(u16, String, u64)> {
    world.stage.view().spoken.into_iter().map(|row| (row.person.0, row.name, row.millis)).collect()
}

fn row(person: u16, name: &str, millis: u64) -> (u16, String, u64) {
    (person, name.to_owned(), millis)
}

#[test]
fn a_host_in_another_browser_rules_at_once_and_has_their_place() {
    let mut world = World::new();
    world.all([ada(1, "host 1"), media(2, "a"), go_live()].concat());
    talk(&mut world, 1, 2_000);
    world.all(gone(1));
    assert!(world.until(world.millis + limit::SUCCESSION_MILLIS).contains("charge:2"));
    // The console alone is enough to rule.
    assert_eq!(world.all(by(open(8, "host 2", SessionKind::Console), 3, "Ada")), "charge:hosts");
    assert_eq!(world.all(by(mute("host 2", 2, true), 3, "Ada")), "muted:2:true mix=2:true s1");
    let you = world.stage.you(SessionId(8)).unwrap();
    assert_eq!((you.place, you.role, you.rules), (None, Role::Host, true));
    assert_eq!(world.all(ada(3, "host 2")), "joined:1:Ada:Host mix+3:false air3:true s2");
    assert_eq!(world.places(), ["Ada", "Na"], "nobody stands beside themselves");
    assert_eq!(world.stage.you(SessionId(8)).unwrap().place, Some(ParticipantId(1)));
    talk(&mut world, 1, 1_000);
    assert_eq!(spoken(&world), [row(1, "Ada", 3_000)]);
    // The first browser comes back, too: that is another place, for the other one is spoken at.
    assert_eq!(world.all(ada(4, "host 1")), "joined:3:Ada:Host mix+4:false air4:true s3");
    assert_eq!(world.all(gone(4)), "mix-4 left:3 s2", "and it is not held for who is here");
}

#[test]
fn a_connection_that_broke_keeps_no_place_from_its_owner() {
    let connection =
        crate::words::Connection { rtt_ms: None, loss_up_permille: 0, loss_down_permille: 0, jitter_ms: 0, by: crate::words::By::Udp };
    let mut world = World::new();
    world.all([ada(1, "host 1"), go_live()].concat());
    world.all(vec![Input::Connection { session: SessionId(1), connection, heard: world.now().instant }]);
    world.millis += 1_900;
    world.all(by(open(8, "host 2", SessionKind::Console), 3, "Ada"));
    assert_eq!(world.all(by(call(2, "host 2"), 3, "Ada")), "");
    world.millis += 100;
    // Nobody has noticed yet that the first browser is gone.
    assert_eq!(world.all(up(2)), "joined:1:Ada:Host mix-1 bye:1 mix+2:false air2:true");
    // A ticket to speak gives nobody somebody else's place for a name; nor does another name.
    let mut world = World::new();
    world.all([by(media(1, "a"), 2, "Bo"), ada(2, "host 1"), gone(1), gone(2)].concat());
    assert!(world.all(by(media(3, "b"), 2, "Bo")).starts_with("joined:3:Bo:Speaker"));
    assert!(world.all(by(media(4, "host 2"), 3, "Eve")).starts_with("joined:4:Eve:Host"));
    assert_eq!(world.places(), ["Bo", "Ada", "Bo", "Eve"]);
    assert!(world.until(limit::PLACE_HELD_MILLIS_MAX).contains("left:1"));
}

#[test]
fn who_left_has_spoken_all_the_same() {
    let mut world = World::new();
    world.all([ada(1, "host"), by(media(2, "a"), 2, "Bo"), by(media(3, "b"), 2, "Cy"), by(media(4, ""), 2, "Di"), go_live()].concat());
    for (number, seconds) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
        talk(&mut world, number, seconds * 1_000);
    }
    let want = [row(1, "Ada", 4_000), row(2, "Bo", 3_000), row(3, "Cy", 2_000), row(4, "Di", 1_000)];
    world.all(by(act("a", Action::Leave), 2, "Bo"));
    world.all(by(act("host", Action::Remove { participant: ParticipantId(3) }), 3, "Ada"));
    world.all(gone(4));
    assert_eq!(spoken(&world), want, "by one link, each under their own name");
    world.until(world.millis + limit::SPOKEN_NOTED_MILLIS);
    world.restart(UNPLANNED);
    assert_eq!(spoken(&world), want);
    // Whoever comes back by the same link under the same name is the same.
    world.all(by(media(7, "another browser"), 2, "Cy"));
    talk(&mut world, 5, 3_000);
    assert_eq!(spoken(&world)[0], row(3, "Cy", 5_000));
}

#[test]
fn who_is_muted_knows_by_whom() {
    let mut world = World::new();
    world.all([media(1, "host"), media(2, "a"), go_live()].concat());
    let by = |world: &World, place: usize| world.stage.view().stage[place].muted;
    assert_eq!(by(&world, 1), None);
    world.all(mute("a", 2, true));
    assert_eq!(by(&world, 1), Some(MutedBy::Themselves));
    world.all([mute("a", 2, false), mute("host", 2, true)].concat());
    assert_eq!(by(&world, 1), Some(MutedBy::Host));
    world.restart(UNPLANNED);
    assert_eq!(by(&world, 1), Some(MutedBy::Host));
    world.all([media(11, "host"), media(12, "a"), mute("a", 2, false)].concat());
    let clock = |seconds| act("host", Action::Clock { mode: Some(ClockMode::Speaker), seconds, sides: Vec::new() });
    world.all([clock(30), act("host", Action::Turn { participant: Some(ParticipantId(2)) })].concat());
    world.until(world.millis + 30_000);
    assert_eq!(by(&world, 1), Some(MutedBy::Clock));
    world.all(clock(30));
    assert_eq!(by(&world, 1), Some(MutedBy::Themselves), "there is time again: it is up to them");
}
