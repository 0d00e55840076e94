//! The test world: everything that can go wrong, repeatable from one seed.
//!
//! A dev-dependency of the crates under test; it knows nothing of them.

pub mod chance;
pub mod disk;
pub mod network;
