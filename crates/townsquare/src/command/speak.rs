//! `townsquare speak`: a speaker without a browser.
