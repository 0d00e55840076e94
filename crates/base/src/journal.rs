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
    /// Speaks.
    Speaker,
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
        /// What they may do.
        role: Role,
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
        /// Whether nobody hears them.
        muted: bool,
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
    /// The programme was opened: at the start of the event, and again by a stage that found it open.
    EpochOpened {
        /// The epoch that begins.
        epoch: Epoch,
        /// Its first fragment.
        first: FragmentNumber,
        /// The machine's boot, so that a power loss can be told from a crash.
        boot: String,
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
    },
}
