//! SDP offers of microphones and of who only hears.
#![no_main]

use ingest::{Candidate, Purpose, Session, Transport};
use libfuzzer_sys::fuzz_target;
use std::time::Instant;

fuzz_target!(|offer: &str| {
    let candidates = [Candidate { transport: Transport::Udp, address: "192.0.2.9:7881".parse().expect("an address") }];
    for purpose in [Purpose::Whip, Purpose::Whep] {
        match Session::accept(Instant::now(), purpose, offer, &candidates, [7; 32]) {
            Ok((_, answer)) => assert!(answer.starts_with("v=0\r\n")),
            Err(refusal) => assert!(!refusal.cause.contains("broke the parser"), "{refusal}"),
        }
    }
});
