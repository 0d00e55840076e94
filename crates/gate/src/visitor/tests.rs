//! Marks of browsers.

use super::{is_signed, sign};
use crate::Keys;

#[test]
fn a_mark_is_good_as_long_as_its_key_and_none_can_be_made_up() {
    let keys = Keys::new([1; 32]);
    let mark = sign(&keys, &[7; 32]);
    assert_eq!(mark[..16], [7; 16]);
    assert!(is_signed(&keys, &mark) && is_signed(&keys.clone().rotate([2; 32]), &mark));
    assert!(!is_signed(&keys.clone().rotate([2; 32]).rotate([3; 32]), &mark), "two keys later");
    for place in 0..mark.len() {
        let mut other = mark;
        other[place] ^= 1;
        assert!(!is_signed(&keys, &other), "byte {place}");
    }
}
