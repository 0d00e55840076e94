//! Whose turn it is: an event's listeners by rung, cadence and group.
//!
//! At a cadence of `s` slots there are `s` groups, and slot `n` is the turn of group `n % s`: a worker touches only those who are due, and
//! each send covers the whole cadence. Who leaves or changes group is found missing when the group has its turn.

use crate::event::Member;
use base::{Cadence, FragmentNumber, Rung};

/// One group of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) rung: Rung,
    pub(crate) cadence: Cadence,
    group: u8,
}

impl Seat {
    /// The seat of an event's `ordinal`th listener.
    pub(crate) fn of(ordinal: u32, rung: Rung, cadence: Cadence) -> Self {
        Self { rung, cadence, group: group(ordinal.into(), cadence) }
    }

    const fn place(self) -> usize {
        self.group as usize
    }
}

#[derive(Debug, Default)]
struct Group {
    members: Vec<Member>,
    /// It has a turn that has not begun.
    is_due: bool,
}

/// The groups of an event.
#[derive(Debug, Default)]
pub(crate) struct Rota {
    /// By rung and cadence; empty until somebody comes.
    groups: [[Vec<Group>; Cadence::COUNT]; 3],
    /// Up to which slot each rung's groups have had their turn.
    turned: [FragmentNumber; 3],
    /// Members in all groups, those who are gone included.
    members: usize,
}

impl Rota {
    /// Seats a listener.
    pub(crate) fn seat(&mut self, seat: Seat, member: Member) {
        let groups = &mut self.groups[seat.rung.place()][seat.cadence.place()];
        if groups.is_empty() {
            groups.extend((0..seat.cadence.slots()).map(|_| Group::default()));
        }
        groups[seat.place()].members.push(member);
        self.members += 1;
    }

    /// Gives everybody of a rung up to slot `to` their turn: the groups that have none yet are put behind `due`. However far it is
    /// from the last turn, each group is due once. `again`: those who are sent everything at once may have more to get at the same slot.
    pub(crate) fn turn(&mut self, rung: Rung, to: FragmentNumber, again: bool, mut due: impl FnMut(Seat)) {
        let from = std::mem::replace(&mut self.turned[rung.place()], to);
        for cadence in Cadence::ALL {
            let slots = cadence.slots();
            let count = to.0.saturating_sub(from.0).min(slots);
            let count = if count == 0 && again && cadence == Cadence::QUICKEST { 1 } else { count };
            let groups = &mut self.groups[rung.place()][cadence.place()];
            if groups.is_empty() {
                continue;
            }
            for slot in to.0 - count..to.0 {
                // Slot n is over, and its fragment there, once n + 1 is reached.
                let group = group(slot + 1, cadence);
                let Group { members, is_due } = &mut groups[usize::from(group)];
                if !members.is_empty() && !std::mem::replace(is_due, true) {
                    due(Seat { rung, cadence, group });
                }
            }
        }
    }

    /// Begins at a slot without giving anybody a turn.
    pub(crate) fn begin(&mut self, at: [FragmentNumber; 3]) {
        self.turned = at;
    }

    /// The `nth` of a group that has its turn; none when all have had it.
    pub(crate) fn nth(&mut self, seat: Seat, nth: usize) -> Option<Member> {
        let group = self.groups[seat.rung.place()][seat.cadence.place()].get_mut(seat.place())?;
        group.is_due &= nth > 0;
        group.members.get(nth).copied()
    }

    /// Removes the `nth` of a group; another takes the place.
    pub(crate) fn remove(&mut self, seat: Seat, nth: usize) {
        if let Some(group) = self.groups[seat.rung.place()][seat.cadence.place()].get_mut(seat.place())
            && nth < group.members.len()
        {
            group.members.swap_remove(nth);
            self.members -= 1;
        }
    }

    /// Keeps those who are there, when more than half are not.
    pub(crate) fn tidy(&mut self, seated: usize, mut is_there: impl FnMut(Seat, Member) -> bool) {
        if self.members <= 2 * seated + GONE_MIN {
            return;
        }
        for (rung, groups) in Rung::ALL.into_iter().zip(&mut self.groups) {
            for (cadence, groups) in Cadence::ALL.into_iter().zip(groups) {
                for (number, group) in (0u8..).zip(groups) {
                    group.members.retain(|&member| is_there(Seat { rung, cadence, group: number }, member));
                    group.members.shrink_to_fit();
                }
            }
        }
        self.members = self.groups.iter().flatten().flatten().map(|group| group.members.len()).sum();
    }
}

/// The group of a cadence whose turn a slot is, or to which a listener belongs.
#[expect(clippy::cast_possible_truncation, reason = "the slowest cadence has 80 slots")]
const fn group(number: u64, cadence: Cadence) -> u8 {
    (number % cadence.slots()) as u8
}

/// Members who are gone that are not worth a look.
const GONE_MIN: usize = 1_024;

#[cfg(test)]
mod tests;
