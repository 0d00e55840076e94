//! An event's rehearsals in JSON.

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::account::Nothing;
use crate::json::event::read_id;
use crate::rehearsal::{End, Last, Rehearsal, Running};
use crate::request::Posted;
use crate::when::rfc3339;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::EventId;
use serde::{Deserialize, Serialize};
use square::Actor;
use square::rehearsal::{self, Crowd};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    listeners: Option<u32>,
    #[serde(default)]
    seconds: Option<u32>,
}

/// How an event's rehearsals stand.
#[derive(Serialize)]
pub(crate) struct View {
    running: Option<Now>,
    last: Option<Then>,
    /// Whether the server rehearses another event now.
    elsewhere: bool,
}

#[derive(Serialize)]
struct Now {
    listeners: u32,
    seconds: u32,
    joined: u64,
    hearing: u64,
    faults: u64,
    left_seconds: Option<u32>,
    /// What happens, in one sentence.
    words: String,
}

#[derive(Serialize)]
struct Then {
    listeners: u32,
    seconds: u32,
    at: String,
    /// `verdict`, `failed` or `stopped`.
    end: &'static str,
    /// The verdict, or why there is none.
    words: Option<String>,
    /// Where the report is.
    report: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Json<View>, Fault> {
    let event = rehearsal::of_event(app.store(), &caller.actor, read_id(&id)?).await?;
    Ok(Json(view(event.id, app.shell().rehearsal(event.id).await?)))
}

pub(crate) async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    posted: Posted<Wanted>,
) -> Result<(StatusCode, Json<View>), Fault> {
    let text = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let Wanted { listeners, seconds } = posted.body;
    let crowd = rehearsal::read(&text(listeners), &text(seconds))?;
    let event = send(&app, &posted.caller.actor, &id, crowd).await?;
    Ok((StatusCode::ACCEPTED, Json(view(event, app.shell().rehearsal(event).await?))))
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<Json<View>, Fault> {
    let event = call_back(&app, &posted.caller.actor, &id).await?;
    Ok(Json(view(event, app.shell().rehearsal(event).await?)))
}

/// Sends a crowd to an event that has not begun.
pub(crate) async fn send(app: &App, actor: &Actor, id: &str, crowd: Crowd) -> Result<EventId, Fault> {
    let event = rehearsal::of_event(app.store(), actor, read_id(id)?).await?;
    rehearsal::is_time(&event)?;
    app.shell().rehearse(event.id, crowd).await?;
    Ok(event.id)
}

/// Calls an event's crowd back.
pub(crate) async fn call_back(app: &App, actor: &Actor, id: &str) -> Result<EventId, Fault> {
    let event = rehearsal::of_event(app.store(), actor, read_id(id)?).await?;
    app.shell().end_rehearsal(event.id).await?;
    Ok(event.id)
}

fn view(event: EventId, Rehearsal { running, last, elsewhere }: Rehearsal) -> View {
    View { running: running.as_ref().map(now), last: last.map(|last| then(event, last)), elsewhere }
}

fn now(running: &Running) -> Now {
    Now {
        listeners: running.crowd.listeners,
        seconds: running.crowd.seconds,
        joined: running.joined,
        hearing: running.hearing,
        faults: running.faults,
        left_seconds: running.left_seconds,
        words: running.words(),
    }
}

fn then(event: EventId, Last { crowd, at, end }: Last) -> Then {
    let (name, words) = match end {
        End::Verdict(words) => ("verdict", Some(words)),
        End::Failed(words) => ("failed", Some(words)),
        End::Stopped => ("stopped", None),
    };
    Then {
        listeners: crowd.listeners,
        seconds: crowd.seconds,
        at: rfc3339(at),
        end: name,
        report: (name == "verdict").then(|| report_path(event)),
        words,
    }
}

/// Where the last report is.
pub(crate) fn report_path(event: EventId) -> String {
    format!("/events/{event}/rehearsal/report")
}
