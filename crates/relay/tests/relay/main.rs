//! A whole relay worker on real sockets: a stage beside it grows the files, clients ask. One thread drives all of it, so a
//! test waits for what it expects and for nothing else.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod cadence;
mod door;
mod full;
mod hls;
mod lean;
mod peers;
mod replay;
mod secure;
mod stream;
mod tls;
mod wait;
mod world;
