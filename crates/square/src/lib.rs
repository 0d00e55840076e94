//! Accounts and events as announcements: the rules, each of them once, and the actions that follow them.
//!
//! The rules are pure: who asks, what they ask for and what time it is are arguments. The actions apply them over a
//! [`store::Store`]. Nothing here knows HTTP, cookies, templates or where the stage listens.

pub mod account;
pub mod actor;
pub mod event;
mod fault;
pub mod rehearsal;
pub mod secret;
pub mod words;

pub use actor::Actor;
pub use fault::Fault;
pub use secret::Secret;

#[cfg(test)]
mod testing;
