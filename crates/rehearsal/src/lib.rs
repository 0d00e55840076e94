//! A crowd that listens as listeners do and checks what it hears.
//!
//! [`Crowd`] is one event loop on one thread with up to a process's worth of listeners; the shell owns the clock, starts the
//! processes, and adds up their [`Tally`]s. A listener costs a descriptor and a few words: it follows the boxes' headers for the
//! fragments' numbers and passes over the sound. One in a thousand decodes what it hears.
//!
//! What is measured becomes a [`verdict`] and a page with plots ([`page`]); both are made from numbers alone. This crate knows no
//! process, no terminal and no server: whose figures stand beside the crowd's is the shell's matter.

mod boxes;
mod crowd;
mod head;
mod hearing;
mod histogram;
mod hls;
mod pace;
pub mod page;
pub mod plan;
mod plot;
mod ports;
mod sound;
mod store;
mod tally;
mod tls;
pub mod verdict;

pub use crowd::Crowd;
pub use histogram::Histogram;
pub use plan::{Mix, Order};
pub use store::Store;
pub use tally::Tally;
pub use tls::trusting;
