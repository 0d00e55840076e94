//! The roles: thin shells around the cores, each a process of its own.

pub(crate) mod copy;
pub(crate) mod relay;
pub(crate) mod square;
pub(crate) mod stage;
