//! An event's rehearsals: the form that sends a crowd, how far it is, and what it found.

use super::{Frame, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::{event::read_id, rehearsal as json};
use crate::rehearsal::{End, Last, Running};
use crate::request::Submitted;
use crate::ticket;
use crate::when::When;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use base::limit::{REHEARSAL_LISTENERS_MAX, REHEARSAL_SECONDS_MAX};
use base::{EventId, FaultKind};
use square::rehearsal::{self, Crowd};
use store::Event;

/// The report is whole in itself: its styles stand in it, and nothing in it runs or reaches out.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'; sandbox";

#[derive(Template)]
#[template(path = "rehearsal.html")]
struct RehearsalPage {
    frame: Frame,
    title: String,
    /// The event's page.
    event_path: String,
    path: String,
    data_path: String,
    report_path: String,
    running: Option<Running>,
    last: Option<Last>,
    over: Option<When>,
    elsewhere: bool,
    /// Whether a crowd may be sent now.
    is_time: bool,
    listeners: String,
    seconds: String,
    fault: Option<&'static str>,
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let event = rehearsal::of_event(app.store(), &caller.actor, read_id(&id)?).await?;
    let usual = Crowd::default();
    page(&app, &caller, &event, (usual.listeners.to_string(), usual.seconds.to_string()), None).await
}

pub(crate) async fn start(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let typed = (form.field("listeners").to_owned(), form.field("seconds").to_owned());
    match rehearsal::read(&typed.0, &typed.1) {
        Ok(crowd) => {
            let event = json::send(&app, &form.caller.actor, &id, crowd).await?;
            Ok(Redirect::to(&path(event)).into_response())
        }
        Err(fault) => {
            let event = rehearsal::of_event(app.store(), &form.caller.actor, read_id(&id)?).await?;
            let page = page(&app, &form.caller, &event, typed, Some(fault)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let event = json::call_back(&app, &form.caller.actor, &id).await?;
    Ok(Redirect::to(&path(event)).into_response())
}

/// The report by itself.
pub(crate) async fn report(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let event = rehearsal::of_event(app.store(), &caller.actor, read_id(&id)?).await?;
    let report = app.shell().rehearsal_report(event.id).await?;
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, REPORT_POLICY)];
    Ok((headers, report).into_response())
}

/// Where an event's rehearsals are.
pub(crate) fn path(event: EventId) -> String {
    format!("/events/{event}/rehearsal")
}

async fn page(
    app: &App,
    caller: &Caller,
    event: &Event,
    (listeners, seconds): (String, String),
    fault: Option<FaultKind>,
) -> Result<Response, Fault> {
    let standing = app.shell().rehearsal(event.id).await?;
    Ok(render(&RehearsalPage {
        frame: Frame::new(caller),
        title: event.title.clone(),
        event_path: page_path(event.id, ticket::for_listeners(app, event).as_deref()),
        path: path(event.id),
        data_path: format!("/api/townsquare/v1{}", path(event.id)),
        report_path: json::report_path(event.id),
        running: standing.running,
        over: standing.last.as_ref().map(|last| When::new(last.at)),
        last: standing.last,
        elsewhere: standing.elsewhere,
        is_time: rehearsal::is_time(event).is_ok(),
        listeners,
        seconds,
        fault: fault.map(FaultKind::text),
    }))
}
