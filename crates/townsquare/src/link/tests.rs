use super::wire::WireFact;
use super::*;
use base::fact::{Hand, Pin, Poll, Question};
use base::rung::Rung;
use base::{Epoch, EventId, FragmentNumber, UnixMillis};

fn more_facts() -> [Fact; 7] {
    let event = EventId::from_random(7);
    let hand = Hand { id: u64::MAX, name: "Ada".into(), topic: "Roads".into(), votes: 3, spoke: true, since: UnixMillis(8) };
    [
        Fact::Announced { event },
        Fact::Reacted { event, counts: vec![(0, 12), (7, 1)] },
        Fact::Hands { event, hands: vec![hand] },
        Fact::Board {
            event,
            pins: vec![Pin { id: 1, text: "The plan".into(), url: "https://example.org".into() }],
            poll: Some(Poll { id: 2, question: "Which?".into(), answers: vec![("This".into(), 4), ("That".into(), 0)], open: true }),
            questions: vec![Question { id: 3, text: "When?".into(), votes: 5 }],
        },
        Fact::Barred { event, tickets: vec![9] },
        Fact::Bar { event, tickets: vec![u64::MAX] },
        Fact::Seats { event, admitted: vec![1], declined: vec![2], spoke: vec![3], in_charge: true },
    ]
}

fn facts() -> [Fact; 3] {
    let event = EventId::from_random(7);
    [
        Fact::Listening { event, by_rung: vec![(Rung::R64, 10), (Rung::R32, 2)] },
        Fact::Live { event, epoch: Epoch(1), since: UnixMillis(5), begun: true },
        Fact::Ended { event, at: UnixMillis(9), end: FragmentNumber(45) },
    ]
}

#[test]
fn lines_are_as_documented() {
    let [listening, live, ended] = facts().map(|fact| FromRole::Fact((&fact).into()).line());
    assert_eq!(listening, "{\"fact\":{\"listening\":{\"event\":\"000000000007\",\"by_rung\":{\"32\":2,\"64\":10}}}}\n");
    assert_eq!(live, "{\"fact\":{\"live\":{\"event\":\"000000000007\",\"epoch\":1,\"since\":5,\"begun\":true}}}\n");
    assert_eq!(ended, "{\"fact\":{\"ended\":{\"event\":\"000000000007\",\"at\":9,\"end\":45}}}\n");
    assert_eq!(FromRole::Beat {}.line(), "{\"beat\":{}}\n");
    assert_eq!(ToRole::Stop {}.line(), "{\"stop\":{}}\n");
    let hello = FromRole::Hello { role: RoleName::Stage, index: 0, pid: 1, version: "0.1.0".into() };
    assert_eq!(hello.line(), "{\"hello\":{\"role\":\"stage\",\"index\":0,\"pid\":1,\"version\":\"0.1.0\"}}\n");
    assert_eq!(ToRole::Ask { id: 1, path: "/metrics".into() }.line(), "{\"ask\":{\"id\":1,\"path\":\"/metrics\"}}\n");
}

#[test]
fn what_is_said_of_an_event_is_as_documented() {
    let lines = more_facts().map(|fact| FromRole::Fact((&fact).into()).line());
    let board = r#"{"fact":{"board":{"event":"000000000007","pins":[{"id":1,"text":"The plan","url":"https://example.org"}],"poll":{"id":2,"question":"Which?","answers":[["This",4],["That",0]],"open":true},"questions":[{"id":3,"text":"When?","votes":5}]}}}"#;
    let hands = r#"{"fact":{"hands":{"event":"000000000007","hands":[{"id":18446744073709551615,"name":"Ada","topic":"Roads","votes":3,"spoke":true,"since":8}]}}}"#;
    let want = [
        r#"{"fact":{"announced":{"event":"000000000007"}}}"#,
        r#"{"fact":{"reacted":{"event":"000000000007","counts":[[0,12],[7,1]]}}}"#,
        hands,
        board,
        r#"{"fact":{"barred":{"event":"000000000007","tickets":[9]}}}"#,
        r#"{"fact":{"bar":{"event":"000000000007","tickets":[18446744073709551615]}}}"#,
        r#"{"fact":{"seats":{"event":"000000000007","admitted":[1],"declined":[2],"spoke":[3],"in_charge":true}}}"#,
    ];
    assert_eq!(lines, want.map(|line| format!("{line}\n")));
}

#[test]
fn facts_survive_the_way() {
    for fact in facts().into_iter().chain(more_facts()) {
        let FromRole::Fact(wire) = FromRole::read(FromRole::Fact((&fact).into()).line().as_bytes()).expect("a line") else {
            panic!("a fact");
        };
        let mut back = wire.known().expect("known");
        if let Fact::Listening { by_rung, .. } = &mut back {
            by_rung.sort_unstable();
        }
        assert_eq!(back, fact);
    }
    assert_eq!(WireFact::Live { event: "no event".into(), epoch: 1, since: 0, begun: true }.known(), None);
}

#[test]
fn lines_come_whole_whatever_the_pieces() {
    let mut inbox = b"one\ntw".to_vec();
    assert_eq!(wire::lines(&mut inbox, 4).expect("short"), [b"one".to_vec()]);
    inbox.extend_from_slice(b"o\n\nthree\nf");
    assert_eq!(wire::lines(&mut inbox, 4).expect("short"), [b"two".to_vec(), b"three".to_vec()]);
    inbox.extend_from_slice(b"ourfive");
    assert!(wire::lines(&mut inbox, 4).is_err());
}

#[test]
fn what_stands_is_what_was_said_last() {
    let [listening, live, ended] = facts();
    let mut standing = Standing::default();
    standing.note(listening.clone());
    standing.note(live.clone());
    assert_eq!(standing.facts(), [live, listening]);
    standing.note(ended);
    standing.note(Fact::Listening { event: EventId::from_random(7), by_rung: vec![] });
    assert_eq!(standing.facts(), []);
    let [announced, reacted, hands, board, barred, bar, seats] = more_facts();
    let said = [announced, reacted, bar, seats.clone(), barred.clone(), board.clone(), hands.clone(), barred.clone()];
    said.into_iter().for_each(|fact| standing.note(fact));
    assert_eq!(standing.facts(), [hands, board, barred, seats]);
    let [_, _, ended] = facts();
    standing.note(ended);
    assert_eq!(standing.facts(), [], "nothing of an event that is over");
}

#[test]
fn listeners_of_all_workers_are_added_up() {
    let event = EventId::from_random(7);
    let worker = |count| {
        let mut one = Standing::default();
        one.note(Fact::Listening { event, by_rung: vec![(Rung::R64, count)] });
        one
    };
    let all = [worker(3), worker(4), Standing::default()];
    assert_eq!(Standing::sum(all.iter(), event), Fact::Listening { event, by_rung: vec![(Rung::R64, 7)] });
}
