//! What the stage's threads say to each other.

use super::mixing::DeskId;
use ::stage::{Action, Connection, SessionId, SessionKind, Who};
use audio::mix::{Bus, INPUTS, Input};
use base::fact::{Fact, LevelDb};
use base::{EventId, FaultKind, FragmentNumber};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Gives a request its answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, FaultKind>>;

/// One line of a console's control stream.
pub(super) type ConsoleLine = hyper::body::Bytes;

/// What came of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It stands in the journal.
    Done,
    /// What was said last is silenced.
    Cut { cut_ms: u64, heard_ms: u64 },
}

/// What HTTP asks of the control thread.
pub(super) enum Request {
    /// A peer's answered offer comes in.
    Call { event: EventId, who: Who, kind: SessionKind, session: Box<ingest::Session>, reply: Reply<SessionId> },
    /// A control stream opens; its lines go to `lines` until either side drops it.
    Console { event: EventId, who: Who, lines: mpsc::Sender<ConsoleLine>, reply: Reply<()> },
    /// Somebody wants something done.
    Act { event: EventId, who: Who, action: Action, reply: Reply<Done> },
    /// The next seconds of somebody's microphone, encoded as for listeners.
    Check { event: EventId, who: Who, reply: Reply<Vec<u8>> },
    /// A session is closed by its owner.
    Close { event: EventId, session: SessionId, reply: Reply<()> },
    /// Whether a session is there.
    Find { event: EventId, session: SessionId, reply: Reply<()> },
}

/// How loud one input was since the last report.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputLevel {
    pub input: Input,
    pub level: LevelDb,
    /// Whether it talked and was heard.
    pub talking: bool,
    /// Whether it talked into a muted microphone.
    pub talking_muted: bool,
}

/// What reaches the control thread.
pub(super) enum Report {
    /// HTTP asks.
    Request(Request),
    /// A session's media are connected.
    SessionConnected(EventId, SessionId),
    /// A session is over by itself.
    SessionClosed(EventId, SessionId),
    /// Ten times a second, what an event's inputs measured.
    Levels(DeskId, Vec<InputLevel>),
    /// Once a second, what a connected session's way is like, and when it was last heard from.
    Connection(EventId, SessionId, Connection, Instant),
    /// The disk takes no more.
    RecordingStopped(DeskId, FragmentNumber),
    /// Which fragment of the recording is being filled.
    Marked(DeskId, FragmentNumber),
    /// The programme is sealed and synced.
    ProgrammeClosed(DeskId, FragmentNumber),
    /// Another role says.
    Fact(Fact),
    /// Finish.
    Stop,
}

/// What one tick gives to those who receive the stage.
#[derive(Debug)]
pub(super) struct Ears {
    pub desk: DeskId,
    /// The first sample's place on the way back, in samples, wrapping.
    pub timestamp: u32,
    /// For each bus, what all hear on it who aren't in `own`; none when nobody does.
    pub buses: [Option<Arc<[u8]>>; 2],
    /// Which of them is for each input, and for those who only hear.
    pub of: [Bus; INPUTS],
    pub monitor: Bus,
    /// For who talks: everybody on their bus but themselves.
    pub own: Vec<(Input, Arc<[u8]>)>,
}

impl Ears {
    /// What somebody hears, at this input or without one.
    pub(super) fn packet(&self, input: Option<Input>) -> Option<&Arc<[u8]>> {
        let own = input.and_then(|input| self.own.iter().find(|(one, _)| *one == input));
        let bus = input.map_or(self.monitor, |input| self.of[input.number()]);
        own.map(|(_, own)| own).or(self.buses[bus.place()].as_ref())
    }
}

/// Where a session's sound goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub event: EventId,
    pub desk: DeskId,
    /// The desk's input it speaks into: none for a monitor, and for a microphone before it is connected.
    pub input: Option<Input>,
    pub muted: bool,
    pub on_air: bool,
}
