//! Clips on both engines.

use super::Clip;
use crate::testing::{account, event, on_both};
use base::{ClipId, FragmentNumber, UnixMillis, Visibility};

#[test]
fn a_clip_reads_back_and_goes() {
    on_both(|store| async move {
        let town = event(9, Visibility::Public, 5);
        store.insert_event(&town).await.expect("free");
        store.insert_account(&account(3, "Ada")).await.expect("free");
        let clip = |id: u64, from: u64| Clip {
            id: ClipId::from_random(id),
            event: town.id,
            title: "The plan".into(),
            range: FragmentNumber(from)..FragmentNumber(from + 50),
            created_by: Some(crate::AccountId(3)),
            created_at: UnixMillis(7),
        };
        for clip in [clip(1, 100), clip(2, 20)] {
            store.insert_clip(&clip).await.expect("free");
        }
        assert!(matches!(store.insert_clip(&clip(1, 0)).await, Err(crate::Error::Taken)));
        assert_eq!(store.clip(ClipId::from_random(1)).await.expect("answers"), Some(clip(1, 100)));
        assert_eq!(store.clips(town.id, 9).await.expect("answers"), [clip(2, 20), clip(1, 100)]);
        assert_eq!(store.clips(town.id, 1).await.expect("answers").len(), 1);
        for _ in 0..2 {
            store.delete_clip(ClipId::from_random(2)).await.expect("gone");
        }
        assert_eq!(store.clips(town.id, 9).await.expect("answers"), [clip(1, 100)]);
    });
}
