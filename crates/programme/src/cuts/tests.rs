//! Tests of `cuts`.
