//! What the other roles say of events, and events that open by themselves.

use super::{Control, now};
use ::stage::Input;
use base::fact::Fact;
use base::{EventId, FaultKind, UnixMillis};

/// How long an event waits for room before it is tried again.
const NO_ROOM_MILLIS: i64 = 5_000;

impl Control {
    pub(super) fn hear(&mut self, fact: Fact) {
        self.said.note(fact.clone());
        match fact {
            Fact::Listening { event, by_rung } => self.listening(event, by_rung),
            Fact::Announced { event } => self.announced(event),
            Fact::Hands { event, hands } => drop(self.drive(event, Input::Hands(hands))),
            Fact::Board { event, pins, poll, questions } => drop(self.drive(event, Input::Board { pins, poll, questions })),
            Fact::Bar { event, tickets } => drop(self.drive(event, Input::Bar(tickets))),
            Fact::Reacted { event, counts } => drop(self.drive(event, Input::Reacted(counts))),
            Fact::Live { .. }
            | Fact::Ended { .. }
            | Fact::Wanted { .. }
            | Fact::Missing { .. }
            | Fact::Copied { .. }
            | Fact::Barred { .. }
            | Fact::Seats { .. } => {}
        }
    }

    /// An event that is loaded goes by its announcement from now on; another one may open by itself.
    fn announced(&mut self, id: EventId) {
        let Some(event) = self.events.get_mut(&id) else {
            return self.agenda.note(&self.world.events.join(id.to_string()), id, now().wall);
        };
        match event.announced(id) {
            Ok(schedule) => drop(self.drive(id, Input::Announced(schedule))),
            // A row that is gone takes nobody off the stage; who is there ends the event.
            Err(fault) => tracing::warn!(event = %id, code = fault.code(), "an announcement can't be read again"),
        }
    }

    /// Tells a stage that has just been loaded what was said of its event before.
    pub(super) fn say_again(&mut self, id: EventId) {
        let of = |fact: &&Fact| matches!(fact, Fact::Hands { event, .. } | Fact::Board { event, .. } if *event == id);
        let said: Vec<Fact> = self.said.kept().filter(of).cloned().collect();
        for fact in said {
            self.hear(fact);
        }
    }

    /// Every event whose doors will open by themselves.
    pub(super) fn read_agenda(&mut self) {
        let Ok(events) = std::fs::read_dir(&self.world.events) else { return };
        for id in events.filter_map(|dir| dir.ok()?.file_name().to_str()?.parse::<EventId>().ok()) {
            if !self.events.contains_key(&id) {
                self.agenda.note(&self.world.events.join(id.to_string()), id, now().wall);
            }
        }
    }

    /// Opens the doors of whose time has come.
    pub(super) fn open_doors(&mut self) {
        let wall = now().wall;
        for id in self.agenda.due(wall) {
            match self.load(id) {
                Ok(()) => drop(self.drive(id, Input::Tick)),
                Err(FaultKind::EventsFull) => {
                    tracing::warn!(event = %id, "no room to open the doors of an event; it is tried again");
                    self.agenda.put_off(id, UnixMillis(wall.0 + NO_ROOM_MILLIS));
                }
                Err(fault) => tracing::error!(event = %id, code = fault.code(), "the doors of an event can't be opened"),
            }
        }
    }
}
