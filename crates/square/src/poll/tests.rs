//! Polls.

use super::{close, open, read, vote};
use crate::testing::{NOW, with_store};
use base::{FaultKind, Visibility};

fn lines(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

#[test]
fn a_poll_has_two_to_six_different_answers() {
    let long = format!("Yes|{}", "x".repeat(61));
    let rows = [
        ("Yes|No", Ok(2)),
        ("Yes|| No |", Ok(2)),
        ("a|b|c|d|e|f", Ok(6)),
        ("a|b|c|d|e|f|g", Err(FaultKind::PollAnswers)),
        ("Yes", Err(FaultKind::PollAnswers)),
        ("Yes| Yes", Err(FaultKind::PollAnswers)),
        ("", Err(FaultKind::PollAnswers)),
        (long.as_str(), Err(FaultKind::TextTooLong)),
    ];
    for (typed, expected) in rows {
        assert_eq!(read(&lines(typed)).map(|answers| answers.len()), expected, "{typed:?}");
    }
}

#[test]
fn one_poll_is_open_and_takes_votes() {
    with_store(|store| async move {
        let event = store::testing::event(1, Visibility::Public, 1);
        store.insert_event(&event).await.expect("free");
        assert_eq!(open(&store, &event, "So?", &lines("Yes|No"), NOW).await.expect("opens"), 1);
        let refused = |result: Result<(), crate::Fault>| result.expect_err("refused").kind;
        assert_eq!(open(&store, &event, "And?", &lines("Yes|No"), NOW).await.expect_err("one is open").kind, FaultKind::PollOpen);
        vote(&store, &event, 1, 1, 5).await.expect("counts");
        vote(&store, &event, 1, 0, 5).await.expect("changes nothing");
        assert_eq!(refused(vote(&store, &event, 1, 2, 6).await), FaultKind::BadRequest);
        assert_eq!(refused(vote(&store, &event, 2, 0, 6).await), FaultKind::PollClosed);
        assert_eq!(store.newest_poll(event.id).await.expect("answers").expect("is there").votes, [0, 1]);
        close(&store, &event, 1).await.expect("closes");
        assert_eq!(refused(close(&store, &event, 1).await), FaultKind::PollClosed);
        assert_eq!(refused(vote(&store, &event, 1, 0, 7).await), FaultKind::PollClosed);
        assert_eq!(open(&store, &event, "And?", &lines("Yes|No"), NOW).await.expect("opens"), 2);
    });
}
