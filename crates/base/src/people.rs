//! Who is who in an event's journal: somebody who comes back in another browser has another number and is the same person.

use crate::id::ParticipantId;
use crate::journal::What;
use std::collections::BTreeMap;

/// Everybody who ever had a number. Whoever comes with the ticket and the name that somebody else came with is the same person; by a
/// link that many share come many, each under their own name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The person behind each number, by the first number that they had.
    persons: BTreeMap<ParticipantId, ParticipantId>,
    /// The ticket and the name with which each person came last.
    known: BTreeMap<ParticipantId, (u64, String)>,
}

impl People {
    /// Takes in what one entry says of people, in the order of the journal.
    pub fn note(&mut self, what: &What) {
        let (participant, ticket, name) = if let What::Joined { participant, ticket, name, .. } = what {
            (participant, Some(*ticket), name)
        } else if let What::Renamed { participant, name } = what {
            (participant, None, name)
        } else {
            return;
        };
        let before = self.persons.get(participant).copied().or_else(|| self.who_came(ticket?, name));
        let person = before.unwrap_or(*participant);
        self.persons.insert(*participant, person);
        let ticket = ticket.or_else(|| self.known.get(&person).map(|(ticket, _)| *ticket)).unwrap_or(0);
        self.known.insert(person, (ticket, name.clone()));
    }

    fn who_came(&self, ticket: u64, name: &str) -> Option<ParticipantId> {
        let same = |known: &(u64, String)| ticket != 0 && known.0 == ticket && known.1 == name;
        self.known.iter().find(|(_, known)| same(known)).map(|(person, _)| *person)
    }

    /// The person behind a number, by the first number that they had.
    #[must_use]
    pub fn person(&self, number: ParticipantId) -> ParticipantId {
        self.persons.get(&number).copied().unwrap_or(number)
    }

    /// The name that the person behind a number showed last.
    #[must_use]
    pub fn name(&self, number: ParticipantId) -> &str {
        self.known.get(&self.person(number)).map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests;
