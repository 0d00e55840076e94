//! Questions.

use super::{ask, settle, vote};
use crate::testing::{NOW, with_store};
use base::{FaultKind, Visibility};

#[test]
fn a_question_is_asked_voted_for_and_settled() {
    with_store(|store| async move {
        let event = store::testing::event(1, Visibility::Public, 1);
        store.insert_event(&event).await.expect("free");
        let long = "x".repeat(300);
        for (text, refused) in [("Why?", None), ("  ", Some(FaultKind::TextMissing)), (long.as_str(), Some(FaultKind::TextTooLong))] {
            assert_eq!(ask(&store, &event, 1, "", text, NOW).await.err().map(|fault| fault.kind), refused, "{text:?}");
        }
        vote(&store, &event, 1, 2).await.expect("counts");
        assert_eq!(vote(&store, &event, 9, 2).await.expect_err("none").kind, FaultKind::NotFound);
        let asked = store.questions(event.id, 9).await.expect("answers");
        assert_eq!((asked.len(), asked[0].votes, asked[0].name.as_str()), (1, 1, ""));
        settle(&store, &event, 1).await.expect("done");
        assert_eq!(settle(&store, &event, 1).await.expect_err("done").kind, FaultKind::NotFound);
        assert_eq!(vote(&store, &event, 1, 3).await.expect_err("done").kind, FaultKind::NotFound);
    });
}
