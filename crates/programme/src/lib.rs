//! A live programme as files: encoded packets in, sealed fragments out; what to append, the index, the cuts, the views.
//!
//! The stage drives [`write::Writer`] and performs what it says; after a crash [`recover`] says where to go on. The relay
//! feeds an [`index::Index`] per rung and asks [`view`] which bytes a listener gets. Formats: docs/formats.md.
//!
//! This crate opens no file, reads no clock and knows neither codecs nor sockets: a packet is bytes of a known size.

#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "numbers of tests are small"))]

pub mod announcement;
pub mod copy;
pub mod cuts;
pub mod facts;
pub mod fragment;
pub mod index;
pub mod init;
pub mod journal;
pub mod moments;
mod record;
pub mod recover;
pub mod silence;
pub mod track;
pub mod view;
#[cfg(test)]
mod world;
pub mod write;

pub use announcement::Announcement;
pub use cuts::Cuts;
pub use index::Index;
pub use write::Writer;
