//! Every port once, then again.

use super::*;

#[test]
fn every_address_comes_before_any_comes_again() {
    let source = |last, from, to| Source { address: [127, 0, 0, last].into(), from, to };
    let mut ports = Ports::new(vec![source(1, 10, 12), source(2, 65_535, 65_535)]);
    let seen: Vec<String> = (0..6).filter_map(|_| ports.next()).map(|address| address.to_string()).collect();
    assert_eq!(seen, ["127.0.0.1:10", "127.0.0.1:11", "127.0.0.1:12", "127.0.0.2:65535", "127.0.0.1:10", "127.0.0.1:11"]);
    assert_eq!(Ports::new(Vec::new()).next(), None);
}
