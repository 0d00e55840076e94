//! Marks of browsers.

use super::{is_signed, network, sign};
use crate::Keys;
use crate::testing::keys;
use base::EventId;

#[test]
fn a_mark_is_good_as_long_as_its_key_and_none_can_be_made_up() {
    let one = Keys::new([1; 32]);
    let mark = sign(&one, &[7; 32]);
    assert_eq!(mark[..16], [7; 16]);
    assert!(is_signed(&one, &mark) && is_signed(&keys(&[2, 1]), &mark));
    assert!(!is_signed(&keys(&[3, 2]), &mark), "two keys later");
    for place in 0..mark.len() {
        let mut other = mark;
        other[place] ^= 1;
        assert!(!is_signed(&one, &other), "byte {place}");
    }
}

#[test]
fn a_network_has_another_number_in_each_event_and_under_each_key() {
    let (here, there) = (EventId::from_random(1), EventId::from_random(2));
    let one = network(&keys(&[1]), here, 7);
    assert_eq!(one, network(&keys(&[1, 9]), here, 7), "the newest key's");
    for other in [network(&keys(&[1]), here, 8), network(&keys(&[1]), there, 7), network(&keys(&[2, 1]), here, 7)] {
        assert_ne!(one, other);
    }
}
