//! Tests of `fragment`.
