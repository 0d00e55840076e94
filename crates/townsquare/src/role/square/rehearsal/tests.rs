//! What is kept of rehearsals, and what a conductor's words become.

use super::child;
use super::files::{Files, Underway};
use api::{End, Last};
use base::{EventId, UnixMillis};
use square::rehearsal::Crowd;

const CROWD: Crowd = Crowd { listeners: 300, seconds: 20 };

#[tokio::test]
async fn what_is_kept_is_read_again() {
    let dir = std::env::temp_dir().join(format!("ts-rehearsals-{:016x}", rand::random::<u64>()));
    let files = Files::new(dir.join("rehearsals"));
    let [event, hidden] = [7, 8].map(EventId::from_random);
    assert_eq!((files.last(event).await, files.underway().await), (None, None));
    let underway = Underway { event, hidden, crowd: CROWD, began: UnixMillis(1_800_000_000_000) };
    files.begin(&underway).await.expect("noted");
    assert_eq!(files.underway().await, Some(underway));
    files.finish().await.expect("put away");
    assert_eq!(files.underway().await, None);
    for end in [End::Verdict("Holds 300 listeners.".into()), End::Failed("The stage is full.".into()), End::Stopped] {
        let last = Last { crowd: CROWD, at: UnixMillis(1_800_000_060_000), end };
        files.note(event, &last).await.expect("noted");
        assert_eq!(files.last(event).await, Some(last));
    }
    assert_eq!((files.last(hidden).await, files.report(event).await), (None, None));
    std::fs::write(dir.join("rehearsals").join(format!("{event}.json")), "half a fi").expect("it is ours");
    assert_eq!(files.last(event).await, None, "what is damaged is none");
    std::fs::remove_dir_all(dir).expect("it is ours");
}

#[tokio::test]
async fn why_it_failed_is_its_last_word() {
    for (said, told) in [
        ("townsquare: the stream does not come\n", "The stream does not come."),
        ("a line of a log\ntownsquare: first\ntownsquare: is it there?\nand a trace", "Is it there?"),
        ("thread 'main' panicked", "The rehearsal broke off. The server’s log says more."),
        ("", "The rehearsal broke off. The server’s log says more."),
    ] {
        assert_eq!(child::complaint(said.as_bytes()).await, told);
    }
}

#[tokio::test]
async fn the_verdict_is_its_last_line() {
    let heard = std::cell::Cell::new(0);
    let moment = "{\"moment\":{\"joined\":5,\"hearing\":4,\"faults\":0,\"left_seconds\":null}}\n";
    for (said, verdict, moments) in [
        (format!("{moment}{moment}{{\"verdict\":\"Holds 5.\"}}\n"), Some("Holds 5.".to_owned()), 2),
        (format!("{moment}what nobody understands\n{moment}"), None, 2),
        (String::new(), None, 0),
    ] {
        heard.set(0);
        assert_eq!(child::verdict(said.as_bytes(), &|_| heard.set(heard.get() + 1)).await, verdict, "{said}");
        assert_eq!(heard.get(), moments, "{said}");
    }
}
