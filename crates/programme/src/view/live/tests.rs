//! Tests of `view/live`.
