//! Accounts, events as announcements, invites, and what an audience takes part in: the rules, each of them once, and the actions that follow
//! them.
//!
//! The rules are pure: who asks, what they ask for and what time it is are arguments. The actions apply them over a
//! [`store::Store`]. Nothing here knows HTTP, cookies, templates or where the stage listens.

pub mod account;
pub mod actor;
pub mod assembly;
pub mod clip;
pub mod event;
mod fault;
pub mod hand;
pub mod invite;
pub mod passphrase;
pub mod pin;
pub mod poll;
pub mod question;
pub mod rate;
pub mod reaction;
pub mod rehearsal;
pub mod replay;
pub mod secret;
pub mod series;
pub mod visitor;
pub mod words;

pub use actor::Actor;
pub use assembly::Assembly;
pub use fault::Fault;
pub use secret::Secret;

#[cfg(test)]
mod testing;
