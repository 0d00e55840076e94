//! Live facts: what is said when, and what it costs.

use super::*;
use crate::fragment;
use crate::world::packet;
use crate::write::{Opening, Writer};
use base::MediaTime;
use base::fact::ClockLeft;
use base::time::TICK_SAMPLES;
use std::collections::BTreeMap;

fn person(participant: u16, name: &str) -> OnStage {
    OnStage { participant: ParticipantId(participant), name: name.into(), muted: false }
}

fn tell(teller: &mut Teller, state: &State, number: u64) -> String {
    teller.tell(FragmentNumber(number), state).unwrap_or_default()
}

#[test]
fn says_all_at_first_and_then_what_changed() {
    let mut state = State::default();
    let mut teller = Teller::new(Rung::R64);
    state.take(LiveFact::Stage(vec![person(1, "Ada \"A\"")]));
    state.take(LiveFact::Levels(vec![(ParticipantId(2), LevelDb(40)), (ParticipantId(1), LevelDb(20))]));
    assert_eq!(tell(&mut teller, &state, 0), r#"{"s":[[1,"Ada \"A\"",0]],"v":[[1,20],[2,40]],"n":0}"#);
    assert_eq!(tell(&mut teller, &state, 1), "");
    state.take(LiveFact::Levels(vec![]));
    state.take(LiveFact::Listeners(12));
    assert_eq!(tell(&mut teller, &state, 2), "", "levels and counts keep their pace");
    assert_eq!(tell(&mut teller, &state, 3), r#"{"v":[],"n":12}"#);
    state.take(LiveFact::RecordingStopped);
    assert_eq!(tell(&mut teller, &state, 4), r#"{"r":0}"#);
    state.take(LiveFact::Stage(vec![]));
    assert_eq!(tell(&mut teller, &state, 5), r#"{"s":[]}"#);
    assert_eq!(tell(&mut teller, &state, 20), r#"{"r":0,"s":[],"v":[],"n":12}"#);
}

fn pin(id: u64, text: &str) -> Pin {
    Pin { id, text: text.into(), url: "https://a.example/".into() }
}

#[test]
fn the_doors_the_share_and_reactions_are_said_once_or_while_they_matter() {
    let mut state = State::default();
    let mut teller = Teller::new(Rung::R64);
    state.take(LiveFact::Begun(None));
    state.take(LiveFact::Share(4));
    state.take(LiveFact::Reactions(vec![(0, 12), (7, 1)]));
    assert_eq!(tell(&mut teller, &state, 0), r#"{"b":0,"s":[],"v":[],"n":0,"d":4,"x":[[0,12],[7,1]]}"#);
    state.take(LiveFact::Begun(Some(FragmentNumber(4_501))));
    assert_eq!(tell(&mut teller, &state, 1), r#"{"b":4501}"#);
    state.take(LiveFact::Reactions(vec![(0, 12), (7, 1)]));
    assert_eq!(tell(&mut teller, &state, 5), r#"{"x":[[0,12],[7,1]]}"#, "as many again");
    assert_eq!(tell(&mut teller, &state, 6), "");
    assert_eq!(tell(&mut teller, &state, 20), r#"{"b":4501,"s":[],"v":[],"n":0,"d":4}"#, "who joins may go back to there");
    state.take(LiveFact::Share(1));
    assert_eq!(tell(&mut teller, &state, 23), r#"{"d":1}"#);
}

#[test]
fn the_clock_that_runs_is_not_said_again_by_itself() {
    let mut state = State::default();
    let mut teller = Teller::new(Rung::R64);
    let clock = |left_ms: u64, running: bool| {
        let left = |name: &str, running| ClockLeft { name: name.into(), left_ms, running };
        Some(ClockShown { who: running.then_some(ParticipantId(2)), budgets: vec![left("For", running), left("Against", false)] })
    };
    state.take(LiveFact::Clock(clock(120_000, true)));
    assert_eq!(tell(&mut teller, &state, 0), r#"{"s":[],"k":{"l":[["For",120,1],["Against",120,0]],"w":2},"v":[],"n":0}"#);
    assert_eq!(tell(&mut teller, &state, 20), r#"{"s":[],"v":[],"n":0}"#);
    state.take(LiveFact::Clock(clock(99_001, false)));
    assert_eq!(tell(&mut teller, &state, 21), r#"{"k":{"l":[["For",100,0],["Against",100,0]],"w":null}}"#);
    assert!(tell(&mut teller, &state, 40).contains(r#""k":"#), "who joins sees a clock that stands");
    state.take(LiveFact::Clock(None));
    assert_eq!(tell(&mut teller, &state, 41), r#"{"k":null}"#);
}

#[test]
fn the_board_is_said_when_it_changes_and_now_and_then() {
    let mut state = State::default();
    let mut teller = Teller::new(Rung::R64);
    let _ = tell(&mut teller, &state, 0);
    state.take(LiveFact::Pins(vec![pin(2, "\"b\""), pin(1, "a")]));
    let pins = r#"{"p":[[2,"\"b\"","https://a.example/"],[1,"a","https://a.example/"]]}"#;
    assert_eq!(tell(&mut teller, &state, 1), pins);
    let poll = Poll { id: 3, question: "So?".into(), answers: vec![("Yes".into(), 2), ("No".into(), 0)], open: true };
    state.take(LiveFact::Poll(Some(poll)));
    state.take(LiveFact::Questions(vec![Question { id: 4, text: "Why?".into(), votes: 5 }]));
    assert_eq!(tell(&mut teller, &state, 2), r#"{"o":{"a":["Yes","No"],"id":3,"n":[2,0],"open":1,"q":"So?"}}"#);
    assert_eq!(tell(&mut teller, &state, 3), r#"{"q":[[4,"Why?",5]]}"#);
    assert_eq!(tell(&mut teller, &state, 4), "");
    let said = (5..80).find(|number| tell(&mut teller, &state, *number).contains(r#""p":"#));
    assert_eq!(said, Some(76), "again for who joins");
    let spoke = |name: &str, seconds| Spoke { name: name.into(), seconds };
    state.take(LiveFact::Spoken(vec![spoke("Ada", 125), spoke("Ben", 60)]));
    let said: Vec<String> = (77..82).map(|number| tell(&mut teller, &state, number)).filter(|said| said.contains(r#""t":"#)).collect();
    assert_eq!(said, [r#"{"t":[["Ada",125],["Ben",60]]}"#]);
    state.take(LiveFact::Spoken(vec![]));
    state.take(LiveFact::Pins(vec![]));
    state.take(LiveFact::Poll(None));
    let said: String = (82..92).map(|number| tell(&mut teller, &state, number)).collect();
    assert!(said.contains(r#""p":[]"#) && said.contains(r#""o":null"#) && said.contains(r#""t":[]"#), "{said}");
}

/// The longest that may hang there.
fn long_board(state: &mut State) {
    let text = "\"ß\" ".repeat(35);
    state.take(LiveFact::Pins(
        (0..20).map(|id| Pin { id, text: text.clone(), url: format!("https://a.example/{}", "x".repeat(280)) }).collect(),
    ));
    state.take(LiveFact::Questions((0..20).map(|id| Question { id, text: text.repeat(2), votes: u32::MAX }).collect()));
    let answers = (0..6).map(|_| ("ß\"".repeat(30), u32::MAX)).collect();
    state.take(LiveFact::Poll(Some(Poll { id: 50, question: text, answers, open: true })));
    state.take(LiveFact::Spoken((0..6).map(|_| Spoke { name: "ß\"".repeat(20), seconds: 100_000 }).collect()));
}

#[test]
fn the_longest_board_is_cut_until_it_fits() {
    for rung in Rung::ALL {
        let mut state = State::default();
        long_board(&mut state);
        for part in Part::ALL {
            let json = state.board.json(part, board_bytes_max(rung));
            assert!(json.len() <= board_bytes_max(rung), "rung {rung}: {} bytes of {part:?}", json.len());
            assert!(json != "[]" || (part == Part::Pins && rung == Rung::R16), "rung {rung}: nothing is left of {part:?}");
        }
    }
}

#[test]
fn the_longest_names_give_way() {
    let mut state = State::default();
    state.take(LiveFact::Stage((0..16).map(|participant| person(participant, &"ß\"".repeat(20))).collect()));
    state.take(LiveFact::Levels((0..16).map(|participant| (ParticipantId(60_000 + participant), LevelDb(127))).collect()));
    state.take(LiveFact::Listeners(u32::MAX));
    state.take(LiveFact::RecordingStopped);
    let json = tell(&mut Teller::new(Rung::R16), &state, 0);
    assert!(json.len() <= FACTS_BYTES_MAX, "{} bytes", json.len());
    let read: BTreeMap<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(read.len(), 4);
    assert_eq!(read["s"].as_array().unwrap().len(), 16);
}

/// A busy hour: sixteen named people, four of them talking, mutes, a count that never rests.
fn busy(writer: &mut Writer, slot: u64, names: usize) {
    let name = |participant: u16| format!("Person Number {participant} of the town council").chars().take(names).collect::<String>();
    if slot.is_multiple_of(35) {
        let stage = (1..=16)
            .map(|participant| OnStage { muted: u64::from(participant) % 3 == slot / 35 % 3, ..person(participant, &name(participant)) });
        writer.tell(LiveFact::Stage(stage.collect()));
    }
    let level =
        |participant: u16| (ParticipantId(participant), LevelDb(20 + u8::try_from((slot + u64::from(participant) * 7) % 30).unwrap()));
    writer.tell(LiveFact::Levels([3, 7, 12, 16].map(level).to_vec()));
    writer.tell(LiveFact::Listeners(1_000 + u32::try_from(slot).unwrap()));
    if slot.is_multiple_of(5) {
        writer.tell(LiveFact::Reactions((0..8).map(|kind| (kind, 10)).collect()));
        let spoke = |participant: u16| Spoke { name: name(participant), seconds: slot / 5 * u64::from(participant) };
        if slot.is_multiple_of(25) {
            writer.tell(LiveFact::Spoken([3, 7, 12, 16, 1, 2].map(spoke).to_vec()));
        }
        writer.tell(LiveFact::Pins(vec![pin(1, "The agenda of tonight's meeting"), pin(2, "The map of the new roads")]));
        let votes = u32::try_from(slot).unwrap();
        let answers = ["Build it", "Leave it", "Ask again next year"].map(|answer| (answer.to_owned(), votes)).to_vec();
        writer.tell(LiveFact::Poll(Some(Poll { id: 1, question: "What about the bridge?".into(), answers, open: true })));
        writer.tell(LiveFact::Questions(vec![Question { id: 4, text: "Who pays for it, and when?".into(), votes }]));
    }
}

#[test]
fn boxes_and_facts_keep_their_share_and_a_joiner_knows_all_within_five_seconds() {
    for (rung, percent_max) in [(Rung::R64, 15.0), (Rung::R32, 25.0), (Rung::R16, 20.0)] {
        for names in [12, 24, 40] {
            let (mut sound, mut all, mut levels) = (0, 0, Vec::new());
            let mut boards = BTreeMap::from(["p", "o", "q", "t"].map(|key| (key, Vec::new())));
            let mut last_whole: Option<u64> = None;
            let mut writer = Writer::open(&Opening::fresh());
            for tick in 0..50 * 60u64 {
                if tick.is_multiple_of(10) {
                    busy(&mut writer, tick / 10, names);
                }
                let Some(append) = writer.push(MediaTime(tick * TICK_SAMPLES as u64), rung, &packet(rung, tick)).unwrap() else { continue };
                let skip = if append.media_at == 0 { crate::init::segment().len() } else { 0 };
                let bytes = &append.media[skip..];
                let found = fragment::find(bytes).unwrap();
                sound += found.payload.len();
                all += bytes.len();
                let json = found.facts.first().map_or("{}".into(), |range| String::from_utf8(bytes[range.clone()].to_vec()).unwrap());
                let said: BTreeMap<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
                if said.contains_key("v") {
                    levels.push(found.number.0);
                }
                for (key, said_at) in &mut boards {
                    said_at.extend(said.contains_key(*key).then_some(found.number.0));
                }
                if ["s", "v", "n"].iter().all(|key| said.contains_key(*key)) {
                    let sealed = found.number.0 + rung.slots_per_fragment();
                    assert!(
                        sealed - last_whole.unwrap_or(0) <= 25,
                        "rung {rung}: everything again after {} slots",
                        sealed - last_whole.unwrap_or(0)
                    );
                    last_whole = Some(sealed);
                }
            }
            let percent = (all - sound) as f64 * 100.0 / sound as f64;
            println!("rung {rung}, names of {names}: {percent:.1} %, {} lists of levels in 10 min", levels.len());
            assert!(percent <= percent_max, "rung {rung}: {percent:.1} %");
            for (key, said_at) in &boards {
                let longest = said_at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(u64::MAX);
                println!("rung {rung}, names of {names}: {key} {} times, {longest} slots apart at most", said_at.len());
                assert!(longest <= 300, "rung {rung}, names of {names}: {key} {longest} slots apart");
            }
            let least_apart = levels.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
            assert!(least_apart * 2 >= if rung == Rung::R16 { 10 } else { 5 }, "rung {rung}: levels {least_apart} slots apart");
        }
    }
}
