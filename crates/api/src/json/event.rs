//! Events in JSON.

use crate::app::{App, Order};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::account::Nothing;
use crate::request::Posted;
use crate::ticket;
use crate::when::rfc3339;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::{EventId, FaultKind};
use gate::ticket::Class;
use serde::{Deserialize, Serialize};
use square::Actor;
use square::event::{self, Wanted};
use store::{Event, Phase};

/// Events of one phase in one answer.
const EVENTS_LISTED_MAX: u32 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEvent {
    title: String,
    #[serde(default)]
    start_at: Option<String>,
    #[serde(default)]
    visibility: Option<String>,
}

/// An event as programs read it.
#[derive(Serialize)]
pub(crate) struct View {
    id: String,
    title: String,
    visibility: &'static str,
    phase: &'static str,
    created_at: String,
    start_at: Option<String>,
    live_at: Option<String>,
    ended_at: Option<String>,
    page: String,
    listen: Listen,
    replay: Option<String>,
    /// Who runs the event has its links too.
    #[serde(flatten)]
    run: Option<Run>,
}

#[derive(Serialize)]
struct Listen {
    stream: String,
    hls: String,
}

#[derive(Serialize)]
struct Run {
    /// Makes its opener host.
    stage: String,
    /// Makes its opener a speaker.
    speakers: String,
    whip: Whip,
}

#[derive(Serialize)]
struct Whip {
    url: String,
    token: String,
}

#[derive(Serialize)]
pub(crate) struct List {
    events: Vec<View>,
}

pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<List>, Fault> {
    let mut events = Vec::new();
    for phase in [Phase::Live, Phase::Announced, Phase::Ended] {
        let found = event::list(app.store(), &caller.actor, phase, EVENTS_LISTED_MAX).await?;
        events.extend(found.iter().map(|event| view(&app, &caller.actor, event)));
    }
    Ok(Json(List { events }))
}

pub(crate) async fn create(State(app): State<App>, posted: Posted<NewEvent>) -> Result<(StatusCode, Json<View>), Fault> {
    let NewEvent { title, start_at, visibility } = posted.body;
    let wanted = Wanted { title, start: start_at.unwrap_or_default(), visibility: visibility.unwrap_or_default() };
    let event = open(&app, &posted.caller.actor, &wanted).await?;
    Ok((StatusCode::CREATED, Json(view(&app, &posted.caller.actor, &event))))
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Json<View>, Fault> {
    let event = event::find(app.store(), &caller.actor, read_id(&id)?, false).await?;
    Ok(Json(view(&app, &caller.actor, &event)))
}

pub(crate) async fn go_live(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<Json<View>, Fault> {
    let event = order(&app, &posted.caller.actor, &id, Order::GoLive).await?;
    Ok(Json(view(&app, &posted.caller.actor, &event)))
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<Json<View>, Fault> {
    let event = order(&app, &posted.caller.actor, &id, Order::End).await?;
    Ok(Json(view(&app, &posted.caller.actor, &event)))
}

/// Opens an event and makes it known.
pub(crate) async fn open(app: &App, actor: &Actor, wanted: &Wanted) -> Result<Event, Fault> {
    let event = event::open(app.store(), actor, wanted, app.now(), &app.chance()).await?;
    app.shell().announce(&event).await?;
    Ok(event)
}

/// Tells the stage to open or end an event; answers with the event as it is then.
pub(crate) async fn order(app: &App, actor: &Actor, id: &str, order: Order) -> Result<Event, Fault> {
    let event = event::find_to_run(app.store(), actor, read_id(id)?).await?;
    let host = ticket::for_event(app, &event, Class::Host);
    app.shell().order(event.id, &host, order).await?;
    Ok(event::find(app.store(), actor, event.id, false).await?)
}

/// An id in an address; one that can't be is an event that is not there.
pub(crate) fn read_id(text: &str) -> Result<EventId, FaultKind> {
    text.parse().map_err(|_| FaultKind::EventUnknown)
}

pub(crate) fn view(app: &App, actor: &Actor, event: &Event) -> View {
    let addresses = app.addresses();
    let ticket = ticket::for_listeners(app, event);
    let ticket = ticket.as_deref();
    View {
        id: event.id.to_string(),
        title: event.title.clone(),
        visibility: event.visibility.name(),
        phase: event.phase().name(),
        created_at: rfc3339(event.created_at),
        start_at: event.start_at.map(rfc3339),
        live_at: event.live_at.map(rfc3339),
        ended_at: event.ended_at.map(rfc3339),
        page: addresses.page(event.id, ticket),
        listen: Listen { stream: addresses.stream(event.id, ticket), hls: addresses.hls(event.id, ticket) },
        replay: event.has_replay().then(|| addresses.replay(event.id, ticket)),
        run: event::may_run(actor, event).is_ok().then(|| run(app, event)),
    }
}

fn run(app: &App, event: &Event) -> Run {
    let speaker = ticket::for_event(app, event, Class::Speaker);
    Run {
        stage: app.addresses().console_page(&ticket::for_event(app, event, Class::Host)),
        speakers: app.addresses().console_page(&speaker),
        whip: Whip { url: app.addresses().whip(event.id), token: speaker },
    }
}
