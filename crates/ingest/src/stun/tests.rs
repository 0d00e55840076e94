//! Real requests give their ufrag; nothing else does, and no bytes hurt.

use super::*;
use proptest::prelude::*;

/// A binding request with the given attributes.
fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, value) in attributes {
        body.extend(kind.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut bytes = vec![0, 1];
    bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend(MAGIC_COOKIE);
    bytes.extend([7; 12]);
    bytes.extend(body);
    bytes
}

#[test]
fn the_receivers_half_of_the_name() {
    let check = |bytes: &[u8], ufrag: Option<&str>| assert_eq!(username_ufrag(bytes), ufrag, "{bytes:02x?}");
    check(&request(&[(6, b"abcd:wxyz")]), Some("abcd"));
    check(&request(&[(0x24, &[1, 2, 3, 4]), (0x802a, &[0; 8]), (6, b"longer+ufrag/1:x")]), Some("longer+ufrag/1"));
    check(&request(&[(6, b"nocolon")]), None);
    check(&request(&[(6, b":x")]), None);
    check(&request(&[(6, b"\xff\xfe:x")]), None);
    check(&request(&[(6, &[b'a'; 600])]), None);
    check(&request(&[]), None);
    check(b"", None);
    check(&[0x80; 40], None);
    let mut response = request(&[(6, b"abcd:wxyz")]);
    response[0] = 1;
    check(&response, None);
    let whole = request(&[(6, b"abcd:wxyz")]);
    for end in 0..whole.len() {
        check(&whole[..end], None);
    }
}

#[test]
fn the_last_values_padding_may_be_missing() {
    let mut bytes = request(&[(6, b"abcde:x")]);
    bytes.pop();
    bytes[3] -= 1;
    assert_eq!(username_ufrag(&bytes), Some("abcde"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = username_ufrag(&bytes);
    }

    #[test]
    fn any_attributes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 20..200), length in 0..256_u16) {
        bytes[..2].copy_from_slice(&BINDING_REQUEST);
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..8].copy_from_slice(&MAGIC_COOKIE);
        if let Some(ufrag) = username_ufrag(&bytes) {
            prop_assert!(!ufrag.is_empty() && !ufrag.contains(':'));
        }
    }
}
