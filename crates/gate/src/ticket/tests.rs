use super::*;
use proptest::prelude::*;

const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

fn keys(seed: u8) -> Keys {
    Keys::new([seed; 32])
}

/// Two live keys.
fn both(newest: u8, older: u8) -> Keys {
    crate::testing::keys(&[newest, older])
}

fn claims(class: Class) -> Claims {
    Claims { event: EventId::from_random(7), class, id: 99, not_before: 1_799_999_000, not_after: 1_800_000_000 }
}

#[test]
fn a_ticket_says_what_was_signed() {
    for class in [Class::Listener, Class::Speaker, Class::CoHost, Class::Host, Class::Relay] {
        let text = sign(&keys(1), &claims(class));
        assert_eq!(verify(&keys(1), &text, NOON), Ok(claims(class)));
    }
}

#[test]
fn a_ticket_is_refused_for_its_reason() {
    let event = EventId::from_random(7);
    let check = |keys: &Keys, at: i64, event, least, expected| {
        let text = sign(&self::keys(1), &claims(Class::Speaker));
        assert_eq!(admit(keys, &text, UnixMillis(at), event, least).map(|claims| claims.class), expected);
    };
    check(&keys(1), NOON.0, event, Class::Listener, Ok(Class::Speaker));
    check(&keys(1), NOON.0, event, Class::Speaker, Ok(Class::Speaker));
    check(&keys(1), NOON.0, event, Class::Host, Err(Refusal::Class));
    check(&keys(1), NOON.0, EventId::from_random(8), Class::Speaker, Err(Refusal::Forged));
    check(&keys(2), NOON.0, event, Class::Speaker, Err(Refusal::Forged));
    check(&keys(1), NOON.0 + 1000, event, Class::Speaker, Err(Refusal::OutsideTime));
    check(&keys(1), NOON.0 + 999, event, Class::Speaker, Ok(Class::Speaker));
    check(&keys(1), 1_799_998_999_999, event, Class::Speaker, Err(Refusal::OutsideTime));
    check(&keys(1), -1, event, Class::Speaker, Err(Refusal::OutsideTime));
    check(&both(5, 1), NOON.0, event, Class::Speaker, Ok(Class::Speaker));
    check(&both(6, 5), NOON.0, event, Class::Speaker, Err(Refusal::Forged));
}

#[test]
fn a_shortened_signature_is_no_signature() {
    let text = sign(&keys(1), &claims(Class::Host));
    let bytes = URL_SAFE_NO_PAD.decode(&text).expect("own base64");
    for length in 0..bytes.len() {
        assert_eq!(verify(&keys(1), &URL_SAFE_NO_PAD.encode(&bytes[..length]), NOON), Err(Refusal::Forged));
    }
}

#[test]
fn a_session_s_secret_is_of_its_keys_its_ticket_and_its_number() {
    let secret = |key, class, nonce| session_secret(&keys(key), &claims(class), [nonce; NONCE_BYTES]);
    let one = secret(1, Class::Host, 1);
    assert_eq!(one, secret(1, Class::Host, 1));
    for other in [secret(2, Class::Host, 1), secret(1, Class::Speaker, 1), secret(1, Class::Host, 2)] {
        assert_ne!(one, other);
    }
}

#[test]
fn a_key_file_is_read_as_it_was_written() {
    for keys in [keys(1), both(2, 1)] {
        assert_eq!(Keys::parse(&keys.to_text()).map(|read| read.to_text()), Ok(keys.to_text()));
    }
    for text in ["", "zz", "00", &"0".repeat(63), &"é".repeat(32), &("0".repeat(64) + "\n").repeat(3)] {
        assert!(Keys::parse(text).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn one_flipped_bit_is_a_forgery(bit in 0usize..(PAYLOAD_BYTES + MAC_BYTES) * 8) {
        let mut bytes = URL_SAFE_NO_PAD.decode(sign(&keys(1), &claims(Class::Speaker))).expect("own base64");
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(verify(&keys(1), &URL_SAFE_NO_PAD.encode(bytes), NOON), Err(Refusal::Forged));
    }

    #[test]
    fn any_text_is_refused(text: String) {
        prop_assert_eq!(verify(&keys(1), &text, NOON), Err(Refusal::Forged));
    }
}
