//! Each speaker of an ended event by themselves, to be saved by who runs it.

use super::event::file_words;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::event::read_id;
use crate::replay::{Track, called, clock};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::{FaultKind, ParticipantId};
use square::replay::find_to_change;
use store::Event;
use tower_http::services::ServeFile;

/// One track, as a page lists it.
#[derive(serde::Serialize)]
pub(crate) struct Listed {
    pub(crate) participant: u16,
    pub(crate) name: String,
    /// Which one of how many this is, of somebody who came again as somebody new.
    #[serde(skip)]
    pub(crate) nth: Option<(usize, usize)>,
    pub(crate) path: String,
    #[serde(skip)]
    pub(crate) first: String,
    #[serde(skip)]
    pub(crate) length: String,
    #[serde(skip)]
    pub(crate) size: String,
    bytes: u64,
    first_ms: u64,
    end_ms: u64,
}

/// The tracks of an event that is over; without any where its announcement asked for none.
pub(crate) async fn listed(app: &App, event: &Event) -> Result<Vec<Listed>, Fault> {
    if !event.plan.record_tracks {
        return Ok(Vec::new());
    }
    let tracks = app.shell().tracks(event.id).await?;
    let names: Vec<String> = tracks.iter().map(|track| called(track.participant.0, &track.name)).collect();
    let rows = tracks.into_iter().enumerate().map(|(at, track)| {
        let same = |some: &[String]| some.iter().filter(|name| **name == names[at]).count();
        let all = same(&names);
        list(event, track, names[at].clone(), (all > 1).then(|| (same(&names[..=at]), all)))
    });
    Ok(rows.collect())
}

fn list(event: &Event, track: Track, name: String, nth: Option<(usize, usize)>) -> Listed {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a recording")]
    let said = |millis: u64| clock(millis as f64 / 1_000.0);
    Listed {
        participant: track.participant.0,
        path: format!("/events/{}/tracks/{}.m4a", event.id, track.participant),
        first: said(track.first_ms),
        length: said(track.end_ms),
        size: size(track.bytes),
        name,
        nth,
        bytes: track.bytes,
        first_ms: track.first_ms,
        end_ms: track.end_ms,
    }
}

/// "812 kB", "5.2 MB": what is begun counts.
fn size(bytes: u64) -> String {
    match bytes.div_ceil(1_000) {
        kilobytes @ 0..1_000 => format!("{kilobytes} kB"),
        kilobytes => format!("{}.{} MB", kilobytes / 1_000, kilobytes / 100 % 10),
    }
}

/// One speaker's track as a file.
pub(crate) async fn save(
    State(app): State<App>,
    Path((id, file)): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Result<Response, Fault> {
    let (event, _) = find_to_change(app.store(), &caller.actor, read_id(&id)?).await?;
    let wanted = file.strip_suffix(".m4a").and_then(|number| number.parse().ok()).map(ParticipantId).ok_or(FaultKind::NotFound)?;
    let listed = listed(&app, &event).await?.into_iter().find(|listed| listed.participant == wanted.0).ok_or(FaultKind::NotFound)?;
    let path = app.shell().track(event.id, wanted);
    let answer = ServeFile::new(path).try_call(request).await.map_err(|error| {
        tracing::error!(event = %event.id, %error, "a speaker's track could not be read");
        FaultKind::Internal
    })?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Err(FaultKind::NotFound.into());
    }
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/mp4"));
    if let Ok(name) = HeaderValue::from_str(&disposition(&event, &listed)) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

/// `town-meeting_ada-lovelace_2.m4a`, for programs that know ASCII alone with the number (RFC 6266, section 4.3).
fn disposition(event: &Event, listed: &Listed) -> String {
    let nth = listed.nth.map(|(nth, _)| format!("_{nth}")).unwrap_or_default();
    let words = format!("{}_{}{nth}.m4a", file_words(&event.title, "recording"), file_words(&listed.name, "speaker"));
    let name: String = url::form_urlencoded::byte_serialize(words.as_bytes()).collect();
    format!("attachment; filename=\"speaker-{}.m4a\"; filename*=UTF-8''{name}", listed.participant)
}

#[cfg(test)]
mod tests;
