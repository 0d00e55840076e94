//! Rows come with the fixtures.
