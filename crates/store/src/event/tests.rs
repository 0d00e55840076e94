//! Events on both engines.

use super::{Event, Listed, Phase};
use crate::series::{Repeats, Series, SeriesId};
use crate::testing::{account, event, on_both};
use base::{Delay, EventId, FragmentNumber, Plan, Speak, UnixMillis, Visibility};

fn ids(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.id.to_i64()).collect()
}

#[test]
fn an_event_reads_back_and_only_moves_on() {
    on_both(|store| async move {
        let mut town = event((1 << 60) - 1, Visibility::Private, 5);
        town.start_at = Some(UnixMillis(50));
        town.description = "Bring a chair.\n\nOr stand.".into();
        town.language = "ar".into();
        town.plan = Plan { speak: Speak::Invited, delay: Delay::Seconds10, record_tracks: true, empty_minutes: 3, doors_minutes: 0 };
        town.passphrase = Some("$argon2id$".into());
        store.insert_event(&town).await.expect("free");
        assert_eq!(store.event(town.id).await.expect("answers").as_ref(), Some(&town));
        assert!(matches!(store.insert_event(&town).await, Err(crate::Error::Taken)));
        for (since, kept) in [(60, 60), (70, 60)] {
            store.mark_live(town.id, UnixMillis(since)).await.expect("noted");
            assert_eq!(store.event(town.id).await.expect("answers").and_then(|event| event.live_at), Some(UnixMillis(kept)));
        }
        assert_eq!(store.open_events().await.expect("answers").len(), 1);
        for (at, number) in [(90, 150), (95, 999)] {
            store.mark_ended(town.id, UnixMillis(at), FragmentNumber(number)).await.expect("noted");
        }
        let over = store.event(town.id).await.expect("answers").expect("is there");
        assert_eq!((over.ended_at, over.end, over.phase()), (Some(UnixMillis(90)), Some(FragmentNumber(150)), Phase::Ended));
        assert!(over.has_replay());
        assert!(store.open_events().await.expect("answers").is_empty());
    });
}

#[test]
fn lists_are_by_phase_visibility_and_time() {
    on_both(|store| async move {
        // (id, visibility, live at, ended at)
        let rows = [
            (1, Visibility::Public, None, None),
            (2, Visibility::Unlisted, None, None),
            (3, Visibility::Public, Some(30), None),
            (4, Visibility::Public, Some(40), None),
            (5, Visibility::Public, Some(50), Some(51)),
            (6, Visibility::Private, Some(60), Some(61)),
        ];
        for (id, visibility, live, ended) in rows {
            let event = event(id, visibility, i64::try_from(id).expect("small"));
            store.insert_event(&event).await.expect("free");
            if let Some(at) = live {
                store.mark_live(event.id, UnixMillis(at)).await.expect("noted");
            }
            if let Some(at) = ended {
                store.mark_ended(event.id, UnixMillis(at), FragmentNumber(5)).await.expect("noted");
            }
        }
        let public = &[Visibility::Public][..];
        let expected = [
            (Phase::Announced, public, 9, vec![1]),
            (Phase::Announced, &Visibility::ALL, 9, vec![1, 2]),
            (Phase::Live, public, 9, vec![4, 3]),
            (Phase::Live, public, 1, vec![4]),
            (Phase::Ended, public, 9, vec![5]),
            (Phase::Ended, &Visibility::ALL, 9, vec![6, 5]),
            (Phase::Ended, &[], 9, vec![]),
        ];
        for (phase, visibilities, limit, wanted) in expected {
            let listed = Listed { visibilities, of: None };
            let found = store.events(phase, listed, None, limit).await.expect("answers");
            assert_eq!(ids(&found), wanted, "{phase:?} {visibilities:?} {limit}");
        }
        let every = Listed { visibilities: &Visibility::ALL, of: None };
        for (after, wanted) in [((61, 6), vec![5]), ((61, 5), vec![6, 5]), ((51, 5), vec![])] {
            let after = (UnixMillis(after.0), EventId::from_random(after.1));
            let found = store.events(Phase::Ended, every, Some(after), 9).await.expect("answers");
            assert_eq!(ids(&found), wanted, "{after:?}");
        }
    });
}

#[test]
fn who_made_an_event_and_its_guests_have_it_listed() {
    on_both(|store| async move {
        let (ada, bob, eve) = (account(1, "Ada"), account(2, "Bob"), account(3, "Eve"));
        for account in [&ada, &bob, &eve] {
            store.insert_account(account).await.expect("free");
        }
        let mut board = event(7, Visibility::Private, 5);
        board.created_by = Some(ada.id);
        store.insert_events(None, std::slice::from_ref(&board), &[bob.id]).await.expect("free");
        let listed = async |of| {
            let found = store.events(Phase::Announced, Listed { visibilities: &[Visibility::Public], of }, None, 9).await;
            ids(&found.expect("answers"))
        };
        assert_eq!((listed(Some(ada.id)).await, listed(Some(bob.id)).await), (vec![7], vec![7]));
        assert_eq!((listed(Some(eve.id)).await, listed(None).await), (vec![], vec![]));
        assert_eq!(store.open_events_of(ada.id).await.expect("answers"), 1);
        assert!(store.update_event(&board, &[eve.id], UnixMillis(9)).await.expect("changed"));
        assert_eq!((listed(Some(bob.id)).await, listed(Some(eve.id)).await), (vec![], vec![7]));
    });
}

#[test]
fn of_a_series_the_next_event_comes_and_hides_no_other() {
    on_both(|store| async move {
        let (ada, bob) = (account(1, "Ada"), account(2, "Bob"));
        for account in [&ada, &bob] {
            store.insert_account(account).await.expect("free");
        }
        let series = Series {
            id: SeriesId(5),
            title: "Council".into(),
            visibility: Visibility::Public,
            repeats: Repeats::Weekly,
            created_by: Some(ada.id),
            created_at: UnixMillis(1),
        };
        let of_series = |id, visibility, start| Event {
            series: Some(series.id),
            start_at: Some(UnixMillis(start)),
            created_by: Some(ada.id),
            ..event(id, visibility, 1)
        };
        let weeks = [of_series(4, Visibility::Public, 40), of_series(1, Visibility::Private, 10), of_series(2, Visibility::Public, 20)];
        store.insert_events(Some(&series), &weeks, &[]).await.expect("free");
        for (id, start) in [(5, 50), (6, 60)] {
            store.insert_event(&Event { start_at: Some(UnixMillis(start)), ..event(id, Visibility::Public, 1) }).await.expect("free");
        }
        let found = async |of, limit| {
            let listed = Listed { visibilities: &[Visibility::Public], of };
            ids(&store.events_to_come(listed, limit).await.expect("answers"))
        };
        assert_eq!(found(Some(ada.id), 9).await, [1, 5, 6]);
        assert_eq!(found(Some(bob.id), 9).await, [2, 5, 6], "what is private stands for nothing");
        assert_eq!(found(None, 2).await, [2, 5], "as many as are shown");
        store.mark_live(EventId::from_random(2), UnixMillis(20)).await.expect("noted");
        assert_eq!(found(None, 9).await, [4, 5, 6]);
    });
}

#[test]
fn an_announcement_changes_and_goes_until_it_is_live() {
    on_both(|store| async move {
        let mut town = event(7, Visibility::Public, 5);
        store.insert_event(&town).await.expect("free");
        town.title = "Moved".into();
        town.start_at = Some(UnixMillis(80));
        town.plan.delay = Delay::Seconds5;
        assert!(store.update_event(&town, &[], UnixMillis(9)).await.expect("changed"));
        store.set_picture(town.id, Some("ab")).await.expect("noted");
        let wanted = Event { revision: 1, changed_at: Some(UnixMillis(9)), picture: Some("ab".into()), ..town.clone() };
        assert_eq!(store.event(town.id).await.expect("answers"), Some(wanted));
        store.mark_doors(town.id, UnixMillis(90)).await.expect("noted");
        assert_eq!(
            store.event(town.id).await.expect("answers").map(|event| (event.phase(), event.is_open_to_change())),
            Some((Phase::Announced, false))
        );
        assert!(!store.update_event(&town, &[], UnixMillis(99)).await.expect("answers"));
        assert!(!store.delete_announced(town.id).await.expect("answers"));
        let other = event(8, Visibility::Public, 5);
        store.insert_event(&other).await.expect("free");
        assert!(store.delete_announced(other.id).await.expect("gone"));
        assert_eq!(store.event(other.id).await.expect("answers"), None);
    });
}
