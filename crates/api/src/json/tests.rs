//! The description and the routes say the same.

use super::{DESCRIPTION, routes};
use std::collections::BTreeSet;

#[test]
fn the_description_has_every_path_and_no_other() {
    let description: serde_json::Value = serde_json::from_str(DESCRIPTION).expect("JSON");
    let described: BTreeSet<&str> = description["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
    let routed: BTreeSet<&str> = routes().iter().map(|(path, _)| *path).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_reference_leads_somewhere() {
    let description: serde_json::Value = serde_json::from_str(DESCRIPTION).expect("JSON");
    for reference in DESCRIPTION.split("\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(description.pointer(reference).is_some(), "{reference}");
    }
}
