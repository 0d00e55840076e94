//! Tests of `view/hls`.
