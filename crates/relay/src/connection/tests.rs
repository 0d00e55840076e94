//! What a listener costs in memory.

use super::*;

#[test]
fn a_listener_is_small() {
    assert!(size_of::<Connection>() <= 80, "{} bytes", size_of::<Connection>());
    // With the allocator's own 8 bytes that is 80, which is what it gives for 64 too.
    assert!(size_of::<Stream>() <= 72, "{} bytes", size_of::<Stream>());
}
