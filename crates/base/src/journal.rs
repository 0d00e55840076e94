//! What an event's journal says: everything about its stage that must survive a crash.
//!
//! Entries are appended and synced before the answer is given. A restarted stage replays them and stands where it stood.

use crate::id::ParticipantId;
use crate::time::{Epoch, FragmentNumber, UnixMillis};

/// What somebody on stage may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Opens and ends the event, mutes and removes.
    Host,
    /// Does what a host does, but not to a host.
    CoHost,
    /// Speaks.
    Speaker,
}

/// What a debate clock gives a budget to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockMode {
    /// Each speaker has one for the whole debate.
    Speaker,
    /// Each side has one, which its speakers share.
    Side,
    /// Each turn has one anew.
    Turn,
}

/// Who muted a microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MutedBy {
    /// Who speaks into it.
    Themselves,
    /// Somebody who rules.
    Host,
    /// The debate clock, for their time was spent.
    Clock,
}

/// One budget of a debate clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The side's name; empty where the budget is one speaker's.
    pub name: String,
    /// Who draws on it.
    pub who: Vec<ParticipantId>,
    /// Milliseconds left.
    pub left_ms: u64,
}

/// A debate clock as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// What has a budget.
    pub mode: ClockMode,
    /// Milliseconds of a budget that nobody has drawn on.
    pub budget_ms: u64,
    /// Every budget, in the order in which it is shown.
    pub budgets: Vec<Budget>,
    /// Whose time runs.
    pub running: Option<ParticipantId>,
}

/// One entry of the journal, in the order in which things became true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The wall clock when it happened, for people; the order of entries is what counts.
    pub at: UnixMillis,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody came on stage and has this number from now on; said again with the same number when they come back after leaving.
    Joined {
        /// The number given.
        participant: ParticipantId,
        /// What the client calls itself across reconnections: opaque, unguessable.
        key: String,
        /// The name shown.
        name: String,
        /// What their ticket lets them do.
        role: Role,
        /// The ticket's number; 0 when it is not known.
        ticket: u64,
        /// Whether they wait behind the stage.
        backstage: bool,
    },
    /// A participant goes on stage, or behind it.
    Stepped {
        /// Who.
        participant: ParticipantId,
        /// Whether they are behind it from now on.
        backstage: bool,
    },
    /// A participant may do something else than their ticket says.
    Promoted {
        /// Who.
        participant: ParticipantId,
        /// Co-host or speaker.
        role: Role,
    },
    /// A participant is ready for the event to begin, or is not any more.
    Ready {
        /// Who.
        participant: ParticipantId,
        /// Whether they are.
        ready: bool,
    },
    /// A participant shows another name.
    Renamed {
        /// Who.
        participant: ParticipantId,
        /// The name shown from now on.
        name: String,
    },
    /// A participant is muted or unmuted.
    Muted {
        /// Who.
        participant: ParticipantId,
        /// By whom, from now on; none when they are heard again.
        by: Option<MutedBy>,
    },
    /// A participant left on purpose, or lost a place that could not be held longer; they may come back.
    Left {
        /// Who.
        participant: ParticipantId,
    },
    /// A participant was removed by a host and may not come back.
    Removed {
        /// Who.
        participant: ParticipantId,
    },
    /// Whoever has this ticket may not come in any more.
    Banned {
        /// The ticket's number.
        ticket: u64,
    },
    /// The stage was locked: nobody else comes on it; or unlocked.
    Locked {
        /// Whether it is.
        locked: bool,
    },
    /// Somebody is in charge while no host is there, or nobody but the hosts any more.
    InCharge {
        /// Who.
        participant: Option<ParticipantId>,
    },
    /// In which order people are in charge when the hosts are gone.
    Succession {
        /// The first one first.
        order: Vec<ParticipantId>,
    },
    /// Who raised a hand may come on stage.
    Admitted {
        /// Their ticket's number.
        ticket: u64,
        /// Their name.
        name: String,
    },
    /// Who raised a hand was told no.
    Declined {
        /// Their ticket's number.
        ticket: u64,
    },
    /// The debate clock was set, started, stopped, or some of it is spent.
    Clock {
        /// How it stands; none when it is put away.
        clock: Option<Clock>,
    },
    /// How long everybody has spoken so far, in milliseconds, for all of whom it changed.
    Spoken {
        /// Who and how long.
        totals: Vec<(ParticipantId, u64)>,
    },
    /// The doors open: the programme that is opened next plays the hold sound until [`What::Begun`].
    DoorsOpened,
    /// The event itself begins, after the doors were open.
    Begun {
        /// The first fragment that may hold more than the hold sound.
        first: FragmentNumber,
    },
    /// The programme was opened: at the start of the event, and again by a stage that found it open.
    EpochOpened {
        /// The epoch that begins.
        epoch: Epoch,
        /// Its first fragment.
        first: FragmentNumber,
        /// The machine's boot, so that a power loss can be told from a crash.
        boot: String,
    },
    /// Nobody is on stage and the hold sound plays in the middle of the event; or somebody is again.
    Held {
        /// Its first fragment; none when it is over.
        from: Option<FragmentNumber>,
    },
    /// The recording stopped although the event goes on.
    RecordingStopped {
        /// The first fragment that is not kept.
        first_lost: FragmentNumber,
    },
    /// The event is over; nothing follows.
    Ended {
        /// The number after the last fragment.
        end: FragmentNumber,
        /// The number after the last that is heard in the replay, when nobody was on stage any more behind it.
        heard: Option<FragmentNumber>,
    },
}
