//! Who rules, and who does when the hosts are gone.

use super::*;
use crate::words::{By, Connection};

fn promote(key: &str, participant: u16, role: Role) -> Vec<Input> {
    act(key, Action::Promote { participant: ParticipantId(participant), role })
}

fn succession(order: &[u16]) -> Vec<Input> {
    act("host", Action::Succession { order: order.iter().copied().map(ParticipantId).collect() })
}

fn hand_over(participant: u16) -> Vec<Input> {
    act("host", Action::HandOver { participant: ParticipantId(participant) })
}

fn ban(key: &str, participant: u16) -> Vec<Input> {
    act(key, Action::Ban { participant: ParticipantId(participant) })
}

/// A host and three speakers, live.
fn live() -> World {
    let mut world = World::new();
    world.all([media(1, "host"), media(2, "a"), media(3, "b"), media(4, "c"), go_live()].concat());
    world
}

#[test]
fn co_hosts_rule_but_not_over_hosts() {
    let on_stage = || [media(1, "host"), media(2, "co"), media(3, "a")].concat();
    let remove = |key: &str, participant| act(key, Action::Remove { participant: ParticipantId(participant) });
    check(vec![on_stage(), mute("co", 3, true)], "muted:3:true mix=3:true s3");
    check(vec![on_stage(), mute("co", 1, true)], "muted:1:true mix=1:true s3");
    check(vec![on_stage(), remove("co", 1)], "forbidden");
    check(vec![on_stage(), remove("co", 3)], "removed:3 mix-3 bye:3 s2");
    check(vec![on_stage(), act("co", Action::MuteAll)], "muted:3:true mix=3:true s3");
    check(vec![on_stage(), act("a", Action::MuteAll)], "forbidden");
    check(vec![on_stage(), promote("host", 3, Role::CoHost)], "promoted:3:CoHost");
    check(vec![on_stage(), promote("host", 3, Role::CoHost), promote("host", 3, Role::CoHost)], "");
    check(vec![on_stage(), promote("a", 3, Role::CoHost)], "forbidden");
    check(vec![on_stage(), promote("co", 1, Role::Speaker)], "forbidden");
    check(vec![on_stage(), promote("host", 3, Role::Host)], "forbidden");
    check(vec![on_stage(), promote("host", 3, Role::CoHost), mute("a", 2, true)], "muted:2:true mix=2:true s3");
    check(vec![on_stage(), promote("host", 2, Role::Speaker), mute("co", 3, true)], "forbidden");
    // What somebody was made they stay across a reconnection.
    check(vec![on_stage(), promote("host", 3, Role::CoHost), gone(3), media(4, "a"), mute("a", 2, true)], "muted:2:true mix=2:true s3");
}

#[test]
fn the_next_is_in_charge_after_a_while_and_a_host_at_once() {
    let mut world = live();
    world.all(succession(&[3, 2]));
    world.millis += 500;
    world.all(gone(1));
    let vanished = world.millis;
    assert!(!world.until(vanished + limit::SUCCESSION_MILLIS - 1).contains("charge"));
    assert_eq!(world.until(vanished + limit::SUCCESSION_MILLIS), "charge:3");
    assert_eq!(world.stage.view().in_charge, Some(ParticipantId(3)));
    assert_eq!(world.all(mute("b", 2, true)), "muted:2:true mix=2:true s3");
    assert_eq!(world.all(mute("a", 3, true)), "forbidden");
    // Whoever succeeded vanishes too.
    world.all(gone(3));
    let vanished = world.millis;
    assert!(world.until(vanished + limit::SUCCESSION_MILLIS).contains("charge:2"));
    assert_eq!(world.all(media(9, "host")), "charge:hosts mix+9:false air9:true s3");
    assert_eq!(world.stage.view().in_charge, Some(ParticipantId(1)));
    assert_eq!(world.all(mute("a", 4, true)), "forbidden", "who was in charge is so no more");
}

#[test]
fn a_console_is_enough_to_be_in_charge() {
    let mut world = live();
    world.all([open(8, "host", SessionKind::Console), gone(1)].concat());
    assert!(!world.until(world.millis + 2 * limit::SUCCESSION_MILLIS).contains("charge"));
    world.all(gone(8));
    assert!(world.until(world.millis + limit::SUCCESSION_MILLIS).contains("charge:2"), "the first speaker to come, with no order set");
}

#[test]
fn a_line_that_breaks_is_noticed_by_its_silence() {
    let mut world = live();
    world.all(open(8, "host", SessionKind::Console));
    let heard = |world: &World, millis: u64| {
        let way = Connection { rtt_ms: None, loss_up_permille: 0, loss_down_permille: 0, jitter_ms: 0, by: By::Udp };
        vec![Input::Connection { session: SessionId(1), connection: way, heard: world.start + Duration::from_millis(millis) }]
    };
    for millis in [1_000, 5_000] {
        world.millis = millis;
        world.all(heard(&world, millis - 10));
    }
    // Nothing comes any more; the session is given up only later, and the console's stream hangs.
    world.millis = 15_000;
    world.all([heard(&world, 4_990), gone(1)].concat());
    assert!(!world.until(4_990 + limit::SUCCESSION_MILLIS - 1).contains("charge"));
    assert!(world.until(4_990 + limit::SUCCESSION_MILLIS).contains("charge:2"), "fifteen seconds after the last word");
    assert!(world.all(media(9, "host")).contains("charge:hosts"));
}

#[test]
fn nobody_is_in_charge_before_somebody_comes() {
    let mut world = World::new();
    world.all(go_live());
    assert!(!world.until(60_000).contains("charge"));
    assert_eq!(world.all(media(1, "a")), "joined:1:Na:Speaker mix+1:false charge:1 air1:true hold:false held:over s1");
}

#[test]
fn handing_over_lasts() {
    let mut world = live();
    assert_eq!(world.all(hand_over(3)), "promoted:3:CoHost order:1 charge:3");
    assert_eq!(world.stage.view().in_charge, Some(ParticipantId(3)));
    assert_eq!(world.all(mute("b", 2, true)), "muted:2:true mix=2:true s4");
    world.all(act("host", Action::Leave));
    assert!(!world.until(world.millis + 2 * limit::SUCCESSION_MILLIS).contains("charge"));
    world.restart(UNPLANNED);
    world.all([media(12, "a"), media(13, "b")].concat());
    assert_eq!(world.stage.view().in_charge, Some(ParticipantId(3)));
    assert_eq!(world.all(hand_over(99)), "not-found");
}

#[test]
fn who_came_with_a_ticket_that_is_barred_leaves() {
    let guest = |session, key: &str| with_ticket(media(session, key), 77, false);
    let bar = |key: &str, ticket| act(key, Action::Bar { ticket });
    let mut world = World::new();
    world.all(
        [media(1, "host"), guest(2, "a"), guest(3, "b"), media(4, "c"), with_ticket(open(8, "", SessionKind::Console), 77, false)].concat(),
    );
    assert_eq!(world.all(bar("a", 77)), "forbidden");
    assert_eq!(world.all(bar("host", 77)), "banned:77 removed:2 mix-2 bye:2 removed:3 mix-3 bye:3 bye:8 barred:1 s2");
    assert_eq!(world.all(bar("host", 77)), "", "once");
    assert_eq!(world.all(bar("host", 0)), "", "who has no ticket is nobody in particular");
    assert_eq!(world.all(guest(5, "d")), "barred");
    assert_eq!(world.places(), ["Nhost", "Nc"]);
}

#[test]
fn what_else_somebody_banned_is_known_by_is_barred_with_them() {
    let by = |session, key: &str, ticket| with_ticket(media(session, key), ticket, false);
    let mut world = World::new();
    world.all([media(1, "host"), by(2, "a", 77), by(3, "b", 88), by(4, "c", 99)].concat());
    assert_eq!(world.all(ban("host", 2)), "banned:77 removed:2 mix-2 bye:2 barred:1 s3");
    // The square has seen who came with 77 under two other numbers; with one of them they are on stage once more.
    assert_eq!(world.all(vec![Input::Bar(vec![88, 5])]), "banned:88 removed:3 mix-3 bye:3 banned:5 barred:3 s2");
    assert_eq!(world.all(vec![Input::Bar(vec![88, 5])]), "", "once");
    assert_eq!(world.all(by(5, "d", 5)), "barred");
    assert_eq!(world.places(), ["Nhost", "Nc"]);
    world.restart(UNPLANNED);
    assert_eq!(world.all(by(6, "e", 88)), "barred barred:3 s2", "after a crash, too");
}

#[test]
fn a_ban_sticks() {
    let guest = |session, key: &str| with_ticket(media(session, key), 77, false);
    let mut world = World::new();
    world.all([media(1, "host"), guest(2, "a"), guest(3, "b"), with_ticket(open(8, "", SessionKind::Console), 77, false)].concat());
    assert_eq!(world.all(ban("a", 3)), "forbidden");
    assert_eq!(world.all(ban("host", 2)), "banned:77 removed:2 mix-2 bye:2 bye:8 barred:1 s2");
    assert_eq!(world.all(guest(4, "a")), "barred");
    assert_eq!(world.all(guest(4, "another key")), "barred");
    assert_eq!(world.all(with_ticket(act("a", Action::Rename { name: "Eve".into() }), 77, false)), "barred");
    // Who came with the same link and did nothing keeps their place.
    assert_eq!(world.all(guest(5, "b")), "mix-3 bye:3 mix+5:false");
    world.restart(UNPLANNED);
    assert_eq!(world.all(vec![Input::Tick]), "barred:1 s2", "the others are told again");
    assert_eq!(world.all(guest(6, "a")), "barred", "and after a crash it is a ban still");
    assert_eq!(world.all(guest(7, "b")), "mix+7:false");
    assert_eq!(world.all(ban("host", 1)), "forbidden", "a host's link is every host's");
}
