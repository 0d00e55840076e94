//! HTTP of the square: pages, the JSON API, sign-in.
//!
//! [`router`] makes one `axum` router out of an [`App`]; the binary serves it on the public address and, as
//! [`Door::Operator`], on the server's own socket. What may be done is decided in `square`; this crate reads requests,
//! keeps forged ones out, and writes HTML and JSON. It reads no clock and no settings: [`Config`] carries them, and what
//! must be done outside (the announcement's file, a word to the stage) goes through [`Shell`].

mod address;
mod app;
mod asset;
mod calendar;
mod caller;
mod fault;
mod guard;
mod guest;
mod header;
mod json;
mod once;
mod page;
mod part;
mod rehearsal;
mod replay;
mod request;
mod router;
mod ticket;
mod when;

pub use address::Addresses;
pub use app::{App, Config, Counts, Doing, Order, Shell};
pub use caller::Door;
pub use guest::Peer;
pub use rehearsal::{End, Last, Rehearsal, Running};
pub use replay::{Kept, Track, Withhold};
pub use router::router;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
