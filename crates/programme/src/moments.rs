//! The moments of an ended event: who spoke when, how many listened, reactions and pins, read from the live facts of its recording.
//!
//! One pass over the recording, in order, one fragment at a time; what is kept grows with what happened, up to limits with names. Times
//! are seconds of the replay: its first fragment is 0. Facts that this version does not know are passed over.

use crate::Cuts;
use base::limit::{MOMENTS_PINS_MAX, MOMENTS_POINTS_MAX, MOMENTS_TURNS_MAX};
use base::people::People;
use base::{FragmentNumber, ParticipantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Kinds of reactions.
pub const REACTION_KINDS: usize = 8;

/// Slots that a pause may last within one turn: 1.6 s.
const PAUSE_SLOTS: u64 = 8;

/// Slots without a fragment after which nothing is known of what goes on: a joiner is told everything within as many.
const BLIND_SLOTS: u64 = 25;

const SLOTS_PER_SECOND: f64 = 5.0;

/// What a listener of the recording sees, in seconds of the replay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// The version of this form.
    pub version: u32,
    /// The fragment at 0 s.
    pub first: u64,
    /// The number after the last fragment.
    pub end: u64,
    /// How many cuts were known.
    pub cuts: usize,
    /// How long the replay is.
    pub seconds: f64,
    /// Everybody who was on stage, in the order of their numbers.
    pub people: Vec<Person>,
    /// Who spoke from when to when, in the order in which they began.
    pub turns: Vec<(u16, f64, f64)>,
    /// Seconds between two points of `listeners` and of `reactions`.
    pub step: f64,
    /// The most who listened in each step.
    pub listeners: Vec<u32>,
    /// Reactions of all kinds in each step; empty when there were none.
    pub reactions: Vec<u32>,
    /// Reactions of each kind in all.
    pub reactions_by_kind: [u64; REACTION_KINDS],
    /// What was pinned, when it first was.
    pub pins: Vec<Pin>,
}

/// Somebody who was on stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their number; the first one that they had.
    pub id: u16,
    /// The name last shown.
    pub name: String,
    /// How long they spoke, pauses within a turn included.
    pub spoke_ms: u64,
}

/// Something that was pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    /// When.
    pub at: f64,
    /// What it said.
    pub text: String,
    /// Where it led; may be empty.
    pub url: String,
}

/// The keys of the live facts that count here (docs/formats.md); each is read by itself, so that one that can't be read hides no other.
#[derive(Deserialize)]
struct Facts {
    s: Option<serde_json::Value>,
    v: Option<serde_json::Value>,
    n: Option<serde_json::Value>,
    x: Option<serde_json::Value>,
    p: Option<serde_json::Value>,
}

/// One turn under way, in slots.
#[derive(Debug, Clone, Copy)]
struct Turn {
    from: u64,
    /// The slot after the last in which they were heard.
    to: u64,
}

/// Reads a recording's facts in order.
#[derive(Debug)]
pub struct Reader<'a> {
    range: Range<FragmentNumber>,
    cuts: &'a Cuts,
    /// Who is who: one person may have had several numbers.
    people: &'a People,
    step_slots: u64,
    /// Names by number: all that were ever seen.
    names: BTreeMap<u16, String>,
    /// Who is heard now.
    speaking: Vec<u16>,
    open: BTreeMap<u16, Turn>,
    turns: Vec<(u16, Turn)>,
    listeners: Vec<u32>,
    now: u32,
    reactions: Vec<u32>,
    by_kind: [u64; REACTION_KINDS],
    pins: BTreeMap<String, Pin>,
    /// The slot after the last that was read.
    at: u64,
}

impl<'a> Reader<'a> {
    /// A reader of what is heard of a recording ([`crate::view::replay::heard`]).
    #[must_use]
    pub fn new(range: Range<FragmentNumber>, cuts: &'a Cuts, people: &'a People) -> Self {
        let slots = range.end.0.saturating_sub(range.start.0);
        // Whole seconds, so that points stand where a reader expects them.
        let step_slots = slots.div_ceil(MOMENTS_POINTS_MAX as u64).div_ceil(5).max(1) * 5;
        let points = usize::try_from(slots.div_ceil(step_slots)).unwrap_or(MOMENTS_POINTS_MAX);
        Self {
            at: range.start.0,
            range,
            cuts,
            people,
            step_slots,
            names: BTreeMap::new(),
            speaking: Vec::new(),
            open: BTreeMap::new(),
            turns: Vec::new(),
            listeners: vec![0; points],
            now: 0,
            reactions: vec![0; points],
            by_kind: [0; REACTION_KINDS],
            pins: BTreeMap::new(),
        }
    }

    /// Takes the next fragment of rung 64, whole or without its sound. One that is none of ours, or comes late, is passed over. What was
    /// said before the replay begins is taken too: it holds until something else is said.
    pub fn fragment(&mut self, number: FragmentNumber, facts: &[&[u8]]) {
        if number.0 < self.range.start.0.saturating_sub(BLIND_SLOTS) || number >= self.range.end {
            return;
        }
        self.pass(number.0);
        for text in facts {
            if let Ok(facts) = serde_json::from_slice::<Facts>(text) {
                self.take(number, facts);
            }
        }
        if number >= self.range.start {
            self.hear(number.0);
            self.at = number.0 + 1;
        }
    }

    /// Fragments that were left out: what held goes on, but not for long.
    fn pass(&mut self, to: u64) {
        let known = to.min(self.at + BLIND_SLOTS);
        for slot in self.at..known {
            self.hear(slot);
        }
        if to > known {
            self.speaking.clear();
            self.now = 0;
        }
    }

    fn hear(&mut self, slot: u64) {
        if let Some(most) = self.point(slot).and_then(|point| self.listeners.get_mut(point)) {
            *most = (*most).max(self.now);
        }
        if self.cuts.touch(FragmentNumber(slot), 1) {
            return;
        }
        for &who in &self.speaking {
            match self.open.get_mut(&who) {
                Some(turn) if slot <= turn.to + PAUSE_SLOTS => turn.to = slot + 1,
                open => {
                    let fresh = Turn { from: slot, to: slot + 1 };
                    let done = match open {
                        Some(turn) => Some(std::mem::replace(turn, fresh)),
                        None => self.open.insert(who, fresh),
                    };
                    self.turns.extend(done.map(|turn| (who, turn)));
                }
            }
        }
        if self.turns.len() >= 2 * MOMENTS_TURNS_MAX {
            thin(&mut self.turns);
        }
    }

    fn take(&mut self, number: FragmentNumber, facts: Facts) {
        let is_heard = number >= self.range.start && !self.cuts.touch(number, 1);
        if let Some(stage) = facts.s.and_then(|value| serde_json::from_value::<Vec<(u16, String, u8)>>(value).ok()) {
            self.names.extend(stage.into_iter().map(|(id, name, _)| (self.people.person(ParticipantId(id)).0, name)));
        }
        if let Some(levels) = facts.v.and_then(|value| serde_json::from_value::<Vec<(u16, u16)>>(value).ok()) {
            self.speaking = levels.into_iter().map(|(id, _)| self.people.person(ParticipantId(id)).0).collect();
            self.speaking.sort_unstable();
            self.speaking.dedup();
        }
        if let Some(count) = facts.n.and_then(|value| serde_json::from_value(value).ok()) {
            self.now = count;
        }
        if !is_heard {
            return;
        }
        if let Some(counts) = facts.x.and_then(|value| serde_json::from_value::<Vec<(usize, u32)>>(value).ok()) {
            for (kind, count) in counts {
                let Some(all) = self.by_kind.get_mut(kind) else { continue };
                *all += u64::from(count);
                if let Some(sum) = self.point(number.0).and_then(|point| self.reactions.get_mut(point)) {
                    *sum = sum.saturating_add(count);
                }
            }
        }
        if let Some(pins) = facts.p.and_then(|value| serde_json::from_value::<Vec<serde_json::Value>>(value).ok()) {
            pins.iter().for_each(|pin| self.pin(number, pin));
        }
    }

    /// `[id, "text", "url"]`.
    fn pin(&mut self, number: FragmentNumber, pin: &serde_json::Value) {
        let text = |place: usize| pin.get(place).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let Some(id) = pin.get(0).map(ToString::to_string) else { return };
        if self.pins.len() < MOMENTS_PINS_MAX && !self.pins.contains_key(&id) && !(text(1).is_empty() && text(2).is_empty()) {
            let pin = Pin { at: self.seconds(number.0), text: text(1), url: text(2) };
            self.pins.insert(id, pin);
        }
    }

    /// All of it, once every fragment was taken.
    #[must_use]
    pub fn finish(mut self) -> Moments {
        self.pass(self.range.end.0);
        let mut turns = std::mem::take(&mut self.turns);
        turns.extend(std::mem::take(&mut self.open));
        while turns.len() > MOMENTS_TURNS_MAX {
            thin(&mut turns);
        }
        turns.sort_by_key(|(who, turn)| (turn.from, *who));
        let mut people = BTreeMap::new();
        for (id, name) in &self.names {
            people.insert(*id, Person { id: *id, name: name.clone(), spoke_ms: 0 });
        }
        for (who, turn) in &turns {
            let person = people.entry(*who).or_insert_with(|| Person { id: *who, name: String::new(), spoke_ms: 0 });
            person.spoke_ms += (turn.to - turn.from) * 200;
        }
        let mut pins: Vec<Pin> = self.pins.values().cloned().collect();
        pins.sort_by(|a, b| a.at.total_cmp(&b.at));
        let has_reactions = self.by_kind.iter().any(|&count| count > 0);
        Moments {
            version: 1,
            first: self.range.start.0,
            end: self.range.end.0,
            cuts: self.cuts.revision(),
            seconds: self.seconds(self.range.end.0),
            people: people.into_values().collect(),
            turns: turns.iter().map(|(who, turn)| (*who, self.seconds(turn.from), self.seconds(turn.to))).collect(),
            #[expect(clippy::cast_precision_loss, reason = "a step is a few seconds")]
            step: self.step_slots as f64 / SLOTS_PER_SECOND,
            listeners: self.listeners,
            reactions: if has_reactions { self.reactions } else { Vec::new() },
            reactions_by_kind: self.by_kind,
            pins,
        }
    }

    fn point(&self, slot: u64) -> Option<usize> {
        usize::try_from(slot.checked_sub(self.range.start.0)? / self.step_slots).ok()
    }

    #[expect(clippy::cast_precision_loss, reason = "slots of a programme are few against 2^52")]
    fn seconds(&self, slot: u64) -> f64 {
        slot.saturating_sub(self.range.start.0) as f64 / SLOTS_PER_SECOND
    }
}

/// Halves a list of turns: every second one of each person goes on into the next, pause and all, when there are too many to keep.
fn thin(turns: &mut Vec<(u16, Turn)>) {
    let mut waiting: BTreeMap<u16, Turn> = BTreeMap::new();
    let mut kept = Vec::with_capacity(turns.len() / 2 + 1);
    for &(who, turn) in turns.iter() {
        match waiting.remove(&who) {
            Some(before) => kept.push((who, Turn { from: before.from, to: turn.to })),
            None => drop(waiting.insert(who, turn)),
        }
    }
    kept.extend(waiting);
    *turns = kept;
}

#[cfg(test)]
mod tests;
