//! Moments: turns, pauses, holes, cuts, what can't be read, and the limits.

use super::*;
use crate::cuts::Cut;
use base::journal::{Role, What};

fn number(slot: u64) -> FragmentNumber {
    FragmentNumber(slot)
}

/// Reads facts at slots; every other slot has a fragment without facts.
fn read(range: Range<u64>, cuts: &Cuts, facts: &[(u64, &str)]) -> Moments {
    read_with(&People::default(), range, cuts, facts)
}

fn read_with(people: &People, range: Range<u64>, cuts: &Cuts, facts: &[(u64, &str)]) -> Moments {
    let mut reader = Reader::new(number(range.start)..number(range.end), cuts, people);
    for slot in 0..range.end {
        let said: Vec<&[u8]> = facts.iter().filter(|(at, _)| *at == slot).map(|(_, text)| text.as_bytes()).collect();
        reader.fragment(number(slot), &said);
    }
    reader.finish()
}

#[test]
fn turns_go_on_through_pauses_and_end_with_long_ones() {
    let facts = [
        (0, r#"{"s":[[1,"Ada",0],[2,"Ben",1]],"v":[],"n":3}"#),
        (10, r#"{"v":[[1,30]]}"#),
        (20, r#"{"v":[]}"#),
        (25, r#"{"v":[[1,28]],"n":9}"#),
        (40, r#"{"v":[[2,20]]}"#),
        (60, r#"{"v":[],"n":4}"#),
        (90, r#"{"v":[[1,40]]}"#),
    ];
    let moments = read(0..100, &Cuts::default(), &facts);
    assert_eq!(moments.turns, [(1, 2.0, 8.0), (2, 8.0, 12.0), (1, 18.0, 20.0)]);
    let people: Vec<_> = moments.people.iter().map(|person| (person.name.as_str(), person.spoke_ms)).collect();
    assert_eq!(people, [("Ada", 8_000), ("Ben", 4_000)]);
    assert_eq!((moments.step, moments.seconds), (1.0, 20.0));
    assert_eq!(moments.listeners[..6], [3, 3, 3, 3, 3, 9]);
    assert_eq!(moments.listeners[12..], [4; 8]);
}

#[test]
fn the_replay_s_begin_is_nought_and_knows_what_was_said_before() {
    let facts = [(0, r#"{"s":[[1,"Ada",0]],"n":5,"x":[[0,7]]}"#), (18, r#"{"v":[[1,30]]}"#), (30, r#"{"v":[],"x":[[2,4],[0,1]]}"#)];
    let moments = read(20..60, &Cuts::default(), &facts);
    assert_eq!(moments.turns, [(1, 0.0, 2.0)]);
    assert_eq!((moments.listeners[0], moments.reactions[2]), (5, 5));
    assert_eq!(moments.reactions_by_kind, [1, 0, 4, 0, 0, 0, 0, 0], "what came before the begin is not in the replay");
    let nothing = read(40..60, &Cuts::default(), &[]);
    assert!(nothing.reactions.is_empty() && nothing.turns.is_empty());
}

#[test]
fn nobody_speaks_and_nothing_is_pinned_in_a_cut() {
    let cuts = Cuts::read(&Cuts::record(Cut { from: number(20), to: number(40) }));
    let facts = [
        (10, r#"{"s":[[1,"Ada",0]],"v":[[1,30]],"p":[[1,"The plan","https://a.example"]]}"#),
        (30, r#"{"p":[[1,"The plan","https://a.example"],[2,"A slip",""]],"x":[[0,9]]}"#),
        (50, r#"{"v":[],"p":[[3,"The vote",""],[1,"The plan","https://a.example"]]}"#),
    ];
    let moments = read(0..100, &cuts, &facts);
    assert_eq!(moments.turns, [(1, 2.0, 4.0), (1, 8.0, 10.0)]);
    let pins: Vec<_> = moments.pins.iter().map(|pin| (pin.at, pin.text.as_str())).collect();
    assert_eq!(pins, [(2.0, "The plan"), (10.0, "The vote")]);
    assert!(moments.reactions.is_empty());
}

#[test]
fn what_can_t_be_read_hides_nothing_else() {
    let facts = [
        (0, "junk"),
        (1, r#"{"s":7,"v":[[1]],"n":-4,"x":[[9,4]],"p":[[],[4]],"zz":1}"#),
        (2, r#"{"s":"no","v":[[3,10]],"n":2}"#),
        (7, r#"{"v":[]}"#),
    ];
    let moments = read(0..20, &Cuts::default(), &facts);
    assert_eq!(moments.turns, [(3, 0.4, 1.4)]);
    assert_eq!((moments.listeners[0], moments.people.len(), moments.people[0].name.as_str()), (2, 1, ""));
    assert_eq!((moments.pins.len(), moments.reactions_by_kind), (0, [0; 8]));
}

#[test]
fn who_came_back_in_another_browser_is_one_person() {
    let join = |participant, ticket| What::Joined {
        participant: ParticipantId(participant),
        key: String::new(),
        name: "Ada".into(),
        role: Role::Host,
        ticket,
        backstage: false,
    };
    let mut people = People::default();
    [join(1, 7), join(2, 8), join(3, 7)].iter().for_each(|what| people.note(what));
    let facts = [
        (0, r#"{"s":[[1,"Ada",0],[2,"Ada",0]],"v":[[1,30]]}"#),
        (10, r#"{"v":[[2,30]]}"#),
        (20, r#"{"s":[[1,"Ada",0],[2,"Ada",0],[3,"Ada",0]],"v":[[1,30],[3,30]]}"#),
        (30, r#"{"s":[[2,"Ada",0],[3,"Ada L",0]],"v":[[3,30]]}"#),
        (40, r#"{"v":[]}"#),
    ];
    let moments = read_with(&people, 0..50, &Cuts::default(), &facts);
    assert_eq!(moments.turns, [(1, 0.0, 2.0), (2, 2.0, 4.0), (1, 4.0, 8.0)]);
    let rows: Vec<_> = moments.people.iter().map(|one| (one.id, one.name.as_str(), one.spoke_ms)).collect();
    assert_eq!(rows, [(1, "Ada L", 6_000), (2, "Ada", 2_000)]);
}

#[test]
fn a_long_hole_is_silent() {
    let (cuts, people) = (Cuts::default(), People::default());
    let mut reader = Reader::new(number(0)..number(400), &cuts, &people);
    reader.fragment(number(0), &[br#"{"s":[[1,"Ada",0]],"v":[[1,30]],"n":8}"#]);
    reader.fragment(number(300), &[]);
    let moments = reader.finish();
    assert_eq!(moments.turns, [(1, 0.0, 5.2)]);
    assert_eq!(moments.listeners.iter().filter(|&&count| count > 0).count(), 6);
}

#[test]
fn six_hours_of_quarrel_stay_small() {
    let (cuts, people) = (Cuts::default(), People::default());
    let slots = 6 * 3_600 * 5;
    let mut reader = Reader::new(number(0)..number(slots), &cuts, &people);
    let names: Vec<String> = (0..16).map(|id| format!("[{id},\"{}\",0]", "x".repeat(40))).collect();
    reader.fragment(number(0), &[format!("{{\"s\":[{}]}}", names.join(",")).as_bytes()]);
    for slot in 1..slots {
        let (a, b) = (slot / 3 % 16, slot / 5 % 16);
        let text = format!("{{\"v\":[[{a},30],[{b},31]],\"n\":{slot},\"x\":[[1,4000000]],\"p\":[[{slot},\"{}\",\"\"]]}}", "p".repeat(200));
        reader.fragment(number(slot), &[text.as_bytes()]);
    }
    let moments = reader.finish();
    let size = serde_json::to_vec(&moments).unwrap().len();
    assert!(moments.turns.len() <= MOMENTS_TURNS_MAX && moments.turns.len() > MOMENTS_TURNS_MAX / 8, "{}", moments.turns.len());
    assert!(moments.listeners.len() <= MOMENTS_POINTS_MAX && moments.pins.len() == MOMENTS_PINS_MAX);
    assert!(moments.turns.is_sorted_by(|a, b| a.1 <= b.1));
    assert!(size <= base::limit::MOMENTS_BYTES_MAX, "{size} bytes");
    let again: Moments = serde_json::from_slice(&serde_json::to_vec(&moments).unwrap()).unwrap();
    assert_eq!(again, moments);
}
