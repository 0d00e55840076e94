//! Tests of `silence`.
