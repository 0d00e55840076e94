//! Pins.

use super::{hang, read_address, take};
use crate::testing::{NOW, with_store};
use base::limit::PINS_PER_EVENT_MAX;
use base::{FaultKind, Visibility};

#[test]
fn a_link_leads_to_a_page() {
    let long = format!("https://a.example/{}", "x".repeat(300));
    let rows = [
        ("", true),
        (" https://a.example/b?c=d#e ", true),
        ("HTTP://a.example", true),
        ("https://[::1]:8080/", true),
        ("javascript:alert(1)", false),
        ("javascript://a.example/%0aalert(1)", false),
        ("data:text/html,hi", false),
        ("//a.example", false),
        ("a.example", false),
        ("https://", false),
        ("https:///a", false),
        ("https://a.example/\u{202e}gpj", false),
        ("https://a.example/ b", false),
        (long.as_str(), false),
    ];
    for (typed, good) in rows {
        let expected = if good { Ok(typed.trim().to_owned()) } else { Err(FaultKind::PinAddress) };
        assert_eq!(read_address(typed), expected, "{typed:?}");
    }
}

#[test]
fn pins_fit_or_one_is_taken_down() {
    with_store(|store| async move {
        let event = store::testing::event(1, Visibility::Public, 1);
        store.insert_event(&event).await.expect("free");
        for _ in 0..PINS_PER_EVENT_MAX {
            hang(&store, &event, "Read this", "", NOW).await.expect("fits");
        }
        assert_eq!(hang(&store, &event, "And this", "", NOW).await.expect_err("full").kind, FaultKind::PinsFull);
        take(&store, &event, 1, NOW).await.expect("is up");
        assert_eq!(take(&store, &event, 1, NOW).await.expect_err("is down").kind, FaultKind::NotFound);
        hang(&store, &event, "And this", "https://a.example/", NOW).await.expect("fits");
    });
}
