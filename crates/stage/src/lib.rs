//! One live event's stage: who is there, what they may do, whether they are heard, and what listeners are told of it.
//!
//! A [`Stage`] is a state machine without clocks, sockets or files. The shell gives it [`Input`]s with the time, performs the
//! [`Output`]s in their order, and syncs every [`Output::Journal`] before it gives an answer. What must survive a crash is exactly
//! what the journal says: every command changes the lasting part of the state through the same function that replays it.
//!
//! A place on stage begins when a microphone is connected, not when somebody asks: who never speaks into one takes nobody's place.
//! It is held for who had one and lost it, and is theirs again when they come back under the same key.
//!
//! It knows nothing of sound: which samples are added for whom is the audio desk's business, told by [`Output::Mix`].

mod connection;
mod kept;
mod listeners;
mod stage;
mod words;

pub use connection::{Grade, Verdict};
pub use kept::{Answered, Kept, Participant, Phase, Programme, Standing};
pub use stage::Stage;
pub use words::{
    Action, Alarm, By, ClockView, Connection, Input, Loudness, MediaUse, Mix, Now, Output, Person, Schedule, SessionId, SessionKind, Side,
    Spoken, View, Who, You,
};
