//! The stage role: wiring around the cores.
