//! Replays on both engines.

use super::{DeletedBy, Replay};
use crate::testing::{event, on_both};
use base::{EventId, FragmentNumber, UnixMillis, Visibility};

#[test]
fn a_replay_is_read_cut_hidden_and_deleted() {
    on_both(|store| async move {
        let of = |id: u64| EventId::from_random(id);
        for (id, ended) in [(1, 100), (2, 200), (3, 300)] {
            store.insert_event(&event(id, Visibility::Public, 5)).await.expect("free");
            store.mark_live(of(id), UnixMillis(10)).await.expect("live");
            store.mark_ended(of(id), UnixMillis(ended), FragmentNumber(500)).await.expect("over");
        }
        store.insert_event(&event(4, Visibility::Public, 5)).await.expect("free");
        assert_eq!(store.replay(of(1)).await.expect("answers"), None);
        assert_eq!(store.unread_replays(9).await.expect("answers"), [of(1), of(2), of(3)]);

        let heard = FragmentNumber(20)..FragmentNumber(471);
        store.note_replay(of(1), &heard, 2, UnixMillis(400)).await.expect("noted");
        let read = Replay { heard: heard.clone(), cuts: 2, is_read: true, ..Replay::unread(of(1)) };
        assert_eq!(store.replay(of(1)).await.expect("answers"), Some(read.clone()));
        assert_eq!(read.seconds(), 91);
        assert_eq!(store.unread_replays(9).await.expect("answers"), [of(2), of(3)]);
        assert_eq!(store.replays_without_mp3(9).await.expect("answers"), [of(1)]);
        store.note_mp3(of(1), 1, 9).await.expect("answers");
        assert_eq!(store.replays_without_mp3(9).await.expect("answers"), [of(1)], "it was cut meanwhile");
        store.note_mp3(of(1), 2, 7_000).await.expect("noted");
        assert_eq!(store.replay(of(1)).await.expect("answers").and_then(|replay| replay.mp3_bytes), Some(7_000));

        store.hide_replay(of(2), Some(UnixMillis(7))).await.expect("hidden");
        assert_eq!(store.unread_replays(9).await.expect("answers"), [of(2), of(3)], "it is read all the same");
        store.note_deleted(of(3), UnixMillis(8), DeletedBy::Retention).await.expect("deleted");
        store.note_deleted(of(3), UnixMillis(9), DeletedBy::Owner).await.expect("answers");
        let gone = store.replay(of(3)).await.expect("answers").expect("is there");
        assert_eq!((gone.deleted, gone.is_withheld()), (Some((UnixMillis(8), DeletedBy::Retention)), true));
        assert_eq!(store.withheld_replays(9).await.expect("answers"), [of(3), of(2)]);
        assert_eq!(store.replays_from_before(UnixMillis(250), 9).await.expect("answers"), [of(1), of(2)]);
        store.hide_replay(of(2), None).await.expect("shown");
        assert_eq!(store.withheld_replays(9).await.expect("answers"), [of(3)]);
    });
}
