//! Pages: HTML rendered by the server, whole without script.

pub(crate) mod announce;
pub(crate) mod beside;
pub(crate) mod clip;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod help;
pub(crate) mod home;
pub(crate) mod invite;
pub(crate) mod locked;
pub(crate) mod part;
mod prose;
pub(crate) mod rehearsal;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod series;
pub(crate) mod sign_in;
pub(crate) mod stage;
pub(crate) mod track;

use crate::asset;
use crate::caller::Caller;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use base::FaultKind;
use square::Secret;

/// What stands around every page.
pub(crate) struct Frame {
    /// Where styles and scripts are.
    prefix: &'static str,
    /// Who is signed in.
    account: Option<String>,
    /// The session's word, for every form.
    word: String,
}

impl Frame {
    pub(crate) fn new(caller: &Caller) -> Self {
        Self {
            prefix: asset::prefix(),
            account: caller.actor.account().map(|account| account.name.clone()),
            word: caller.session.as_ref().map(Secret::form_word).unwrap_or_default(),
        }
    }

    fn anybody() -> Self {
        Self { prefix: asset::prefix(), account: None, word: String::new() }
    }
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    frame: Frame,
    title: &'static str,
    text: &'static str,
    code: &'static str,
    /// Signing in helps.
    sign_in: bool,
}

/// A fault as a page. It knows nobody: whatever failed may be what tells who asks.
pub(crate) fn fault(kind: FaultKind) -> Response {
    let sign_in = kind == FaultKind::NotSignedIn;
    let text = if sign_in { "This is for people with an account on this square." } else { kind.text() };
    let title = match kind.status() {
        401 if sign_in => "Sign in first",
        // What else is shown to say who comes is a link.
        401 => "This link does not work",
        403 => "Not allowed",
        404 => "Not found",
        410 => "No longer here",
        status if status >= 500 => "That did not work",
        _ => "That can’t be done",
    };
    render(&FaultPage { frame: Frame::anybody(), title, text, code: kind.code(), sign_in })
}

/// A page as an answer.
pub(crate) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
