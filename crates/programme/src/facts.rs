//! What listeners are told in the stream: only what changed, and all of it now and then for those who join.
//!
//! Facts cost listeners' bandwidth, so every rung has an allowance in bytes. What does not fit waits for a later fragment;
//! the whole state goes out on time whatever it costs, and what it overdraws is saved again before anything else is said.

use crate::fragment::{EMSG_BYTES, MDAT_HEADER_BYTES, MOOF_BYTES, payload_bytes};
use base::fact::{LevelDb, LiveFact, OnStage};
use base::limit::{FACTS_BYTES_MAX, SPEAKERS_PER_EVENT_MAX};
use base::{FragmentNumber, ParticipantId, Rung};
use serde_json::json;

/// Slots between two whole states: a joiner has everything within 5 s even when levels shift it a little.
const WHOLE_EVERY_SLOTS: u64 = 20;

/// Slots between two lists of levels: less than twice a second.
const LEVELS_EVERY_SLOTS: u64 = 3;

/// Bytes of the list of people on stage, so that everything else still fits into [`FACTS_BYTES_MAX`] beside it.
const STAGE_BYTES_MAX: usize = FACTS_BYTES_MAX - 224;

/// Boxes and facts together, in percent of the sound, one below what is promised to leave room for rounding.
const fn overhead_percent_max(rung: Rung) -> usize {
    match rung {
        Rung::R64 => 14,
        Rung::R32 => 24,
        Rung::R16 => 19,
    }
}

/// Bytes of facts that one fragment of the rung may have on average.
fn allowance_bytes(rung: Rung) -> i64 {
    let bytes = payload_bytes(rung) * overhead_percent_max(rung) / 100 - MOOF_BYTES - MDAT_HEADER_BYTES;
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Everything that listeners are told, as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    stage: Vec<OnStage>,
    levels: Vec<(ParticipantId, LevelDb)>,
    listeners: u32,
    recording_stopped: bool,
}

impl State {
    /// Takes what changed.
    pub fn take(&mut self, fact: LiveFact) {
        match fact {
            LiveFact::Stage(stage) => self.stage = stage,
            LiveFact::Levels(mut levels) => {
                // The loudest first, so that what is left out is what nobody misses.
                levels.sort_by_key(|&(participant, level)| (level, participant));
                levels.truncate(SPEAKERS_PER_EVENT_MAX);
                self.levels = levels;
            }
            LiveFact::Listeners(listeners) => self.listeners = listeners,
            LiveFact::RecordingStopped => self.recording_stopped = true,
            LiveFact::Begun(_)
            | LiveFact::Reactions(_)
            | LiveFact::Share(_)
            | LiveFact::Pins(_)
            | LiveFact::Poll(_)
            | LiveFact::Questions(_)
            | LiveFact::Clock(_) => {}
        }
    }

    fn stage_json(&self) -> String {
        let text = |chars: usize| {
            let name = |on: &OnStage| on.name.chars().take(chars).collect::<String>();
            json!(self.stage.iter().map(|on| json!([on.participant.0, name(on), u8::from(on.muted)])).collect::<Vec<_>>()).to_string()
        };
        // Names give way until the list fits; without names it always does.
        [40, 30, 20, 12, 8, 4].into_iter().map(text).find(|json| json.len() <= STAGE_BYTES_MAX).unwrap_or_else(|| text(0))
    }

    fn levels_json(&self) -> String {
        json!(self.levels.iter().map(|(participant, level)| [participant.0, u16::from(level.0)]).collect::<Vec<_>>()).to_string()
    }
}

/// What one rung's listeners have been told.
#[derive(Debug, Clone)]
pub struct Teller {
    rung: Rung,
    told: State,
    whole_from: FragmentNumber,
    levels_from: FragmentNumber,
    credit_bytes: i64,
}

impl Teller {
    /// Nobody was told anything: the first fragment says everything.
    #[must_use]
    pub fn new(rung: Rung) -> Self {
        Self {
            rung,
            told: State::default(),
            whole_from: FragmentNumber(0),
            levels_from: FragmentNumber(0),
            credit_bytes: Self::credit_bytes_max(rung),
        }
    }

    /// The JSON for this fragment's `emsg`, if there is anything to say.
    pub fn tell(&mut self, number: FragmentNumber, now: &State) -> Option<String> {
        self.credit_bytes = (self.credit_bytes + allowance_bytes(self.rung)).min(Self::credit_bytes_max(self.rung));
        let levels_due = number >= self.levels_from;
        let whole = number >= self.whole_from && levels_due;
        let mut message = Message::default();
        let mut left = if whole { i64::MAX } else { self.credit_bytes };
        if (now.recording_stopped && whole) || now.recording_stopped != self.told.recording_stopped {
            message.add("r", "0", &mut left);
            self.told.recording_stopped = now.recording_stopped;
        }
        if (whole || now.stage != self.told.stage) && message.add("s", &now.stage_json(), &mut left) {
            self.told.stage.clone_from(&now.stage);
        }
        if (whole || (levels_due && now.levels != self.told.levels)) && message.add("v", &now.levels_json(), &mut left) {
            self.told.levels.clone_from(&now.levels);
            self.levels_from = FragmentNumber(number.0 + LEVELS_EVERY_SLOTS);
        }
        if (whole || (levels_due && now.listeners != self.told.listeners)) && message.add("n", &now.listeners.to_string(), &mut left) {
            self.told.listeners = now.listeners;
            self.levels_from = FragmentNumber(number.0 + LEVELS_EVERY_SLOTS);
        }
        if whole {
            self.whole_from = FragmentNumber(number.0 + WHOLE_EVERY_SLOTS);
        }
        let json = message.finish()?;
        self.credit_bytes -= i64::try_from(EMSG_BYTES + json.len()).unwrap_or(i64::MAX);
        Some(json)
    }

    /// Credit that is saved up at most: what one period allows.
    fn credit_bytes_max(rung: Rung) -> i64 {
        allowance_bytes(rung) * (WHOLE_EVERY_SLOTS / rung.slots_per_fragment()).cast_signed()
    }
}

/// One JSON object under way.
#[derive(Default)]
struct Message(String);

impl Message {
    /// Adds a key if its cost is `left`, and takes it from there.
    fn add(&mut self, key: &str, value: &str, left: &mut i64) -> bool {
        let cost = value.len() + key.len() + 4 + if self.0.is_empty() { EMSG_BYTES } else { 0 };
        let cost = i64::try_from(cost).unwrap_or(i64::MAX);
        if cost > *left || self.0.len() + value.len() + 8 > FACTS_BYTES_MAX {
            return false;
        }
        *left -= cost;
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(value);
        true
    }

    fn finish(mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| {
            self.0.push('}');
            self.0
        })
    }
}

#[cfg(test)]
mod tests;
