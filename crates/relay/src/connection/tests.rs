//! What a listener costs in memory.

use super::*;

#[test]
fn a_listener_is_small() {
    assert!(size_of::<Connection>() <= 80, "{} bytes", size_of::<Connection>());
    assert!(size_of::<Stream>() <= 64, "{} bytes", size_of::<Stream>());
}
