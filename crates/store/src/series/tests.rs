//! Series on both engines.

use super::{Repeats, Series, SeriesId};
use crate::testing::{event, on_both};
use base::{UnixMillis, Visibility};

#[test]
fn a_series_and_its_events_are_there_whole_or_not_at_all() {
    on_both(|store| async move {
        let series = Series {
            id: SeriesId(5),
            title: "Council".into(),
            visibility: Visibility::Public,
            repeats: Repeats::Monthly,
            created_by: None,
            created_at: UnixMillis(1),
        };
        let events: Vec<_> = [(1, 70), (2, 60)]
            .into_iter()
            .map(|(id, at)| crate::Event { series: Some(series.id), start_at: Some(UnixMillis(at)), ..event(id, Visibility::Public, 5) })
            .collect();
        let twice = [events[0].clone(), events[0].clone()];
        assert!(matches!(store.insert_events(Some(&series), &twice, &[]).await, Err(crate::Error::Taken)));
        assert_eq!(store.series(series.id).await.expect("answers"), None);
        store.insert_events(Some(&series), &events, &[]).await.expect("free");
        assert_eq!(store.series(series.id).await.expect("answers"), Some(series.clone()));
        let found = store.events_of_series(series.id).await.expect("answers");
        assert_eq!(found.iter().map(|event| event.id.to_i64()).collect::<Vec<_>>(), [2, 1]);
    });
}
