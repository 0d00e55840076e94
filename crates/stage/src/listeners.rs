//! What listeners are told of the stage, and how often at most.

use base::fact::{ClockShown, LevelDb, LiveFact, OnStage, Pin, Poll, Question, Spoke};
use base::{FragmentNumber, ParticipantId};
use std::time::{Duration, Instant};

/// Between two tellings of the levels.
const LEVELS_EVERY: Duration = Duration::from_millis(500);
/// Between two tellings of the listener count: each relay says its own once a second, and not all at the same moment.
const COUNT_EVERY: Duration = Duration::from_millis(400);
/// Between two tellings of who has spoken how long.
const SPOKEN_EVERY: Duration = Duration::from_secs(5);

/// One thing that is told when it changed, but not more often than every so often.
#[derive(Debug)]
struct Paced<T> {
    every: Duration,
    told: T,
    now: T,
    next: Option<Instant>,
}

impl<T: PartialEq + Clone> Paced<T> {
    const fn new(every: Duration, told: T, now: T) -> Self {
        Self { every, told, now, next: None }
    }

    fn due(&mut self, at: Instant) -> Option<T> {
        if self.told == self.now || self.next.is_some_and(|next| at < next) {
            return None;
        }
        self.next = Some(at + self.every);
        self.told = self.now.clone();
        Some(self.told.clone())
    }

    fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| self.told != self.now)
    }
}

/// Reactions a second that the square is sent at most, when everybody reacts at once: beyond that one client in so many sends its own.
const REACTIONS_WANTED: u32 = 1_000;

/// What the listeners of one event know.
#[derive(Debug)]
pub(crate) struct Listeners {
    stage: Vec<OnStage>,
    levels: Paced<Vec<(ParticipantId, LevelDb)>>,
    count: Paced<u32>,
    begun: Option<Option<FragmentNumber>>,
    share: u32,
    clock: Option<ClockShown>,
    spoken: Paced<Vec<Spoke>>,
    pins: Vec<Pin>,
    poll: Option<Poll>,
    questions: Vec<Question>,
    /// What is told as it is, whenever it comes.
    waiting: Vec<LiveFact>,
}

impl Listeners {
    pub(crate) const fn new() -> Self {
        Self {
            stage: Vec::new(),
            levels: Paced::new(LEVELS_EVERY, Vec::new(), Vec::new()),
            count: Paced::new(COUNT_EVERY, 0, 0),
            begun: None,
            share: 1,
            clock: None,
            spoken: Paced::new(SPOKEN_EVERY, Vec::new(), Vec::new()),
            pins: Vec::new(),
            poll: None,
            questions: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// All that was told.
    pub(crate) fn known(&self) -> Vec<LiveFact> {
        let mut known = vec![
            LiveFact::Stage(self.stage.clone()),
            LiveFact::Levels(self.levels.told.clone()),
            LiveFact::Listeners(self.count.told),
            LiveFact::Share(self.share),
            LiveFact::Pins(self.pins.clone()),
            LiveFact::Poll(self.poll.clone()),
            LiveFact::Questions(self.questions.clone()),
            LiveFact::Clock(self.clock.clone()),
            LiveFact::Spoken(self.spoken.told.clone()),
        ];
        known.extend(self.begun.map(LiveFact::Begun));
        known
    }

    /// How many listen, as last told.
    pub(crate) const fn count(&self) -> u32 {
        self.count.told
    }

    pub(crate) const fn set_count(&mut self, count: u32) {
        self.count.now = count;
    }

    pub(crate) fn set_levels(&mut self, levels: Vec<(ParticipantId, LevelDb)>) {
        self.levels.now = levels;
    }

    pub(crate) fn set_clock(&mut self, clock: Option<ClockShown>) {
        self.clock.clone_from(&clock);
        self.waiting.retain(|fact| !matches!(fact, LiveFact::Clock(_)));
        self.waiting.push(LiveFact::Clock(clock));
    }

    /// Whether it is time to say who has spoken how long.
    pub(crate) fn wants_spoken(&self, at: Instant) -> bool {
        self.spoken.next.is_none_or(|next| next <= at)
    }

    pub(crate) fn set_spoken(&mut self, spoken: Vec<Spoke>) {
        self.spoken.now = spoken;
    }

    pub(crate) fn set_board(&mut self, pins: Vec<Pin>, poll: Option<Poll>, questions: Vec<Question>) {
        if pins != self.pins {
            self.pins.clone_from(&pins);
            self.waiting.push(LiveFact::Pins(pins));
        }
        if poll != self.poll {
            self.poll.clone_from(&poll);
            self.waiting.push(LiveFact::Poll(poll));
        }
        if questions != self.questions {
            self.questions.clone_from(&questions);
            self.waiting.push(LiveFact::Questions(questions));
        }
    }

    pub(crate) fn react(&mut self, counts: Vec<(u8, u32)>) {
        self.waiting.push(LiveFact::Reactions(counts));
    }

    /// What is to be told at `at`; `begun` is what [`LiveFact::Begun`] says, and none while no programme is open.
    pub(crate) fn due(&mut self, at: Instant, stage: Vec<OnStage>, begun: Option<Option<FragmentNumber>>) -> Vec<LiveFact> {
        let mut facts = std::mem::take(&mut self.waiting);
        if begun != self.begun {
            self.begun = begun;
            facts.extend(begun.map(LiveFact::Begun));
        }
        if stage != self.stage {
            self.stage.clone_from(&stage);
            facts.push(LiveFact::Stage(stage));
        }
        facts.extend(self.levels.due(at).map(LiveFact::Levels));
        facts.extend(self.spoken.due(at).map(LiveFact::Spoken));
        if let Some(count) = self.count.due(at) {
            facts.push(LiveFact::Listeners(count));
            // Powers of two, so that it does not change with every listener.
            let share = count.div_ceil(REACTIONS_WANTED).next_power_of_two();
            if share != self.share {
                self.share = share;
                facts.push(LiveFact::Share(share));
            }
        }
        facts
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.levels.deadline(), self.count.deadline(), self.spoken.deadline()].into_iter().flatten().min()
    }
}
