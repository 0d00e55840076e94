//! Keeping forged requests out: what changes something must come from a page of ours.
//!
//! Two locks. The browser says where a request comes from (Fetch Metadata, `Origin`); and who is signed in shows their
//! session's word, which no other site can read. Either alone would do; older browsers have only the second.

use crate::app::App;
use crate::caller::Caller;
use axum::http::{HeaderMap, header};
use base::FaultKind;
use square::Actor;

/// The header in which a script shows the session's word.
pub(crate) const WORD_HEADER: &str = "x-csrf-token";

/// Whether `caller` may change something with this request. `word`: what the form carried.
///
/// # Errors
/// [`FaultKind::BadCsrf`].
pub(crate) fn check(app: &App, caller: &Caller, headers: &HeaderMap, word: Option<&str>) -> Result<(), FaultKind> {
    // Who shows a ticket in a header is no other site's page: none may set it (CORS), and no browser adds it by itself.
    if caller.actor == Actor::Operator || headers.contains_key(header::AUTHORIZATION) {
        return Ok(());
    }
    let word = word.or_else(|| headers.get(WORD_HEADER).and_then(|value| value.to_str().ok())).unwrap_or_default();
    let ours = from_us(headers, &app.addresses().origin());
    let known = caller.session.as_ref().is_none_or(|session| session.is_form_word(word));
    if ours && known { Ok(()) } else { Err(FaultKind::BadCsrf) }
}

/// Whether the request can come from a page of ours, as far as the browser says.
fn from_us(headers: &HeaderMap, public: &str) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN) {
        // Without a referrer browsers say `null` for a plain form: then the session's word decides.
        None | Some("null") => true,
        Some(origin) if origin == public => true,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    }
}

#[cfg(test)]
mod tests;
