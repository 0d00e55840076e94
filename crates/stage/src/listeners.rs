//! What listeners are told of the stage, and how often at most.

use base::ParticipantId;
use base::fact::{LevelDb, LiveFact, OnStage};
use std::time::{Duration, Instant};

/// Between two tellings of the levels.
const LEVELS_EVERY: Duration = Duration::from_millis(500);
/// Between two tellings of the listener count.
const COUNT_EVERY: Duration = Duration::from_secs(1);

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

/// What the listeners of one event know.
#[derive(Debug)]
pub(crate) struct Listeners {
    stage: Vec<OnStage>,
    levels: Paced<Vec<(ParticipantId, LevelDb)>>,
    count: Paced<u32>,
}

impl Listeners {
    pub(crate) const fn new() -> Self {
        Self { stage: Vec::new(), levels: Paced::new(LEVELS_EVERY, Vec::new(), Vec::new()), count: Paced::new(COUNT_EVERY, 0, 0) }
    }

    /// All that was told.
    pub(crate) fn known(&self) -> Vec<LiveFact> {
        vec![LiveFact::Stage(self.stage.clone()), LiveFact::Levels(self.levels.told.clone()), LiveFact::Listeners(self.count.told)]
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

    /// What is to be told at `at`.
    pub(crate) fn due(&mut self, at: Instant, stage: Vec<OnStage>) -> Vec<LiveFact> {
        let mut facts = Vec::new();
        if stage != self.stage {
            self.stage.clone_from(&stage);
            facts.push(LiveFact::Stage(stage));
        }
        facts.extend(self.levels.due(at).map(LiveFact::Levels));
        facts.extend(self.count.due(at).map(LiveFact::Listeners));
        facts
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.levels.deadline(), self.count.deadline()].into_iter().flatten().min()
    }
}
