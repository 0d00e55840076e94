//! Which addresses are one's own.

use super::*;

#[test]
fn only_ones_own_network_needs_no_ticket() {
    for (address, own) in [
        ("127.0.0.1", true),
        ("127.200.3.4", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("10.1.2.3", true),
        ("172.16.0.1", true),
        ("172.32.0.1", false),
        ("192.168.1.1", true),
        ("198.18.0.1", true),
        ("198.20.0.1", false),
        ("fd00::1", true),
        ("2001:2::1", true),
        ("2001:db8::1", false),
        ("8.8.8.8", false),
        ("::ffff:8.8.8.8", false),
        ("0.0.0.0", false),
    ] {
        assert_eq!(is_own(address.parse().unwrap()), own, "{address}");
    }
}

#[test]
fn a_strangers_server_is_refused_without_a_ticket() {
    let url = Url::parse("http://192.0.2.1/live/0123456789ab.mp4").unwrap();
    let error = may_rehearse([192, 0, 2, 1].into(), &url, None, None).unwrap_err();
    assert!(error.to_string().contains("--token"), "{error}");
}
