//! What listeners are told in the stream: only what changed, and all of it now and then for those who join.
//!
//! Facts cost listeners' bandwidth, so every rung has an allowance in bytes. What does not fit waits for a later fragment;
//! the whole state goes out on time whatever it costs, and what it overdraws is saved again before anything else is said.

use crate::fragment::{EMSG_BYTES, MDAT_HEADER_BYTES, MOOF_BYTES, payload_bytes};
use base::fact::{ClockShown, LevelDb, LiveFact, OnStage, Pin, Poll, Question, Spoke};
use base::limit::{FACTS_BYTES_MAX, SPEAKERS_PER_EVENT_MAX};
use base::{FragmentNumber, ParticipantId, Rung};
use serde_json::{Value, json};

/// Slots between two whole states: a joiner has everything within 5 s even when levels shift it a little.
const WHOLE_EVERY_SLOTS: u64 = 20;

/// Slots between two lists of levels: less than twice a second.
const LEVELS_EVERY_SLOTS: u64 = 3;

/// Bytes of the list of people on stage, so that everything else still fits into [`FACTS_BYTES_MAX`] beside it.
const STAGE_BYTES_MAX: usize = FACTS_BYTES_MAX - 224;

/// Slots between two tellings of what hangs on the board, for those who join: 15 s.
const BOARD_EVERY_SLOTS: u64 = 75;

/// Slots for which what hangs on the board waits for room before it goes before levels.
const BOARD_WAITS_SLOTS: u64 = 50;

/// Pins, and questions, that listeners are told of; the page has all of them.
const BOARD_ITEMS_MAX: usize = 3;

/// Bytes of pins, of a poll, or of questions: each goes in a message that has room for little else.
const fn board_bytes_max(rung: Rung) -> usize {
    match rung {
        Rung::R64 => 600,
        Rung::R32 => 440,
        Rung::R16 => 300,
    }
}

/// Bytes of the debate clock.
const CLOCK_BYTES_MAX: usize = 320;

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
    /// The doors are open, and the event has not begun.
    waiting: bool,
    /// Where it began, when the doors were open before.
    begun: FragmentNumber,
    /// One client in so many sends its reactions; 0 stands for all, like 1.
    share: u32,
    clock: Option<ClockShown>,
    /// Those that came last, and how manieth.
    reactions: (u64, Vec<(u8, u32)>),
    board: Board,
}

/// What hangs on the board, and what has its turns with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Board {
    pins: Vec<Pin>,
    poll: Option<Poll>,
    questions: Vec<Question>,
    spoken: Vec<Spoke>,
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
            LiveFact::Begun(begun) => (self.waiting, self.begun) = (begun.is_none(), begun.unwrap_or_default()),
            LiveFact::Reactions(counts) => self.reactions = (self.reactions.0 + 1, counts),
            LiveFact::Share(share) => self.share = share,
            LiveFact::Pins(pins) => self.board.pins = pins,
            LiveFact::Poll(poll) => self.board.poll = poll,
            LiveFact::Questions(questions) => self.board.questions = questions,
            LiveFact::Clock(clock) => self.clock = clock,
            LiveFact::Spoken(spoken) => self.board.spoken = spoken,
        }
    }

    fn stage_json(&self, bytes_max: usize) -> String {
        let text = |chars: usize| {
            let entry = |on: &OnStage| json!([on.participant.0, cut(&on.name, chars), u8::from(on.muted)]);
            Value::from_iter(self.stage.iter().map(entry)).to_string()
        };
        // Names give way until the list fits; without names it always does.
        fitting(&[40, 30, 20, 12, 8, 4, 0], bytes_max, text)
    }

    fn clock_json(&self) -> String {
        let Some(clock) = &self.clock else { return "null".to_owned() };
        let text = |chars: usize| {
            let budgets = clock.budgets.iter();
            let budgets = budgets.map(|left| json!([cut(&left.name, chars), left.left_ms.div_ceil(1_000), u8::from(left.running)]));
            json!({ "w": clock.who.map(|who| who.0), "l": Value::from_iter(budgets) }).to_string()
        };
        fitting(&[40, 20, 12, 8, 4, 0], CLOCK_BYTES_MAX, text)
    }

    /// Whether the clock's time is another one a moment later: then it is said again by whoever runs it, and not by us.
    fn clock_runs(&self) -> bool {
        self.clock.as_ref().is_some_and(|clock| clock.budgets.iter().any(|left| left.running))
    }

    fn levels_json(&self) -> String {
        json!(self.levels.iter().map(|(participant, level)| [participant.0, u16::from(level.0)]).collect::<Vec<_>>()).to_string()
    }
}

/// The parts of the board, each of which is a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Pins,
    Poll,
    Questions,
    Spoken,
}

impl Part {
    const ALL: [Self; 4] = [Self::Pins, Self::Poll, Self::Questions, Self::Spoken];

    const fn key(self) -> &'static str {
        match self {
            Self::Pins => "p",
            Self::Poll => "o",
            Self::Questions => "q",
            Self::Spoken => "t",
        }
    }
}

impl Board {
    fn is_same(&self, other: &Self, part: Part) -> bool {
        match part {
            Part::Pins => self.pins == other.pins,
            Part::Poll => self.poll == other.poll,
            Part::Questions => self.questions == other.questions,
            Part::Spoken => self.spoken == other.spoken,
        }
    }

    fn set(&mut self, other: &Self, part: Part) {
        match part {
            Part::Pins => self.pins.clone_from(&other.pins),
            Part::Poll => self.poll.clone_from(&other.poll),
            Part::Questions => self.questions.clone_from(&other.questions),
            Part::Spoken => self.spoken.clone_from(&other.spoken),
        }
    }

    fn is_empty(&self, part: Part) -> bool {
        self.is_same(&Self::default(), part)
    }

    /// The part's value, cut until it fits: the page has what is left out.
    fn json(&self, part: Part, bytes_max: usize) -> String {
        match part {
            Part::Pins => few(&self.pins, bytes_max, |pin, chars| json!([pin.id, cut(&pin.text, chars), pin.url])),
            Part::Questions => few(&self.questions, bytes_max, |one, chars| json!([one.id, cut(&one.text, chars), one.votes])),
            Part::Spoken => {
                let row = |chars: usize| move |one: &Spoke| json!([cut(&one.name, chars), one.seconds]);
                fitting(&[40, 20, 12, 8, 4, 0], bytes_max, |chars| Value::from_iter(self.spoken.iter().map(row(chars))).to_string())
            }
            Part::Poll => {
                let Some(poll) = &self.poll else { return "null".to_owned() };
                let text = |chars: usize| {
                    let answers: Vec<&str> = poll.answers.iter().map(|(answer, _)| cut(answer, chars)).collect();
                    let votes: Vec<u32> = poll.answers.iter().map(|(_, votes)| *votes).collect();
                    let asked = cut(&poll.question, chars * 2);
                    json!({ "id": poll.id, "q": asked, "a": answers, "n": votes, "open": u8::from(poll.open) }).to_string()
                };
                fitting(&[140, 60, 40, 24, 16, 8, 4, 0], bytes_max, text)
            }
        }
    }
}

/// The first of the texts for these numbers of characters that fits, else the last.
fn fitting(chars: &[usize], bytes_max: usize, text: impl Fn(usize) -> String) -> String {
    let mut last = String::new();
    for chars in chars {
        last = text(*chars);
        if last.len() <= bytes_max {
            break;
        }
    }
    last
}

/// As many of the first items, with as much of their texts, as fits.
fn few<T>(items: &[T], bytes_max: usize, entry: impl Fn(&T, usize) -> Value) -> String {
    let fits = |json: &String| json.len() <= bytes_max;
    let text = |count: usize, chars: usize| Value::from_iter(items.iter().take(count).map(|item| entry(item, chars))).to_string();
    let counts = (1..=BOARD_ITEMS_MAX).rev();
    let tries = counts.flat_map(|count| [280, 140, 80, 50].into_iter().map(move |chars| (count, chars)));
    tries.map(|(count, chars)| text(count, chars)).find(fits).unwrap_or_else(|| "[]".to_owned())
}

/// The first characters of a text.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// What one rung's listeners have been told.
#[derive(Debug, Clone)]
pub struct Teller {
    rung: Rung,
    told: State,
    whole_from: FragmentNumber,
    levels_from: FragmentNumber,
    /// From when on each part of the board is said again.
    board_from: [FragmentNumber; Part::ALL.len()],
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
            board_from: [FragmentNumber(0); Part::ALL.len()],
            credit_bytes: Self::credit_bytes_max(rung),
        }
    }

    /// The JSON for this fragment's `emsg`, if there is anything to say.
    pub fn tell(&mut self, number: FragmentNumber, now: &State) -> Option<String> {
        self.credit_bytes = (self.credit_bytes + allowance_bytes(self.rung)).min(Self::credit_bytes_max(self.rung));
        let part = self.part_due(number, now);
        let board_first = part.is_some_and(|(_, since)| number.0 >= since.0 + BOARD_WAITS_SLOTS);
        let levels_due = number >= self.levels_from;
        let whole = number >= self.whole_from && levels_due;
        let mut message = Message::default();
        let mut left = if whole { i64::MAX } else { self.credit_bytes };
        self.tell_state(now, whole, &mut message, &mut left);
        if whole || (levels_due && !board_first) {
            self.tell_moment(number, now, whole, &mut message, &mut left);
        }
        if whole {
            self.whole_from = FragmentNumber(number.0 + WHOLE_EVERY_SLOTS);
            left = self.credit_bytes - i64::try_from(message.0.len()).unwrap_or(i64::MAX);
        }
        if let Some((part, _)) = part
            && message.add(part.key(), &now.board.json(part, board_bytes_max(self.rung)), &mut left)
        {
            self.told.board.set(&now.board, part);
            self.board_from[part as usize] = FragmentNumber(number.0 + BOARD_EVERY_SLOTS);
        }
        let json = message.finish()?;
        self.credit_bytes -= i64::try_from(EMSG_BYTES + json.len()).unwrap_or(i64::MAX);
        Some(json)
    }

    /// What changes now and then and is said at once.
    fn tell_state(&mut self, now: &State, whole: bool, message: &mut Message, left: &mut i64) {
        if (now.recording_stopped && whole) || now.recording_stopped != self.told.recording_stopped {
            message.add("r", "0", left);
            self.told.recording_stopped = now.recording_stopped;
        }
        let begin = |state: &State| (state.waiting, state.begun);
        let first = if now.waiting { 0 } else { now.begun.0.max(1) };
        if ((whole && begin(now) != begin(&State::default())) || begin(now) != begin(&self.told))
            && message.add("b", &first.to_string(), left)
        {
            (self.told.waiting, self.told.begun) = begin(now);
        }
        let clock_again = whole && now.clock.is_some() && !now.clock_runs();
        let clock = if clock_again || now.clock != self.told.clock { now.clock_json() } else { String::new() };
        let stage_bytes_max = STAGE_BYTES_MAX - clock.len();
        if (whole || now.stage != self.told.stage) && message.add("s", &now.stage_json(stage_bytes_max), left) {
            self.told.stage.clone_from(&now.stage);
        }
        if !clock.is_empty() && message.add("k", &clock, left) {
            self.told.clock.clone_from(&now.clock);
        }
    }

    /// What changes all the time, and keeps its pace.
    fn tell_moment(&mut self, number: FragmentNumber, now: &State, whole: bool, message: &mut Message, left: &mut i64) {
        let pause = FragmentNumber(number.0 + LEVELS_EVERY_SLOTS);
        if (whole || now.levels != self.told.levels) && message.add("v", &now.levels_json(), left) {
            self.told.levels.clone_from(&now.levels);
            self.levels_from = pause;
        }
        if (whole || now.listeners != self.told.listeners) && message.add("n", &now.listeners.to_string(), left) {
            self.told.listeners = now.listeners;
            self.levels_from = pause;
        }
        let share = now.share.max(1);
        if ((whole && share > 1) || share != self.told.share.max(1)) && message.add("d", &share.to_string(), left) {
            self.told.share = share;
        }
        if now.reactions.0 != self.told.reactions.0 && message.add("x", &json!(now.reactions.1).to_string(), left) {
            self.told.reactions.0 = now.reactions.0;
        }
    }

    /// The part of the board that is to be said, and since when: one that changed, else one that is due again.
    fn part_due(&mut self, number: FragmentNumber, now: &State) -> Option<(Part, FragmentNumber)> {
        let mut due = None;
        for part in Part::ALL {
            let from = &mut self.board_from[part as usize];
            if !now.board.is_same(&self.told.board, part) {
                // It waits from when it changed.
                *from = (*from).min(number);
            } else if now.board.is_empty(part) {
                *from = number;
                continue;
            }
            let from = *from;
            if from <= number && due.is_none_or(|(_, since)| from < since) {
                due = Some((part, from));
            }
        }
        due
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
