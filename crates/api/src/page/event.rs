//! An event's page: listening, the replay, and for who runs it the links and the end.

use super::{Frame, render};
use crate::address::{console_path, page_path};
use crate::app::{App, Order};
use crate::caller::Caller;
use crate::fault::{Fault, wants_json};
use crate::json;
use crate::request::Submitted;
use crate::ticket;
use crate::when::{self, When};
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use base::{FaultKind, Visibility};
use gate::ticket::Class;
use square::event::{self, Wanted};
use square::words;
use store::{Event, Phase};

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    id: String,
    title: String,
    phase: Phase,
    listed: bool,
    /// One sentence, for previews of the link.
    summary: String,
    address: String,
    path: String,
    stream: String,
    hls: String,
    replay: Option<String>,
    file_name: String,
    start: Option<When>,
    since: Option<When>,
    over: Option<When>,
    run: Option<Run>,
}

struct Run {
    console_path: String,
    stage: String,
    speakers: String,
    whip_url: String,
    whip_token: String,
    end_path: String,
    rehearsal_path: String,
}

#[derive(Template)]
#[template(path = "event_new.html")]
struct NewPage {
    frame: Frame,
    wanted: Wanted,
    title_fault: Option<&'static str>,
    start_fault: Option<&'static str>,
    /// When it may begin.
    earliest: String,
    latest: String,
}

/// What is wrong with a time in a form, where days and hours are chosen.
const FORM_BAD_TIME: &str = "This is no date and time. Choose a day and an hour, like 2030-05-31T18:00.";

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap, caller: Caller) -> Result<Response, Fault> {
    let id = json::event::read_id(&id)?;
    let event = event::find(app.store(), &caller.actor, id, false).await?;
    Ok(answer(&app, &caller, &event, &headers))
}

/// A private event's page for who has its link.
pub(crate) async fn show_with_ticket(
    State(app): State<App>,
    Path((id, ticket)): Path<(String, String)>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Fault> {
    let id = json::event::read_id(&id)?;
    // Who sees the event anyway needs no ticket; who does not is told what is wrong with theirs.
    let ticket = ticket::check(&app, &ticket, id);
    let event = match event::find(app.store(), &caller.actor, id, ticket.is_ok()).await {
        Err(fault) if fault.kind == FaultKind::EventUnknown => return Err(ticket.err().unwrap_or(fault.kind).into()),
        found => found?,
    };
    Ok(answer(&app, &caller, &event, &headers))
}

pub(crate) async fn new(State(app): State<App>, caller: Caller) -> Result<Response, Fault> {
    event::may_open(&caller.actor)?;
    Ok(render(&new_page(&app, &caller, Wanted::default(), None, None)))
}

pub(crate) async fn create(State(app): State<App>, form: Submitted) -> Result<Response, Fault> {
    event::may_open(&form.caller.actor)?;
    let text = |name: &str| form.field(name).to_owned();
    let wanted = Wanted { title: text("title"), start: text("start"), visibility: text("visibility") };
    // What was typed wrong is said beside its field, with everything else kept.
    let (title_fault, start_fault) = match event::read(&wanted, &form.caller.actor, app.now(), &app.chance()) {
        Err(fault @ (FaultKind::TitleMissing | FaultKind::TitleTooLong)) => (Some(fault.text()), None),
        Err(FaultKind::BadTime) => (None, Some(FORM_BAD_TIME)),
        Err(fault @ (FaultKind::StartPast | FaultKind::StartFar)) => (None, Some(fault.text())),
        Err(fault) => return Err(fault.into()),
        Ok(_) => {
            let event = json::event::open(&app, &form.caller.actor, &wanted).await?;
            return Ok(Redirect::to(&path_of(&app, &event)).into_response());
        }
    };
    let page = render(&new_page(&app, &form.caller, wanted, title_fault, start_fault));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let event = json::event::order(&app, &form.caller.actor, &id, Order::End).await?;
    Ok(Redirect::to(&path_of(&app, &event)).into_response())
}

fn new_page(app: &App, caller: &Caller, wanted: Wanted, title_fault: Option<&'static str>, start_fault: Option<&'static str>) -> NewPage {
    let starts = words::starts(app.now());
    let (earliest, latest) = (when::field(*starts.start()), when::field(*starts.end()));
    NewPage { frame: Frame::new(caller), wanted, title_fault, start_fault, earliest, latest }
}

fn answer(app: &App, caller: &Caller, event: &Event, headers: &HeaderMap) -> Response {
    if wants_json(headers) {
        return Json(json::event::view(app, &caller.actor, event)).into_response();
    }
    let addresses = app.addresses();
    let ticket = ticket::for_listeners(app, event);
    let ticket = ticket.as_deref();
    render(&EventPage {
        frame: Frame::new(caller),
        id: event.id.to_string(),
        title: event.title.clone(),
        phase: event.phase(),
        listed: event.visibility == Visibility::Public,
        summary: summary(event),
        address: addresses.page(event.id, ticket),
        path: page_path(event.id, ticket),
        stream: addresses.stream(event.id, ticket),
        hls: addresses.hls(event.id, ticket),
        replay: event.has_replay().then(|| addresses.replay(event.id, ticket)),
        file_name: file_name(&event.title),
        start: event.start_at.map(When::new),
        since: event.live_at.map(When::new),
        over: event.ended_at.map(When::new),
        run: event::may_run(&caller.actor, event).is_ok().then(|| run(app, event)),
    })
}

fn run(app: &App, event: &Event) -> Run {
    let (host, speaker) = (ticket::for_event(app, event, Class::Host), ticket::for_event(app, event, Class::Speaker));
    Run {
        console_path: console_path(&host),
        stage: app.addresses().console_page(&host),
        speakers: app.addresses().console_page(&speaker),
        whip_url: app.addresses().whip(event.id),
        whip_token: speaker,
        end_path: format!("/events/{}/end", event.id),
        rehearsal_path: super::rehearsal::path(event.id),
    }
}

fn path_of(app: &App, event: &Event) -> String {
    page_path(event.id, ticket::for_listeners(app, event).as_deref())
}

fn summary(event: &Event) -> String {
    match event.phase() {
        Phase::Live => "Live now. One press and you hear it.".to_owned(),
        Phase::Announced => {
            event.start_at.map_or_else(|| "Announced. It has not begun yet.".to_owned(), |at| format!("Begins {}.", When::new(at).people))
        }
        Phase::Ended if event.has_replay() => "Over. The replay is here.".to_owned(),
        Phase::Ended => "Over.".to_owned(),
    }
}

/// What the recording is called when it is saved: the title's letters and digits, with hyphens between the words.
fn file_name(title: &str) -> String {
    let plain: String = title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join("-");
    format!("{}.m4a", if words.is_empty() { "recording" } else { &words })
}

#[cfg(test)]
mod tests;
