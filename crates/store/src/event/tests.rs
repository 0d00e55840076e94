//! Events on both engines.

use super::Phase;
use crate::testing::{event, on_both};
use base::{FragmentNumber, UnixMillis, Visibility};

#[test]
fn an_event_reads_back_and_only_moves_on() {
    on_both(|store| async move {
        let mut town = event((1 << 60) - 1, Visibility::Private, 5);
        town.start_at = Some(UnixMillis(50));
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
        for (phase, listed, limit, ids) in expected {
            let found = store.events(phase, listed, limit).await.expect("answers");
            let found: Vec<i64> = found.iter().map(|event| event.id.to_i64()).collect();
            assert_eq!(found, ids, "{phase:?} {listed:?} {limit}");
        }
    });
}
