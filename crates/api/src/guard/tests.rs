//! Where a request may come from.

use super::from_us;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

#[test]
fn origins() {
    const SITE: &str = "sec-fetch-site";
    let rows: &[(&[(&'static str, &'static str)], bool)] = &[
        (&[], true),
        (&[(SITE, "same-origin")], true),
        (&[(SITE, "none")], true),
        (&[(SITE, "same-site")], false),
        (&[(SITE, "cross-site")], false),
        (&[(SITE, "cross-site"), ("origin", "https://square.example")], false),
        (&[("origin", "https://square.example")], true),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], true),
        (&[("origin", "http://192.168.1.5:8080"), ("host", "192.168.1.5:8080")], true),
        (&[("origin", "http://evil.example"), ("host", "192.168.1.5:8080")], false),
    ];
    for (said, ours) in rows {
        let headers: HeaderMap =
            said.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        assert_eq!(from_us(&headers, "https://square.example"), *ours, "{said:?}");
    }
}
