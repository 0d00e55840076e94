//! What is printed.

use super::{describe, links};
use serde_json::json;

#[test]
fn scripts_get_these_keys_and_no_others() {
    let event = json!({
        "id": "0123456789ab", "title": "Town meeting", "visibility": "public", "phase": "announced", "page": "p", "stage": "s",
        "speakers": "x", "whip": {"url": "u", "token": "t"}, "listen": {"stream": "m", "hls": "h"}, "replay": null,
    });
    let wanted = json!({
        "id": "0123456789ab", "page": "p", "stage": "s", "whip": {"url": "u", "token": "t"}, "listen": {"stream": "m", "hls": "h"},
    });
    assert_eq!(links(&event), wanted);
    let text = describe(&event);
    assert!(text.starts_with("Town meeting (public, announced)\n"), "{text}");
    assert!(!text.contains("replay"), "{text}");
}
