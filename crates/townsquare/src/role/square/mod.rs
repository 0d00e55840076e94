//! The square role: wiring around the cores.
