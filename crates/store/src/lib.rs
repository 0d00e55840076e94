//! Rows: accounts, sign-in links, sessions, events, their series, invites and what their audiences take part in, on SQLite and on PostgreSQL.
//!
//! The only place that holds SQL and knows which engine is behind it. Every query is one text in the dialect that both
//! engines share, and the same tests run it on both. It keeps what it is told: rules live in `square`, the clock and
//! chance are arguments, and a token arrives here as its hash.

pub mod account;
mod ban;
pub mod board;
pub mod clip;
mod engine;
pub mod event;
mod guest;
pub mod hand;
pub mod invite;
pub mod replay;
pub mod series;
pub mod session;
pub mod vote;

pub use account::{Account, AccountId, Role};
pub use ban::Bearer;
pub use board::{Pin, Poll, Question};
pub use clip::Clip;
pub use engine::{Error, Store};
pub use event::{After, Event, Listed, Phase};
pub use hand::{Hand, Standing};
pub use invite::{Guest, Invite};
pub use replay::Replay;
pub use series::{Repeats, Series, SeriesId};
pub use session::{Hash, Link, Session};
pub use vote::Ballot;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
