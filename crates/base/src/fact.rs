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

/// How much time is left on a debate clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockLeft {
    /// The side's or the speaker's name.
    pub name: String,
    /// Milliseconds left when this was told.
    pub left_ms: u64,
    /// Whether it runs: it is less by what has passed since.
    pub running: bool,
}

/// The debate clock as listeners see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClockShown {
    /// Whose time runs.
    pub who: Option<ParticipantId>,
    /// Every budget.
    pub budgets: Vec<ClockLeft>,
}

/// One text or link that who runs the event holds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its number, below 2^53.
    pub id: u64,
    /// The text.
    pub text: String,
    /// The link; empty without one.
    pub url: String,
}

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Its number, below 2^53.
    pub id: u64,
    /// What is asked.
    pub question: String,
    /// The answers, and how many chose each.
    pub answers: Vec<(String, u32)>,
    /// Whether it still takes votes.
    pub open: bool,
}

/// A listener's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its number, below 2^53.
    pub id: u64,
    /// The question.
    pub text: String,
    /// How many want it answered.
    pub votes: u32,
}

/// How long one person has spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoke {
    /// The name shown.
    pub name: String,
    /// For how many seconds.
    pub seconds: u64,
}

/// A raised hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The number of the ticket with which its owner may come on stage once admitted; one ticket, one hand.
    pub id: u64,
    /// The name shown.
    pub name: String,
    /// What they want to speak about.
    pub topic: String,
    /// How many listeners want to hear them.
    pub votes: u32,
    /// Whether they have spoken in this event before.
    pub spoke: bool,
    /// When it was raised.
    pub since: UnixMillis,
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
    /// The first fragment of the event itself, 0 where there were no doors; none while they are open and the hold sound plays.
    Begun(Option<FragmentNumber>),
    /// Reactions of the last second, by kind; said once, never repeated.
    Reactions(Vec<(u8, u32)>),
    /// One client in so many sends its reactions.
    Share(u32),
    /// What is held up, the newest first, replacing what was said before.
    Pins(Vec<Pin>),
    /// The poll that is on, or the last one's outcome.
    Poll(Option<Poll>),
    /// The questions that most want answered.
    Questions(Vec<Question>),
    /// The debate clock, said when it changes and every few seconds while it runs; none when it is put away.
    Clock(Option<ClockShown>),
    /// While there is a debate clock: who has spoken how long, the longest first, replacing what was said before.
    Spoken(Vec<Spoke>),
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
        /// Whether the event itself has begun; before, the doors are open.
        begun: bool,
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
    /// The square wrote an event's announcement, for the first time or anew, or took the event back.
    Announced {
        /// The event.
        event: EventId,
    },
    /// What listeners sent in the last second, added up by the square.
    Reacted {
        /// The event.
        event: EventId,
        /// Reactions by kind.
        counts: Vec<(u8, u32)>,
    },
    /// Every raised hand of an event; replaces what was said before, and stands.
    Hands {
        /// The event.
        event: EventId,
        /// At most [`crate::limit::HANDS_WAITING_MAX`].
        hands: Vec<Hand>,
    },
    /// What is held up, asked and voted on; replaces what was said before, and stands.
    Board {
        /// The event.
        event: EventId,
        /// The newest first.
        pins: Vec<Pin>,
        /// The poll that is on, or the last one.
        poll: Option<Poll>,
        /// The most wanted first.
        questions: Vec<Question>,
    },
    /// Every ticket that was banned from an event; replaces what was said before, and stands.
    Barred {
        /// The event.
        event: EventId,
        /// At most [`crate::limit::BARRED_TICKETS_MAX`].
        tickets: Vec<u64>,
    },
    /// More tickets of somebody who was banned, which they had besides the one that was.
    Bar {
        /// The event.
        event: EventId,
        /// At most [`crate::limit::BARRED_TICKETS_MAX`].
        tickets: Vec<u64>,
    },
    /// What became of hands, as tickets; replaces what was said before, and stands.
    Seats {
        /// The event.
        event: EventId,
        /// May come on stage.
        admitted: Vec<u64>,
        /// Were told no, and have not raised their hand again.
        declined: Vec<u64>,
        /// Have spoken.
        spoke: Vec<u64>,
        /// Whether somebody is there who may admit.
        in_charge: bool,
    },
}
