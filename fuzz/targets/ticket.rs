//! Tickets: whatever is said, nobody is let in whom the key did not sign.
#![no_main]

use base::UnixMillis;
use gate::Keys;
use gate::ticket::{Refusal, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert_eq!(verify(&Keys::new([7; 32]), text, UnixMillis(1_763_683_200_000)), Err(Refusal::Forged));
});
