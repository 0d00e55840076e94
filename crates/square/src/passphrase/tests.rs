//! There and back.

use super::{fits, hash};
use crate::testing::chance;

#[test]
fn what_was_hashed_fits_and_nothing_else() {
    let kept = hash(" the old bridge ", &chance(1)).expect("a hash");
    assert!(kept.starts_with("$argon2id$") && !kept.contains("bridge"), "{kept}");
    assert_ne!(hash("the old bridge", &chance(2)), Some(kept.clone()), "two events with one passphrase have two hashes");
    for (typed, wanted) in [("the old bridge", true), ("the old bridge ", true), ("The old bridge", false), ("", false)] {
        assert_eq!(fits(typed, &kept), wanted, "{typed:?}");
    }
    assert!(!fits("the old bridge", "damaged"));
}
