//! Frames survive any tearing.

use super::*;
use proptest::prelude::*;

fn all(decoder: &mut Decoder) -> Result<Vec<Vec<u8>>, Oversized> {
    let mut frames = Vec::new();
    while let Some(bytes) = decoder.next_frame()? {
        frames.push(bytes.to_vec());
    }
    Ok(frames)
}

#[test]
fn too_large_is_an_error_that_stays() {
    let mut decoder = Decoder::default();
    decoder.push(&[0, 1, 42, 0xff, 0xff, 1, 2]);
    assert_eq!(decoder.next_frame(), Ok(Some(&[42][..])));
    for _ in 0..2 {
        assert_eq!(decoder.next_frame(), Err(Oversized { bytes: 0xffff }));
    }
    let mut out = Vec::new();
    assert_eq!(frame(&[0; DATAGRAM_BYTES_MAX + 1], &mut out), Err(Oversized { bytes: DATAGRAM_BYTES_MAX + 1 }));
    assert!(out.is_empty());
}

#[test]
fn empty_frames_are_keep_alives() {
    let mut decoder = Decoder::default();
    decoder.push(&[0, 0, 0, 0, 0, 2, 8, 9, 0, 0]);
    assert_eq!(all(&mut decoder), Ok(vec![vec![8, 9]]));
}

proptest! {
    #[test]
    fn whatever_is_framed_comes_back(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..20),
        cuts in proptest::collection::vec(1..40_usize, 1..50),
    ) {
        let mut stream = Vec::new();
        for datagram in &datagrams {
            frame(datagram, &mut stream).unwrap();
        }
        let mut decoder = Decoder::default();
        let mut back = Vec::new();
        let mut cuts = cuts.iter().cycle();
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            decoder.push(piece);
            back.extend(all(&mut decoder).unwrap());
            rest = left;
        }
        prop_assert_eq!(back, datagrams);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        let _ = all(&mut decoder);
    }
}
