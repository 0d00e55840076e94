//! RFC 4571 frames from TCP, in pieces as they come.
#![no_main]

use ingest::framing::Decoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let mut decoder = Decoder::default();
    for piece in &pieces {
        decoder.push(piece);
        while let Ok(Some(frame)) = decoder.next_frame() {
            assert!(frame.len() <= base::limit::DATAGRAM_BYTES_MAX);
        }
    }
});
