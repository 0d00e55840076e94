//! Facts: what a listener is told in the stream (live facts), and what the roles tell each other (facts).

use crate::id::{EventId, ParticipantId};
use crate::rung::Rung;
use crate::time::{Epoch, FragmentNumber, UnixMillis};

/// A sound level in whole decibels below full scale: 0 is full scale, 127 is silence (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelDb(pub u8);

impl LevelDb {
    /// Digital silence.
    pub const SILENCE: Self = Self(127);
}

/// Somebody on stage, as listeners see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnStage {
    /// Who.
    pub participant: ParticipantId,
    /// The name shown.
    pub name: String,
    /// Whether nobody hears them.
    pub muted: bool,
}

/// One thing that listeners are told in the stream; only what changed is said, and all of it now and then for those who join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveFact {
    /// Everybody on stage, replacing what was said before.
    Stage(Vec<OnStage>),
    /// Who is speaking now and how loud, replacing what was said before.
    Levels(Vec<(ParticipantId, LevelDb)>),
    /// How many listen.
    Listeners(u32),
    /// The recording has stopped although the sound goes on.
    RecordingStopped,
}

/// One small fact between roles. Media never travels this way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A relay worker's listeners of one event; replaces what that worker said before, and is void with its connection.
    Listening {
        /// The event.
        event: EventId,
        /// Listeners by rung; a rung with none may be left out.
        by_rung: Vec<(Rung, u32)>,
    },
    /// The stage opened a programme, first or again.
    Live {
        /// The event.
        event: EventId,
        /// The epoch that began.
        epoch: Epoch,
        /// When the event first went live.
        since: UnixMillis,
    },
    /// The stage ended the event.
    Ended {
        /// The event.
        event: EventId,
        /// When.
        at: UnixMillis,
        /// The number after its last fragment.
        end: FragmentNumber,
    },
    /// Somebody asks a relay worker for an event that is elsewhere; said again while they do.
    Wanted {
        /// The event.
        event: EventId,
    },
    /// Somebody waits for bytes of a copy that are not here.
    Missing {
        /// The event.
        event: EventId,
        /// The rung.
        rung: Rung,
        /// Which block of the rung's media (docs/formats.md, "The copy").
        block: u64,
    },
    /// Whether an event that was wanted is here now; if not, no upstream has it.
    Copied {
        /// The event.
        event: EventId,
        /// Whether it is.
        known: bool,
    },
}
