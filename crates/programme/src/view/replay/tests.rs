//! Tests of `view/replay`.
