//! `townsquare listen`: a listener without a browser.
