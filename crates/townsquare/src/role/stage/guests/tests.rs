//! A raised hand is taken, its owner is banned, the event ends.

use super::{Guests, Standing};
use base::EventId;

#[test]
fn a_taken_hand_is_good_for_the_stage_until_its_owner_is_banned() {
    let (guests, event, other) = (Guests::default(), EventId::FIRST, EventId::LAST);
    let check = |wanted: [Standing; 3]| {
        let found = [guests.standing(event, 7), guests.standing(event, 8), guests.standing(other, 7)];
        assert_eq!(found, wanted);
    };
    use Standing::{Barred, Guest, Listener};
    check([Listener, Listener, Listener]);
    guests.admit(event, &[7, 8]);
    check([Guest, Guest, Listener]);
    // The stage says both: who is barred has lost their seat.
    guests.bar(event, &[7]);
    check([Barred, Guest, Listener]);
    guests.admit(event, &[]);
    check([Barred, Listener, Listener]);
    guests.forget(event);
    check([Listener, Listener, Listener]);
}
