//! Live facts: what is said when, and what it costs.

use super::*;
use crate::fragment;
use crate::world::packet;
use crate::write::{Opening, Writer};
use base::MediaTime;
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
}

#[test]
fn boxes_and_facts_keep_their_share_and_a_joiner_knows_all_within_five_seconds() {
    for (rung, percent_max) in [(Rung::R64, 15.0), (Rung::R32, 25.0), (Rung::R16, 20.0)] {
        for names in [12, 24, 40] {
            let (mut sound, mut all, mut levels) = (0, 0, Vec::new());
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
            let least_apart = levels.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
            assert!(least_apart * 2 >= if rung == Rung::R16 { 10 } else { 5 }, "rung {rung}: levels {least_apart} slots apart");
        }
    }
}
