//! The journal's reference model: whatever people do, and however often the stage is killed and they come back, what is kept is what a
//! much simpler account of the same story says. The model knows nothing of sessions, entries or time.

use super::*;
use crate::kept::Standing;
use std::collections::{BTreeMap, BTreeSet};

/// Everybody in the story, by their key. The last one is the first in another browser.
const PEOPLE: [&str; 6] = ["host", "co", "a", "b", "c", "host elsewhere"];

const ELSEWHERE: usize = 5;

/// Whose ticket they come with, and under whose name.
const fn same(who: usize) -> usize {
    if who == ELSEWHERE { 0 } else { who }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Comes to the stage, or comes back.
    Come {
        who: usize,
        backstage: bool,
    },
    /// Their connection is lost.
    Lose {
        who: usize,
    },
    /// The stage is killed; nobody is connected any more.
    Kill,
    Mute {
        by: usize,
        whom: usize,
        muted: bool,
    },
    MuteAll {
        by: usize,
    },
    Walk {
        who: usize,
        backstage: bool,
    },
    Call {
        by: usize,
        whom: usize,
        backstage: bool,
    },
    Lock {
        by: usize,
        locked: bool,
    },
    Leave {
        who: usize,
    },
    Remove {
        by: usize,
        whom: usize,
    },
    Ban {
        by: usize,
        whom: usize,
    },
    Promote {
        by: usize,
        whom: usize,
        co_host: bool,
    },
    Ready {
        who: usize,
        ready: bool,
    },
    GoLive {
        by: usize,
    },
    End {
        by: usize,
    },
}

/// How somebody stands in the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Person {
    number: u16,
    placed: bool,
    removed: bool,
    muted: bool,
    backstage: bool,
    ready: bool,
    promoted: Option<bool>,
}

/// The much simpler account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    people: BTreeMap<usize, Person>,
    arrivals: u16,
    banned: BTreeSet<usize>,
    locked: bool,
    live: bool,
    over: bool,
    /// Who is connected.
    connected: BTreeSet<usize>,
}

impl Model {
    fn rules(&self, who: usize) -> bool {
        let promoted = self.people.get(&who).and_then(|person| person.promoted);
        same(who) == 0 || promoted.unwrap_or(who == 1)
    }

    fn here(&self, who: usize) -> bool {
        self.people.get(&who).is_some_and(|person| person.placed)
    }

    /// Whether somebody may do something to somebody.
    fn over(&self, by: usize, whom: usize) -> bool {
        self.acts(by) && self.rules(by) && self.here(whom) && (same(whom) != 0 || same(by) == 0)
    }

    /// Whether what somebody asks for is heard at all.
    fn acts(&self, who: usize) -> bool {
        let removed = self.people.get(&who).is_some_and(|person| person.removed);
        !self.over && !removed && (!self.banned.contains(&same(who)) || self.here(who))
    }

    fn with(&mut self, who: usize, allowed: bool, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.people.get_mut(&who).filter(|_| allowed) {
            change(person);
        }
    }

    fn go_away(person: &mut Person) {
        (person.placed, person.ready) = (false, false);
    }

    /// A place at which the same host is not any more.
    fn older(&self, who: usize) -> Option<usize> {
        let other = [ELSEWHERE, 0][usize::from(who == ELSEWHERE)];
        let is_host = same(who) == 0 && !self.people.contains_key(&who);
        Some(other).filter(|other| is_host && self.here(*other) && !self.connected.contains(other))
    }

    /// Whoever is back elsewhere holds no second place; who has no place is not connected.
    fn tidy(&mut self) {
        for (one, other) in [(0, ELSEWHERE), (ELSEWHERE, 0)] {
            let left_behind = !self.connected.contains(&one) && self.connected.contains(&other);
            self.with(one, left_behind && self.here(one), Self::go_away);
        }
        let over = self.over;
        let connected = std::mem::take(&mut self.connected);
        self.connected = connected.into_iter().filter(|who| self.here(*who) && !over).collect();
    }

    fn step(&mut self, step: &Step) {
        self.take(step);
        self.tidy();
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Come { who, backstage } => {
                let locked_out = self.locked && !backstage && !self.rules(who);
                if let Some(older) = self.older(who).filter(|_| self.acts(who)) {
                    let place = self.people.remove(&older).unwrap();
                    self.people.insert(who, Person { backstage, ..place });
                } else if self.acts(who) && !self.here(who) && !locked_out {
                    let next = self.arrivals + 1;
                    let person = self.people.entry(who).or_default();
                    if person.number == 0 {
                        (person.number, self.arrivals) = (next, next);
                    }
                    (person.placed, person.backstage) = (true, backstage);
                }
                if self.acts(who) {
                    self.connected.insert(who);
                }
            }
            Step::Lose { who } => drop(self.connected.remove(&who)),
            Step::Kill => self.connected.clear(),
            Step::Mute { by, whom, muted } => {
                let may = self.acts(by) && self.here(whom) && (by == whom || (muted && self.rules(by)));
                self.with(whom, may, |person| person.muted = muted);
            }
            Step::MuteAll { by } => {
                for whom in 0..PEOPLE.len() {
                    let may = self.acts(by) && self.rules(by) && self.here(whom) && !self.rules(whom);
                    self.with(whom, may, |person| person.muted = true);
                }
            }
            Step::Walk { who, backstage } => {
                let may = self.acts(who) && self.here(who) && (backstage || !self.locked || self.rules(who));
                self.with(who, may, |person| person.backstage = backstage);
            }
            Step::Call { by, whom, backstage } => self.with(whom, self.over(by, whom), |person| {
                // Nobody's microphone is opened by somebody else.
                person.muted |= person.backstage && !backstage;
                person.backstage = backstage;
            }),
            Step::Lock { by, locked } => {
                if self.acts(by) && self.rules(by) {
                    self.locked = locked;
                }
            }
            Step::Leave { who } => self.with(who, self.acts(who) && self.here(who), Self::go_away),
            Step::Remove { by, whom } => self.with(whom, self.over(by, whom), |person| (person.placed, person.removed) = (false, true)),
            Step::Ban { by, whom } => {
                if self.over(by, whom) && same(whom) != 0 {
                    self.banned.insert(whom);
                    self.with(whom, true, |person| (person.placed, person.removed) = (false, true));
                }
            }
            Step::Promote { by, whom, co_host } => {
                let changes = self.rules(whom) != co_host;
                self.with(whom, self.over(by, whom) && same(whom) != 0 && changes, |person| person.promoted = Some(co_host));
            }
            Step::Ready { who, ready } => self.with(who, self.acts(who) && self.here(who), |person| person.ready = ready),
            Step::GoLive { by } => self.live |= self.acts(by) && self.rules(by),
            Step::End { by } => self.over |= self.acts(by) && self.rules(by),
        }
    }

    /// What of it is kept.
    fn kept(&self) -> Self {
        Self { connected: BTreeSet::new(), ..self.clone() }
    }

    /// The same of a stage.
    fn of(kept: &Kept) -> Self {
        let mut model = Self {
            arrivals: kept.arrivals,
            banned: kept.banned.iter().map(|ticket| usize::try_from(*ticket).unwrap() - 1).collect(),
            locked: kept.locked,
            live: kept.programme.is_some(),
            over: kept.phase == Phase::Ended,
            ..Self::default()
        };
        for (id, person) in &kept.participants {
            let who = PEOPLE.iter().position(|key| *key == person.key).unwrap();
            let person = Person {
                number: id.0,
                placed: person.standing == Standing::OnStage,
                removed: person.standing == Standing::Removed,
                muted: person.muted.is_some(),
                backstage: person.backstage,
                ready: person.ready,
                promoted: person.promoted.map(|role| role == Role::CoHost),
            };
            model.people.insert(who, person);
        }
        model
    }
}

/// The story as the stage hears it.
struct Story {
    world: World,
    next: u64,
    /// The session of who is connected.
    sessions: BTreeMap<usize, u64>,
}

impl Story {
    fn act(&mut self, by: usize, action: Action) {
        self.world.all(named(act(PEOPLE[by], action), by));
    }

    /// Who they are on stage; somebody who never was is nobody there.
    fn number(&self, who: usize) -> ParticipantId {
        let known = self.world.stage.kept().by_key(PEOPLE[who]);
        known.map_or(ParticipantId(99), |(id, _)| id)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Come { who, backstage } => {
                self.next += 1;
                let (session, key) = (self.next, PEOPLE[who]);
                let come = if backstage { behind(session, key) } else { media(session, key) };
                self.world.all(named(come, who));
                self.sessions.insert(who, session);
            }
            Step::Lose { who } => {
                if let Some(session) = self.sessions.remove(&who) {
                    self.world.all(gone(session));
                }
            }
            Step::Kill => {
                self.world.restart(UNPLANNED);
                self.sessions.clear();
            }
            Step::Mute { by, whom, muted } => self.act(by, Action::Mute { participant: self.number(whom), muted }),
            Step::MuteAll { by } => self.act(by, Action::MuteAll),
            Step::Walk { who, backstage } => self.act(who, Action::Step { participant: None, backstage }),
            Step::Call { by, whom, backstage } => self.act(by, Action::Step { participant: Some(self.number(whom)), backstage }),
            Step::Lock { by, locked } => self.act(by, Action::Lock { locked }),
            Step::Leave { who } => self.act(who, Action::Leave),
            Step::Remove { by, whom } => self.act(by, Action::Remove { participant: self.number(whom) }),
            Step::Ban { by, whom } => self.act(by, Action::Ban { participant: self.number(whom) }),
            Step::Promote { by, whom, co_host } => {
                let role = if co_host { Role::CoHost } else { Role::Speaker };
                self.act(by, Action::Promote { participant: self.number(whom), role });
            }
            Step::Ready { who, ready } => self.act(who, Action::Ready { ready, yes: true }),
            Step::GoLive { by } => self.act(by, Action::GoLive { yes: true }),
            Step::End { by } => self.act(by, Action::End),
        }
    }
}

/// With their ticket and their name.
fn named(inputs: Vec<Input>, by: usize) -> Vec<Input> {
    let mut inputs = with_ticket(inputs, same(by) as u64 + 1, false);
    for input in &mut inputs {
        if let Input::Open { who, .. } | Input::Act { who, .. } = input {
            who.name = Some(PEOPLE[same(by)].to_owned());
        }
    }
    inputs
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = || 0..PEOPLE.len();
    prop_oneof![
        10 => (one(), any::<bool>()).prop_map(|(who, backstage)| Step::Come { who, backstage }),
        3 => one().prop_map(|who| Step::Lose { who }),
        3 => Just(Step::Kill),
        4 => (one(), one(), any::<bool>()).prop_map(|(by, whom, muted)| Step::Mute { by, whom, muted }),
        1 => one().prop_map(|by| Step::MuteAll { by }),
        4 => (one(), any::<bool>()).prop_map(|(who, backstage)| Step::Walk { who, backstage }),
        3 => (one(), one(), any::<bool>())
            .prop_filter("somebody else", |(by, whom, _)| by != whom)
            .prop_map(|(by, whom, backstage)| Step::Call { by, whom, backstage }),
        2 => (one(), any::<bool>()).prop_map(|(by, locked)| Step::Lock { by, locked }),
        2 => one().prop_map(|who| Step::Leave { who }),
        1 => (one(), one()).prop_map(|(by, whom)| Step::Remove { by, whom }),
        1 => (one(), one()).prop_map(|(by, whom)| Step::Ban { by, whom }),
        3 => (one(), one(), any::<bool>()).prop_map(|(by, whom, co_host)| Step::Promote { by, whom, co_host }),
        2 => (one(), any::<bool>()).prop_map(|(who, ready)| Step::Ready { who, ready }),
        1 => one().prop_map(|by| Step::GoLive { by }),
        1 => (one(), 0..10).prop_map(|(by, chance)| if chance == 0 { Step::End { by } } else { Step::Lose { who: by } }),
    ]
}

proptest! {
    #[test]
    fn any_story_leaves_what_the_model_says(steps in prop::collection::vec(any_step(), 0..80)) {
        let mut story = Story { world: World::new(), next: 0, sessions: BTreeMap::new() };
        let mut model = Model::default();
        for (place, step) in steps.iter().enumerate() {
            story.step(step);
            model.step(step);
            prop_assert_eq!(Model::of(story.world.stage.kept()), model.kept(), "after step {}: {:?}", place, step);
        }
        // And once more from the journal alone.
        story.world.restart(UNPLANNED);
        prop_assert_eq!(Model::of(story.world.stage.kept()), model.kept());
    }

    #[test]
    fn everybody_s_words_are_counted_once(steps in prop::collection::vec((any_step(), 0..PEOPLE.len(), 0u64..40), 0..60)) {
        let mut story = Story { world: World::new(), next: 0, sessions: BTreeMap::new() };
        story.step(&Step::Come { who: 0, backstage: false });
        story.step(&Step::GoLive { by: 0 });
        // By name: what was said, and what a crash may have cost at most.
        let (mut said, mut forgotten) = (BTreeMap::<&str, u64>::new(), 0);
        for (step, who, tenths) in steps {
            story.step(&step);
            forgotten += if matches!(step, Step::Kill) { 2_000 } else { 0 };
            let number = story.number(who);
            // The first report says nothing of how long it was.
            story.world.all(voice(number.0, 30, false, false));
            for _ in 0..tenths {
                story.world.millis += 100;
                *said.entry(PEOPLE[same(who)]).or_default() += if story.world.stage.is_on_air(number) { 100 } else { 0 };
                story.world.all(voice(number.0, 30, true, false));
            }
        }
        let rows = story.world.stage.view().spoken;
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        prop_assert_eq!(names.len(), rows.len(), "one person has one row: {:?}", rows);
        for row in &rows {
            let said = said.get(row.name.as_str()).copied().unwrap_or(0);
            prop_assert!(row.millis <= said && row.millis + forgotten >= said, "{row:?}, of {said} ms but for {forgotten}");
        }
        let missing = said.iter().filter(|(name, said)| **said > forgotten && !names.contains(*name));
        prop_assert_eq!(missing.count(), 0, "{:?} of {:?}", rows, said);
    }
}
