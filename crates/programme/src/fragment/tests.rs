//! Fragments: small heads, read back, and nothing foreign is taken for one.

use super::*;
use mp4_atom::{Decode, Mdat};
use proptest::prelude::*;

fn payload(rung: Rung) -> Vec<u8> {
    (0..rung.frames_per_fragment()).flat_map(|frame| crate::world::packet(rung, frame as u64)).collect()
}

#[test]
fn is_what_a_parser_of_mp4_reads() {
    for rung in Rung::ALL {
        let number = FragmentNumber(5_000_000_000 / 5 * 5);
        let bytes = seal(rung, number, Some(r#"{"n":7}"#), &payload(rung));
        let mut rest = &bytes[..];
        let emsg = Emsg::decode(&mut rest).unwrap();
        assert_eq!((emsg.scheme_id_uri.as_str(), &emsg.message_data[..]), (FACTS_SCHEME, &br#"{"n":7}"#[..]));
        assert_eq!(emsg.presentation_time, EmsgTimestamp::Absolute(number.start().0));
        let before = rest.len();
        let moof = Moof::decode(&mut rest).unwrap();
        assert_eq!(before - rest.len(), MOOF_BYTES);
        assert_eq!(moof.traf[0].tfdt.as_ref().unwrap().base_media_decode_time, number.0 * 9_600);
        assert_eq!(Mdat::decode(&mut rest).unwrap().data, payload(rung));
        assert_eq!(bytes.len(), EMSG_BYTES + 7 + MOOF_BYTES + MDAT_HEADER_BYTES + payload_bytes(rung));
    }
    const { assert!(MOOF_BYTES <= 100) };
}

#[test]
fn finds_what_was_sealed() {
    for (rung, facts) in Rung::ALL.into_iter().zip([Some("{}"), None, Some("{\"r\":0}")]) {
        let bytes = seal(rung, FragmentNumber(35), facts, &payload(rung));
        let found = find(&bytes).unwrap();
        assert_eq!((found.number, found.frame_bytes, found.length()), (FragmentNumber(35), rung.frame_bytes(), bytes.len()));
        assert_eq!(&bytes[found.payload.clone()], payload(rung));
        assert_eq!(
            found.facts.iter().map(|range| &bytes[range.clone()]).collect::<Vec<_>>(),
            facts.map(str::as_bytes).into_iter().collect::<Vec<_>>()
        );
        assert!(found.sounds(&bytes));
        for end in 0..bytes.len() {
            assert_eq!(find(&bytes[..end]), Err(NoFragment::Short));
        }
    }
}

#[test]
fn lost_sectors_do_not_sound() {
    let mut bytes = silent(Rung::R64, FragmentNumber(1));
    assert!(find(&bytes).unwrap().sounds(&bytes));
    bytes[300..800].fill(0);
    assert!(!find(&bytes).unwrap().sounds(&bytes));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = find(&bytes);
        let _ = init_length(&bytes);
    }

    #[test]
    fn damage_never_panics(at in 0usize..200, value: u8) {
        let mut bytes = seal(Rung::R32, FragmentNumber(9), Some("{}"), &payload(Rung::R32));
        bytes[at] = value;
        if let Ok(found) = find(&bytes) {
            let _ = found.sounds(&bytes);
        }
    }
}
