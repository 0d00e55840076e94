//! Who may enter, speak, listen: admission as decisions.
//!
//! Pure: the clock, the keys and the chance are arguments. It knows tickets; it does not know accounts, sockets or the database.

pub mod key;
pub mod ticket;
pub mod visitor;

pub use key::Keys;

#[cfg(test)]
mod testing;
