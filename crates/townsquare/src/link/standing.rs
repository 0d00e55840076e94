//! Facts that stand until they are replaced: who listens, what is live.

use base::EventId;
use base::fact::Fact;
use base::rung::Rung;
use std::collections::BTreeMap;

/// What one role said and has not taken back.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    listening: BTreeMap<EventId, Vec<(Rung, u32)>>,
    live: BTreeMap<EventId, Fact>,
}

impl Standing {
    /// Takes a fact in.
    pub(crate) fn note(&mut self, fact: Fact) {
        match fact {
            Fact::Listening { event, by_rung } if by_rung.iter().all(|(_, count)| *count == 0) => drop(self.listening.remove(&event)),
            Fact::Listening { event, by_rung } => drop(self.listening.insert(event, by_rung)),
            Fact::Live { event, .. } => drop(self.live.insert(event, fact)),
            Fact::Ended { event, .. } => drop(self.live.remove(&event)),
            Fact::Wanted { .. } | Fact::Missing { .. } | Fact::Copied { .. } => {}
        }
    }

    /// Every standing fact.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let listening = self.listening.iter().map(|(event, by_rung)| Fact::Listening { event: *event, by_rung: by_rung.clone() });
        self.live.values().cloned().chain(listening).collect()
    }

    /// The events that are live.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Fact> {
        self.live.values()
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
