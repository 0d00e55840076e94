//! Raised hands.

use super::*;

fn hand(id: u64, votes: u32, spoke: bool, since: i64) -> Hand {
    Hand { id, name: format!("H{id}"), topic: "Roads".into(), votes, spoke, since: UnixMillis(since) }
}

fn raised(hands: &[Hand]) -> Vec<Input> {
    vec![Input::Hands(hands.to_vec())]
}

fn admit(key: &str, hand: u64) -> Vec<Input> {
    act(key, Action::Admit { hand })
}

fn queue(world: &World) -> Vec<u64> {
    world.stage.view().hands.iter().map(|hand| hand.id).collect()
}

#[test]
fn who_has_not_spoken_is_first_then_votes_then_time() {
    let mut world = World::new();
    world.all(raised(&[hand(1, 9, true, 10), hand(2, 0, false, 30), hand(3, 4, false, 20), hand(4, 0, false, 15)]));
    assert_eq!(queue(&world), [3, 4, 2, 1]);
    // The stage knows itself who has spoken.
    world.all([media(1, "host"), go_live(), with_ticket(media(2, "a"), 3, false)].concat());
    for _ in 0..12 {
        world.millis += 100;
        world.all(voice(2, 30, true, false));
    }
    assert_eq!(queue(&world), [4, 2, 1, 3]);
}

#[test]
fn who_was_admitted_comes_on_stage() {
    let mut world = World::new();
    let guest = |session| with_ticket(media(session, "guest"), 5, true);
    world.all([media(1, "host"), raised(&[hand(5, 0, false, 900), hand(6, 0, false, 950)])].concat());
    assert_eq!(world.all(guest(2)), "forbidden");
    assert_eq!(world.all(admit("a", 5)), "forbidden");
    assert_eq!(world.all(admit("host", 7)), "not-found");
    assert_eq!(world.all(admit("host", 5)), "admitted:5:H5");
    assert_eq!(queue(&world), [6]);
    assert_eq!(world.all(admit("host", 5)), "not-found", "it was taken");
    assert_eq!(world.all(guest(2)), "joined:2:Nguest:Speaker mix+2:false s2");
    world.restart(UNPLANNED);
    assert_eq!(world.all(guest(3)), "s2 mix+3:false", "after a crash too");
    world.all(act("host", Action::Remove { participant: ParticipantId(2) }));
    assert_eq!(world.all(with_ticket(media(4, "a new key"), 5, true)), "forbidden", "who was removed must be admitted anew");
}

#[test]
fn whether_hands_may_be_raised_the_announcement_says() {
    let mut world = World::new();
    assert!(world.stage.view().hands_open);
    world.all(vec![Input::Announced(Schedule { hands: false, ..UNPLANNED })]);
    assert!(!world.stage.view().hands_open, "before the square has said a word of hands");
}

#[test]
fn who_was_declined_may_raise_it_again() {
    let mut world = World::new();
    world.all(raised(&[hand(5, 0, false, 900)]));
    assert_eq!(world.all(act("host", Action::Decline { hand: 5 })), "declined:5");
    assert_eq!(queue(&world), [0; 0]);
    world.all(raised(&[hand(5, 0, false, 2_000)]));
    assert_eq!(queue(&world), [5]);
    assert_eq!(world.all(admit("host", 5)), "admitted:5:H5");
}

#[test]
fn the_square_is_told_what_became_of_hands() {
    let mut world = World::new();
    let seats = |out: Vec<Output>| {
        let seats = |output: Output| {
            let Output::Tell(Fact::Seats { admitted, declined, spoke, in_charge, .. }) = output else { return None };
            Some((admitted, declined, spoke, in_charge))
        };
        out.into_iter().rev().find_map(seats)
    };
    assert_eq!(seats(world.give(raised(&[hand(5, 0, false, 900), hand(6, 0, false, 900)]).remove(0))), None);
    assert_eq!(seats(world.give(open(1, "host", SessionKind::Console).remove(0))), Some((vec![], vec![], vec![], true)));
    assert_eq!(seats(world.give(admit("host", 5).remove(0))), Some((vec![5], vec![], vec![], true)));
    let declined = world.give(act("host", Action::Decline { hand: 6 }).remove(0));
    assert_eq!(seats(declined), Some((vec![5], vec![6], vec![], true)));
    let again = world.give(raised(&[hand(6, 0, false, 2_000)]).remove(0));
    assert_eq!(seats(again), Some((vec![5], vec![], vec![], true)), "who raises it again waits");
    assert_eq!(seats(world.give(Input::Closed(SessionId(1)))), Some((vec![5], vec![], vec![], false)));
}

#[test]
fn a_banned_hand_is_not_seen() {
    let mut world = World::new();
    world.all([media(1, "host"), with_ticket(media(2, "a"), 5, false), raised(&[hand(5, 3, false, 900)])].concat());
    world.all(act("host", Action::Ban { participant: ParticipantId(2) }));
    assert_eq!(queue(&world), [0; 0]);
}
