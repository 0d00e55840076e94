//! Who hears and changes what, and which times are taken.

use super::{Audible, audible, find_to_change, outside, range};
use crate::Actor;
use crate::testing::{NOW, somebody, with_store};
use base::{FaultKind, FragmentNumber, UnixMillis, Visibility};
use std::ops::Range;
use store::replay::DeletedBy;
use store::{Event, Replay, Role};

const fn numbers(range: Range<u64>) -> Range<FragmentNumber> {
    FragmentNumber(range.start)..FragmentNumber(range.end)
}

fn over() -> Event {
    let event = store::testing::event(7, Visibility::Public, 5);
    Event { live_at: Some(NOW), ended_at: Some(NOW), end: Some(FragmentNumber(600)), ..event }
}

fn replay() -> Replay {
    Replay { heard: numbers(100..603), is_read: true, ..Replay::unread(over().id) }
}

#[test]
fn who_hears_a_replay() {
    let (hidden, deleted) =
        (Replay { hidden_at: Some(NOW), ..replay() }, Replay { hidden_at: Some(NOW), deleted: Some((NOW, DeletedBy::Owner)), ..replay() });
    let nothing = Replay { heard: numbers(0..0), ..replay() };
    let rows = [
        (Actor::Visitor, None, Audible::Yes),
        (Actor::Visitor, Some(replay()), Audible::Yes),
        (Actor::Visitor, Some(hidden.clone()), Audible::No),
        (somebody(3, Role::Member), Some(hidden.clone()), Audible::No),
        (somebody(1, Role::Admin), Some(hidden), Audible::ForWhoRunsIt),
        (Actor::Operator, Some(deleted), Audible::No),
        (Actor::Operator, Some(nothing), Audible::No),
    ];
    for (actor, replay, wanted) in rows {
        assert_eq!(audible(&actor, &over(), replay.as_ref()), wanted, "{actor:?} {replay:?}");
    }
    assert_eq!(audible(&Actor::Visitor, &Event { end: None, ..over() }, None), Audible::No);
}

#[test]
fn times_are_of_the_replay() {
    let rows = [
        ("0", "100.6", Some(100..603)),
        ("0", "1:41", Some(100..603)),
        ("0:10", "0:15", Some(150..175)),
        ("10.1", "15.2", Some(150..176)),
        ("0:10", "0:14.9", Some(150..175)),
        ("0:10", "0:14.7", None),
        ("1:00", "0:10", None),
        ("0", "1:42", None),
        ("1:40", "1:41", None),
        ("", "1:00", None),
        ("0", "soon", None),
    ];
    for (from, to, wanted) in rows {
        assert_eq!(range(&replay(), from, to).ok(), wanted.map(numbers), "{from:?} to {to:?}");
    }
}

#[test]
fn a_trim_cuts_what_is_outside() {
    for (from, to, wanted) in
        [(100, 603, &[][..]), (150, 603, &[(100, 150)][..]), (100, 500, &[(500, 603)][..]), (150, 500, &[(100, 150), (500, 603)][..])]
    {
        let cut: Vec<_> = outside(&replay(), &numbers(from..to)).into_iter().map(|range| (range.start.0, range.end.0)).collect();
        assert_eq!(cut, wanted, "{from} to {to}");
    }
}

#[test]
fn who_changes_a_replay_and_when() {
    with_store(|store| async move {
        let event = over();
        store.insert_event(&event).await.expect("free");
        let find = async |actor: &Actor| find_to_change(&store, actor, event.id).await.map(drop).map_err(|fault| fault.kind);
        assert_eq!(find(&Actor::Operator).await, Err(FaultKind::NoReplay), "it is not over");
        store.mark_live(event.id, NOW).await.expect("live");
        store.mark_ended(event.id, UnixMillis(NOW.0 + 1), FragmentNumber(600)).await.expect("over");
        assert_eq!(find(&Actor::Operator).await, Ok(()));
        assert_eq!(find(&somebody(1, Role::Admin)).await, Ok(()));
        assert_eq!(find(&somebody(3, Role::Member)).await, Err(FaultKind::Forbidden));
        assert_eq!(find(&Actor::Visitor).await, Err(FaultKind::NotSignedIn));
        store.note_deleted(event.id, NOW, DeletedBy::Retention).await.expect("noted");
        assert_eq!(find(&Actor::Operator).await, Err(FaultKind::NoReplay));
    });
}
