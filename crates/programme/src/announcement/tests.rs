//! Tests of `announcement`.
