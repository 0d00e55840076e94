//! Who sees and does what.

use super::{Circumstances, Field, Policy, Reach, Ties, Wanted, change, find, find_to_run, list, reach, read, take_back};
use crate::testing::{NOW, chance, somebody, with_store};
use crate::{Actor, Fault};
use base::{FaultKind, FragmentNumber, UnixMillis, Visibility};
use jiff::tz::TimeZone;
use store::{Event, Phase, Role, Store};

fn wanted(title: &str, visibility: &str) -> Wanted {
    Wanted { title: title.into(), visibility: visibility.into(), ..Wanted::default() }
}

/// Announces, at a square whose members may when `members_open`.
async fn open_where(store: &Store, members_open: bool, actor: &Actor, wanted: &Wanted, byte: u8) -> Result<Vec<Event>, Fault> {
    let draft = read(wanted, NOW, None).map_err(|faults| faults.into_values().next().expect("a fault"))?;
    let hash = draft.passphrase.as_deref().map(|typed| format!("hash of {typed}"));
    let around = Circumstances { hash, zone: &TimeZone::UTC, now: NOW, chance: &chance(byte) };
    super::open(store, actor, Policy { members_open }, draft, around).await
}

async fn open(store: &Store, actor: &Actor, wanted: &Wanted, byte: u8) -> Event {
    open_where(store, true, actor, wanted, byte).await.expect("opened").remove(0)
}

#[test]
fn who_sees_what() {
    use Reach::{Asks, ByLink, Hidden, Listed};
    let (admin, moderator, member) = (somebody(1, Role::Admin), somebody(2, Role::Moderator), somebody(3, Role::Member));
    // (who, [public, unlisted, private], private with a ticket)
    let rows = [
        (Actor::Visitor, [Listed, ByLink, Hidden], ByLink),
        (member, [Listed, ByLink, Hidden], ByLink),
        (moderator, [Listed, ByLink, Hidden], ByLink),
        (admin, [Listed, Listed, Listed], Listed),
        (Actor::Operator, [Listed, Listed, Listed], Listed),
    ];
    for (actor, reaches, invited) in rows {
        for (visibility, wanted) in Visibility::ALL.into_iter().zip(reaches) {
            assert_eq!(reach(&actor, visibility, Ties::default()), wanted, "{actor:?} {visibility:?}");
        }
        let private = |ties| reach(&actor, Visibility::Private, ties);
        assert_eq!(private(Ties { ticket: true, passphrase: true, ..Ties::default() }), invited, "{actor:?} has a ticket");
        let asked = if actor.administers() { Listed } else { Asks };
        assert_eq!(private(Ties { passphrase: true, ..Ties::default() }), asked, "{actor:?} may know the passphrase");
        for ties in [Ties { made_it: true, ..Ties::default() }, Ties { guest: true, ..Ties::default() }] {
            assert_eq!((private(ties), reach(&actor, Visibility::Unlisted, ties)), (Listed, Listed), "{actor:?} {ties:?}");
        }
    }
}

#[test]
fn who_opens_what() {
    with_store(|store| async move {
        let rows = [
            (Actor::Visitor, wanted("A", ""), Some(FaultKind::NotSignedIn)),
            (somebody(3, Role::Member), wanted("A", ""), Some(FaultKind::Forbidden)),
            (somebody(3, Role::Moderator), wanted("A", ""), Some(FaultKind::Forbidden)),
            (Actor::Operator, wanted("A", ""), None),
            (Actor::Operator, wanted("A", "private"), None),
            (Actor::Operator, wanted("A", "secret"), Some(FaultKind::BadRequest)),
            (Actor::Operator, wanted(" ", ""), Some(FaultKind::TitleMissing)),
            (Actor::Operator, Wanted { start: "soon".into(), ..wanted("A", "") }, Some(FaultKind::BadTime)),
        ];
        for (place, (actor, wanted, refused)) in rows.into_iter().enumerate() {
            let opened = open_where(&store, false, &actor, &wanted, u8::try_from(place).expect("small")).await;
            assert_eq!(opened.err().map(|fault| fault.kind), refused, "{actor:?} {wanted:?}");
        }
        assert_eq!(list(&store, &Actor::Visitor, Phase::Announced, None, 9).await.expect("answers").len(), 1);
        assert_eq!(list(&store, &Actor::Operator, Phase::Announced, None, 9).await.expect("answers").len(), 2);
    });
}

#[test]
fn a_private_event_is_as_if_it_were_not_there() {
    with_store(|store| async move {
        let event = open(&store, &Actor::Operator, &wanted("A", "private"), 1).await;
        let rows = [
            (Actor::Visitor, false, Some(FaultKind::EventUnknown)),
            (Actor::Visitor, true, None),
            (somebody(3, Role::Member), false, Some(FaultKind::EventUnknown)),
            (somebody(1, Role::Admin), false, None),
        ];
        for (actor, ticket, refused) in rows {
            let found = find(&store, &actor, event.id, ticket).await;
            assert_eq!(found.err().map(|fault| fault.kind), refused, "{actor:?} {ticket}");
        }
    });
}

#[test]
fn an_ended_event_is_not_run_again() {
    with_store(|store| async move {
        let event = open(&store, &Actor::Operator, &wanted("A", "public"), 1).await;
        let run = async |actor: &Actor| find_to_run(&store, actor, event.id).await.err().map(|fault| fault.kind);
        assert_eq!(run(&Actor::Visitor).await, Some(FaultKind::NotSignedIn));
        assert_eq!(run(&somebody(3, Role::Member)).await, Some(FaultKind::Forbidden));
        assert_eq!(run(&Actor::Operator).await, None);
        store.mark_ended(event.id, UnixMillis(NOW.0 + 1), FragmentNumber(0)).await.expect("noted");
        assert_eq!(run(&Actor::Operator).await, Some(FaultKind::EventEnded));
    });
}

/// Bob, with a row.
async fn bob(store: &Store) -> Actor {
    let bob = somebody(3, Role::Member);
    store.insert_account(bob.account().expect("an account")).await.expect("free");
    bob
}

#[test]
fn members_open_change_and_take_back_what_is_theirs() {
    with_store(|store| async move {
        let (bob, eve) = (bob(&store).await, somebody(4, Role::Member));
        let event = open(&store, &bob, &wanted("A", "unlisted"), 1).await;
        assert_eq!(list(&store, &bob, Phase::Announced, None, 9).await.expect("answers"), std::slice::from_ref(&event));
        let moved = || read(&Wanted { start: "2026-11-21T18:00".into(), ..wanted("B", "public") }, NOW, Some(&event)).expect("fits");
        let refused = change(&store, &eve, event.id, moved(), None, NOW).await.err().map(|fault| fault.kind);
        assert_eq!(refused, Some(FaultKind::Forbidden));
        let changed = change(&store, &bob, event.id, moved(), None, NOW).await.expect("changed");
        assert_eq!((changed.title.as_str(), changed.visibility, changed.revision), ("B", Visibility::Public, 1));
        // An hour later its start has passed: unchanged it may stay.
        let later = UnixMillis(NOW.0 + 48 * 3_600_000);
        let same = Wanted { start: "2026-11-21T18:00".into(), ..wanted("C", "public") };
        assert!(read(&same, later, Some(&changed)).is_ok() && read(&same, later, None).is_err());
        store.mark_live(event.id, NOW).await.expect("noted");
        for refused in [change(&store, &bob, event.id, moved(), None, NOW).await, take_back(&store, &bob, event.id).await] {
            assert_eq!(refused.err().map(|fault| fault.kind), Some(FaultKind::EventBegun));
        }
        let other = open(&store, &bob, &wanted("A", ""), 2).await;
        take_back(&store, &bob, other.id).await.expect("gone");
        assert_eq!(find(&store, &bob, other.id, false).await.err().map(|fault| fault.kind), Some(FaultKind::EventUnknown));
    });
}

#[test]
fn a_private_event_lets_in_its_guests_and_asks_for_its_passphrase() {
    with_store(|store| async move {
        let (bob, eve) = (bob(&store).await, somebody(4, Role::Member));
        let typed = Wanted { passphrase: "the old bridge".into(), guests: "@A3".into(), ..wanted("Board", "private") };
        let board = open(&store, &Actor::Operator, &typed, 1).await;
        assert_eq!(super::guests(&store, &board).await.expect("answers"), ["a3"]);
        assert_eq!(list(&store, &bob, Phase::Announced, None, 9).await.expect("answers").len(), 1);
        assert!(list(&store, &eve, Phase::Announced, None, 9).await.expect("answers").is_empty());
        let found = async |actor: &Actor| find(&store, actor, board.id, false).await.err().map(|fault| fault.kind);
        assert_eq!((found(&bob).await, found(&eve).await), (None, Some(FaultKind::PassphraseNeeded)));
        // What is left empty in a form keeps the passphrase; a public event has none.
        for (typed, kept) in [(wanted("Board", "private"), true), (Wanted { no_passphrase: true, ..wanted("Board", "private") }, false)] {
            let draft = read(&typed, NOW, Some(&board)).expect("fits");
            let changed = change(&store, &Actor::Operator, board.id, draft, None, NOW).await.expect("changed");
            assert_eq!(changed.passphrase.is_some(), kept, "{typed:?}");
        }
        assert_eq!((found(&bob).await, found(&eve).await), (Some(FaultKind::EventUnknown), Some(FaultKind::EventUnknown)));
        let nobody = Wanted { guests: "nobody".into(), ..wanted("Board", "private") };
        let refused = open_where(&store, true, &Actor::Operator, &nobody, 2).await.err().map(|fault| fault.kind);
        assert_eq!(refused, Some(FaultKind::GuestsUnusable));
    });
}

#[test]
fn a_series_is_many_events_and_counts_as_such() {
    with_store(|store| async move {
        let bob = bob(&store).await;
        let weekly = |times: &str| Wanted {
            start: "2026-11-21T18:00".into(),
            repeats: "weekly".into(),
            times: times.into(),
            ..wanted("Council", "")
        };
        let events = open_where(&store, true, &bob, &weekly("52"), 1).await.expect("opened");
        let series = events[0].series.expect("a series");
        assert_eq!(store.events_of_series(series).await.expect("answers"), events);
        let refused = open_where(&store, true, &bob, &weekly("49"), 2).await.err().map(|fault| fault.kind);
        assert_eq!(refused, Some(FaultKind::EventsAheadFull));
        assert!(open_where(&store, true, &bob, &weekly("48"), 3).await.is_ok());
    });
}

#[test]
fn each_field_has_its_own_fault() {
    let typed = Wanted {
        description: "x".repeat(4_001),
        language: "de_DE".into(),
        start: "soon".into(),
        visibility: "private".into(),
        passphrase: "short".into(),
        guests: "no spaces, or-hyphens".into(),
        delay: "7".into(),
        empty_minutes: "0".into(),
        repeats: "weekly".into(),
        ..Wanted::default()
    };
    let faults = read(&typed, NOW, None).expect_err("full of faults");
    let wanted = [
        (Field::Title, FaultKind::TitleMissing),
        (Field::Description, FaultKind::DescriptionTooLong),
        (Field::Language, FaultKind::LanguageUnusable),
        (Field::Start, FaultKind::BadTime),
        (Field::Passphrase, FaultKind::PassphraseUnusable),
        (Field::Guests, FaultKind::GuestsUnusable),
        (Field::Delay, FaultKind::BadRequest),
        (Field::EmptyMinutes, FaultKind::MinutesUnusable),
        (Field::Repeats, FaultKind::SeriesUnusable),
    ];
    assert_eq!(faults.into_iter().collect::<Vec<_>>(), wanted);
    let undated = Wanted { title: "A".into(), repeats: "weekly".into(), times: "3".into(), ..Wanted::default() };
    assert_eq!(read(&undated, NOW, None).expect_err("no date")[&Field::Repeats], FaultKind::SeriesUnusable);
}
