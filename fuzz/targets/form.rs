//! What people type into forms.
#![no_main]

use base::{UnixMillis, limit};
use libfuzzer_sys::fuzz_target;
use square::words;

fuzz_target!(|text: &str| {
    let now = UnixMillis(1_763_683_200_000);
    if let Ok(title) = words::title(text) {
        assert!((1..=limit::TITLE_CHARS_MAX).contains(&title.chars().count()));
        assert_eq!(words::title(&title), Ok(title.clone()), "what was read is read as it is");
    }
    if let Ok(Some(start)) = words::start(text, now) {
        assert!(words::starts(now).contains(&start));
    }
    let _ = words::name(text);
});
