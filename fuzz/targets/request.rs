//! What listeners ask for: HTTP heads, addresses, playlist queries.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| relay::fuzz::request(bytes));
