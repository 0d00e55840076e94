//! Programme bytes to listeners: an event loop that follows the files of events and serves them over HTTP.
//!
//! [`Worker`] is one loop on one thread; the shell owns the clock and calls it in turns. It opens no fragment: which bytes a
//! listener gets is said by `programme`'s index and views, who may hear a private event by `gate`. It knows no codec, no database and
//! no other role, and it does not learn who listens: it sees a valid ticket. Addresses: docs/formats.md, "HTTP of the relay".
//!
//! What a listener costs: a descriptor, a place in the programme and a reference to the bytes that everybody at that place is sent.

mod address;
mod answer;
mod audience;
mod body;
mod connection;
mod copy;
mod event;
mod governor;
mod house;
mod http;
mod metrics;
mod pace;
mod rota;
mod socket;
mod stream;
mod tls;
mod tree;
mod worker;

pub use metrics::Load;
pub use tls::Tls;
pub use tree::Want;
pub use worker::{Config, Listening, Worker};

/// For `bin/fuzz`: what reads bytes from outside, without the worker around it.
#[cfg(fuzzing)]
pub mod fuzz {
    /// A request's head, and the address that it names.
    pub fn request(bytes: &[u8]) {
        if let Ok(Some((request, length))) = crate::http::parse(bytes) {
            assert!(length <= bytes.len());
            let _ = crate::address::parse(&request.target);
        }
        let _ = std::str::from_utf8(bytes).map(crate::address::parse);
    }
}
