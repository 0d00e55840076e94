//! Connections and what is said about them.

use super::{By, Connection, Grade};

const GOOD: Connection = Connection { rtt_ms: Some(40), loss_up_permille: 3, loss_down_permille: 0, jitter_ms: 4, by: By::Udp };

#[track_caller]
fn check(connection: Connection, grade: Grade, words: &str) {
    let verdict = connection.verdict(7_882);
    assert_eq!(verdict.grade, grade, "{verdict:?}");
    assert!(verdict.words.contains(words) && verdict.words.ends_with('.'), "{verdict:?} does not say {words:?}");
}

#[test]
fn the_verdict_names_what_is_wrong() {
    check(GOOD, Grade::Good, "is good");
    check(Connection { rtt_ms: None, ..GOOD }, Grade::Good, "is good");
    check(Connection { loss_up_permille: 20, ..GOOD }, Grade::Fair, "2 % of what you say");
    check(Connection { loss_up_permille: 80, ..GOOD }, Grade::Bad, "8 % of what you say");
    check(Connection { loss_down_permille: 60, ..GOOD }, Grade::Bad, "6 % of what the others say");
    check(Connection { jitter_ms: 35, ..GOOD }, Grade::Fair, "35 ms");
    check(Connection { jitter_ms: 200, ..GOOD }, Grade::Bad, "200 ms");
    check(Connection { rtt_ms: Some(300), ..GOOD }, Grade::Fair, "300 ms");
    check(Connection { rtt_ms: Some(900), ..GOOD }, Grade::Bad, "VPN");
    check(Connection { by: By::Tcp, ..GOOD }, Grade::Fair, "UDP port 7882 seems to be blocked");
}

#[test]
fn the_worst_comes_first() {
    check(Connection { by: By::Tcp, rtt_ms: Some(600), ..GOOD }, Grade::Bad, "600 ms");
    check(Connection { loss_up_permille: 30, loss_down_permille: 90, ..GOOD }, Grade::Bad, "the others");
    check(Connection { loss_up_permille: 30, by: By::Tcp, ..GOOD }, Grade::Fair, "what you say");
    assert_eq!([Grade::Good, Grade::Fair, Grade::Bad].map(Grade::name), ["good", "fair", "bad"]);
}
