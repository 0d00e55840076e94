//! What needs to know which fragment of the recording is being filled: the begin of the event itself, where all had left, and cuts.

use super::Control;
use crate::role::stage::encoding::ToEncoder;
use crate::role::stage::event::Marked;
use crate::role::stage::recorder::ToRecorder;
use crate::role::stage::recording::fault_of;
use crate::role::stage::words::{Done, Reply};
use ::stage::Input;
use base::{EventId, FragmentNumber};

impl Control {
    /// Asks the recorder; [`Control::marked`] goes on.
    pub(super) fn mark(&mut self, id: EventId, wanted: Marked) {
        let Some(event) = self.events.get_mut(&id) else { return };
        event.marks.push_back(wanted);
        // Blocks rather than lose it; the recorder waits for nobody.
        let _ = self.recorder.send(ToRecorder::Mark(event.desk));
    }

    pub(super) fn marked(&mut self, id: EventId, filling: FragmentNumber) {
        match self.events.get_mut(&id).and_then(|event| event.marks.pop_front()) {
            Some(Marked::Begin) => {
                self.drive(id, Input::Begun { first: filling });
                if let Some(event) = self.events.get(&id) {
                    self.encode(event.desk, ToEncoder::Begun(event.desk, filling.start()));
                }
                let waiting = self.events.get_mut(&id).map(|event| std::mem::take(&mut event.beginning)).unwrap_or_default();
                for reply in waiting {
                    // Who asked may have gone.
                    let _ = reply.send(Ok(Done::Done));
                }
            }
            Some(Marked::Hold) => drop(self.drive(id, Input::Held { first: filling })),
            Some(Marked::Cut { seconds, reply }) => self.cut(id, filling, seconds, reply),
            None => {}
        }
    }

    fn cut(&mut self, id: EventId, filling: FragmentNumber, seconds: u64, reply: Reply<Done>) {
        let Some(event) = self.events.get_mut(&id) else { return };
        let done = event.cut(filling, seconds).map_err(|error| {
            tracing::error!(event = %id, %error, "a cut can't be written");
            fault_of(&error)
        });
        let _ = reply.send(done);
    }
}
