//! Facts that stand until they are replaced: who listens, what is live, what of an event one role must know from another.

use base::EventId;
use base::fact::Fact;
use base::rung::Rung;
use std::collections::BTreeMap;

/// What one role said and has not taken back.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    listening: BTreeMap<EventId, Vec<(Rung, u32)>>,
    live: BTreeMap<EventId, Fact>,
    /// The rest, by event and by what it is about.
    kept: BTreeMap<(EventId, About), Fact>,
}

/// What a fact is about that stands beside others of its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Hands,
    Board,
    Barred,
    Seats,
}

impl Standing {
    /// Takes a fact in.
    pub(crate) fn note(&mut self, fact: Fact) {
        match fact {
            Fact::Listening { event, by_rung } if by_rung.iter().all(|(_, count)| *count == 0) => drop(self.listening.remove(&event)),
            Fact::Listening { event, by_rung } => drop(self.listening.insert(event, by_rung)),
            Fact::Live { event, .. } => drop(self.live.insert(event, fact)),
            Fact::Ended { event, .. } => {
                self.live.remove(&event);
                self.kept.retain(|(of, _), _| *of != event);
            }
            Fact::Hands { event, .. } => drop(self.kept.insert((event, About::Hands), fact)),
            Fact::Board { event, .. } => drop(self.kept.insert((event, About::Board), fact)),
            Fact::Barred { event, .. } => drop(self.kept.insert((event, About::Barred), fact)),
            Fact::Seats { event, .. } => drop(self.kept.insert((event, About::Seats), fact)),
            Fact::Wanted { .. }
            | Fact::Missing { .. }
            | Fact::Copied { .. }
            | Fact::Announced { .. }
            | Fact::Reacted { .. }
            | Fact::Bar { .. } => {}
        }
    }

    /// Every standing fact.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let listening = self.listening.iter().map(|(event, by_rung)| Fact::Listening { event: *event, by_rung: by_rung.clone() });
        self.live.values().cloned().chain(listening).chain(self.kept().cloned()).collect()
    }

    /// The events that are live.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Fact> {
        self.live.values()
    }

    /// What else stands.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Fact> {
        self.kept.values()
    }

    /// The events that somebody listens to.
    pub(crate) fn listened(&self) -> impl Iterator<Item = EventId> {
        self.listening.keys().copied()
    }

    /// Who listens to one event, added up over several roles.
    pub(crate) fn sum<'a>(all: impl Iterator<Item = &'a Self>, event: EventId) -> Fact {
        let mut sum: BTreeMap<Rung, u32> = BTreeMap::new();
        for (rung, count) in all.filter_map(|one| one.listening.get(&event)).flatten() {
            let slot = sum.entry(*rung).or_default();
            *slot = slot.saturating_add(*count);
        }
        Fact::Listening { event, by_rung: sum.into_iter().collect() }
    }
}
