//! What browsers get.

use super::{FILES, media_type, prefix};

#[test]
fn every_file_is_found_and_has_a_type() {
    assert!(FILES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, for the search");
    for (path, bytes) in FILES {
        let licence = path.rsplit('/').next().is_some_and(|name| !name.contains('.') || name.ends_with(".md") || name.ends_with(".json"));
        assert!(licence || media_type(path).is_some(), "{path} has no media type");
        assert!(!bytes.is_empty(), "{path} is empty");
    }
    for needed in ["css/square.css", "css/tokens.css", "icons/square.svg", "js/square.js"] {
        assert!(FILES.iter().any(|(path, _)| *path == needed), "{needed} is missing");
    }
    assert_eq!(prefix().len(), "/assets/0123456789abcdef".len());
}
