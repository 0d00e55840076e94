//! How large a rehearsal may be, who sends one and when.

use super::{Crowd, is_time, of_event, read};
use crate::Actor;
use crate::testing::{NOW, somebody, with_store};
use base::{FaultKind, Visibility};
use store::{Event, Role};

#[test]
fn what_is_typed() {
    let rows = [
        ("", "", Ok((1_000, 30))),
        (" 20000 ", "300", Ok((20_000, 300))),
        ("1", "1", Ok((1, 1))),
        ("20001", "30", Err(())),
        ("1000", "301", Err(())),
        ("0", "30", Err(())),
        ("-1", "30", Err(())),
        ("many", "30", Err(())),
        ("10", "1.5", Err(())),
    ];
    for (listeners, seconds, wanted) in rows {
        let wanted = wanted.map(|(listeners, seconds)| Crowd { listeners, seconds }).map_err(|()| FaultKind::RehearsalTooLarge);
        assert_eq!(read(listeners, seconds), wanted, "{listeners:?} {seconds:?}");
    }
}

#[test]
fn who_rehearses_and_when() {
    with_store(|store| async move {
        let event = store::testing::event(1, Visibility::Private, NOW.0);
        store.insert_event(&event).await.expect("free");
        let rows = [
            (Actor::Operator, None),
            (somebody(1, Role::Admin), None),
            (somebody(3, Role::Member), Some(FaultKind::EventUnknown)),
            (Actor::Visitor, Some(FaultKind::EventUnknown)),
        ];
        for (actor, refused) in rows {
            assert_eq!(of_event(&store, &actor, event.id).await.err().map(|fault| fault.kind), refused, "{actor:?}");
        }
        assert_eq!(is_time(&event), Ok(()));
        assert_eq!(is_time(&Event { live_at: Some(NOW), ..event }), Err(FaultKind::RehearsalLate));
    });
}
