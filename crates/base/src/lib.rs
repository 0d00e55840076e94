//! The words everyone shares: ids, media time, rungs, cadences, visibility, an event's plan, limits, fault kinds, journal entries and facts.
//!
//! No logic lives here but the rules for text that people see and for who is the same person, and nothing here can be serialised: a wire form belongs to the edge that speaks it.
//! Every other crate may import this one; this one imports none.

pub mod cadence;
pub mod fact;
pub mod fault;
pub mod id;
pub mod journal;
pub mod limit;
pub mod people;
pub mod plan;
pub mod rung;
pub mod text;
pub mod time;
pub mod visibility;

pub use cadence::Cadence;
pub use fault::FaultKind;
pub use id::{ClipId, EventId, ParticipantId};
pub use plan::{Delay, Plan, Speak};
pub use rung::Rung;
pub use time::{Epoch, FragmentNumber, MediaTime, Place, UnixMillis};
pub use visibility::Visibility;
