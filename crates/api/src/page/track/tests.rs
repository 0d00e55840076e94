//! What a track's size is called.

use super::size;

#[test]
fn sizes() {
    for (bytes, said) in [(0, "0 kB"), (1, "1 kB"), (999_000, "999 kB"), (999_001, "1.0 MB"), (28_750_000, "28.7 MB")] {
        assert_eq!(size(bytes), said, "{bytes}");
    }
}
