//! The relay role: wiring around the cores.
