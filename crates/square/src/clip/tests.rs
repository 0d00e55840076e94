//! Who makes clips of what, and who takes them away.

use super::{Wanted, find_clip, make, may_delete};
use crate::Actor;
use crate::testing::{NOW, chance, somebody, with_store};
use base::{FaultKind, FragmentNumber, UnixMillis, Visibility};
use store::{Account, AccountId, Role};

fn wanted(title: &str, from: &str, to: &str) -> Wanted {
    Wanted { title: title.into(), from: from.into(), to: to.into() }
}

#[test]
fn members_clip_what_they_hear() {
    with_store(|store| async move {
        let event = store::testing::event(7, Visibility::Private, 5);
        store.insert_event(&event).await.expect("free");
        for id in [3, 4] {
            let account = Account { id: AccountId(id), name: format!("a{id}"), role: Role::Member, created_at: NOW };
            store.insert_account(&account).await.expect("free");
        }
        let member = somebody(3, Role::Member);
        let clip = async |actor: &Actor, ticket: bool, typed: Wanted, nth: u8| {
            make(&store, actor, event.id, ticket, &typed, (NOW, &chance(nth))).await.map_err(|fault| fault.kind)
        };
        let short = || wanted("", "0:10", "0:20");
        assert_eq!(clip(&member, true, short(), 1).await, Err(FaultKind::NoReplay), "it is not over");
        store.mark_live(event.id, NOW).await.expect("live");
        store.mark_ended(event.id, UnixMillis(NOW.0 + 1), FragmentNumber(600)).await.expect("over");
        store.note_replay(event.id, &(FragmentNumber(100)..FragmentNumber(600)), 0, NOW).await.expect("read");
        assert_eq!(clip(&Actor::Visitor, true, short(), 1).await, Err(FaultKind::NotSignedIn));
        assert_eq!(clip(&member, false, short(), 1).await, Err(FaultKind::EventUnknown));
        assert_eq!(clip(&member, true, wanted("", "0:10", "0:12"), 1).await, Err(FaultKind::RangeUnusable));
        let made = clip(&member, true, short(), 1).await.expect("made");
        assert_eq!((made.title.as_str(), made.range.clone()), ("Event 7", FragmentNumber(150)..FragmentNumber(200)));
        assert_eq!(clip(&member, true, wanted("Mine", "0", "1:40"), 2).await.expect("made").title, "Mine", "the whole is a clip too");
        assert_eq!(find_clip(&store, &Actor::Visitor, made.id, false).await.map_err(|fault| fault.kind).err(), Some(FaultKind::NotFound));
        let (found, of) = find_clip(&store, &Actor::Visitor, made.id, true).await.expect("is there");
        assert_eq!((&found, of.id), (&made, event.id));
        assert_eq!(may_delete(&member, &made, &of), Ok(()));
        assert_eq!(may_delete(&somebody(4, Role::Member), &made, &of), Err(FaultKind::Forbidden));
        assert_eq!(may_delete(&somebody(1, Role::Admin), &made, &of), Ok(()));
        assert_eq!(may_delete(&Actor::Visitor, &made, &of), Err(FaultKind::NotSignedIn));
    });
}
