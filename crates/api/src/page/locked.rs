//! The door of a private event that opens with a passphrase: it says nothing else about the event.

use super::{Frame, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::Came;
use crate::json::event::read_id;
use crate::request::Submitted;
use crate::ticket;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base::{EventId, FaultKind};
use gate::ticket::Class;
use square::event;

#[derive(Template)]
#[template(path = "locked.html")]
struct Door {
    frame: Frame,
    path: String,
    fault: Option<&'static str>,
}

/// The page that asks.
pub(crate) fn ask(caller: &Caller, id: EventId, fault: Option<FaultKind>) -> Response {
    let page = render(&Door { frame: Frame::new(caller), path: path(id), fault: fault.map(FaultKind::text) });
    (StatusCode::FORBIDDEN, page).into_response()
}

/// Who says the passphrase gets a ticket.
pub(crate) async fn unlock(State(app): State<App>, Path(id): Path<String>, came: Came, sent: Submitted) -> Result<Response, Fault> {
    let (event, hash) = event::find_locked(app.store(), read_id(&id)?).await?;
    if !app.may_try(event.id, came.address) {
        return Err(FaultKind::TooManyRequests.into());
    }
    if !app.shell().unlock(sent.field("passphrase").to_owned(), hash).await? {
        return Ok(ask(&sent.caller, event.id, Some(FaultKind::PassphraseWrong)));
    }
    let ticket = ticket::for_event(&app, &event, Class::Listener);
    Ok(Redirect::to(&page_path(event.id, Some(&ticket))).into_response())
}

fn path(event: EventId) -> String {
    format!("/events/{event}/passphrase")
}
