//! The host's report: how many listened when, where they left, who spoke how long. For who runs the event.

use super::replay::{moments, spoken};
use super::{Frame, render, track};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::event::read_id;
use crate::replay::{Moments, clock};
use crate::ticket;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base::FaultKind;
use square::replay::find_to_change;
use std::fmt::Write as _;
use store::Event;

/// Drops that are named.
const DROPS_SHOWN_MAX: usize = 5;

/// Rows of the table beside the chart.
const ROWS_SHOWN_MAX: usize = 60;

/// The chart's height in its own units; its width is 1000.
const HEIGHT: f64 = 200.0;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    frame: Frame,
    title: String,
    event_path: String,
    path: String,
    /// Nothing was read yet.
    is_empty: bool,
    most: u32,
    average: u32,
    length: String,
    /// The chart's line, and the area under it.
    line: String,
    area: String,
    rows: Vec<(String, u32)>,
    drops: Vec<Drop>,
    speakers: Vec<Talk>,
    reactions: u64,
    tracks: Vec<track::Listed>,
}

/// Many left at once.
#[derive(serde::Serialize)]
struct Drop {
    at: f64,
    #[serde(skip)]
    clock: String,
    left: u32,
    /// Who spoke then; nobody when it is empty.
    speaking: String,
}

struct Talk {
    name: String,
    spoke: String,
    percent: u64,
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let (event, moments) = find(&app, &caller, &id).await?;
    let most = moments.listeners.iter().copied().max().unwrap_or(0);
    let (line, area) = chart(&moments, most);
    Ok(render(&ReportPage {
        frame: Frame::new(&caller),
        title: event.title.clone(),
        event_path: page_path(event.id, ticket::for_listeners(&app, &event).as_deref()),
        path: format!("/events/{}/report", event.id),
        is_empty: moments.listeners.is_empty(),
        most,
        average: average(&moments.listeners),
        length: clock(moments.seconds),
        line,
        area,
        rows: rows(&moments),
        drops: drops(&moments),
        speakers: talks(&moments),
        reactions: moments.reactions_by_kind.iter().sum(),
        tracks: track::listed(&app, &event).await?,
    }))
}

pub(crate) async fn json(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let (event, moments) = find(&app, &caller, &id).await?;
    let people: Vec<_> =
        moments.speakers().iter().map(|person| serde_json::json!({"name": person.called(), "spoke_ms": person.spoke_ms})).collect();
    let report = serde_json::json!({
        "event": event.id.to_string(), "title": event.title, "seconds": moments.seconds, "step": moments.step,
        "listeners": moments.listeners, "most": moments.listeners.iter().max(), "average": average(&moments.listeners),
        "drops": drops(&moments), "speakers": people, "tracks": track::listed(&app, &event).await?,
        "reactions": moments.reactions, "reactions_by_kind": moments.reactions_by_kind,
    });
    Ok(([(CONTENT_DISPOSITION, format!("attachment; filename=\"report-{}.json\"", event.id))], Json(report)).into_response())
}

pub(crate) async fn csv(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let (event, moments) = find(&app, &caller, &id).await?;
    let mut text = String::from("seconds,listeners,reactions,speaking\r\n");
    for (nth, listeners) in moments.listeners.iter().enumerate() {
        let at = place(&moments, nth);
        let reactions = moments.reactions.get(nth).copied().unwrap_or(0);
        let _ = write!(text, "{at:.0},{listeners},{reactions},{}\r\n", cell(&speaking(&moments, at)));
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"report-{}.csv\"", event.id)),
    ];
    Ok((headers, text).into_response())
}

/// A cell as RFC 4180 has it; one that a spreadsheet would take for a formula is a text to it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<(Event, Moments), Fault> {
    let (event, replay) = find_to_change(app.store(), &caller.actor, read_id(id)?).await?;
    if !replay.is_read {
        return Ok((event, Moments::default()));
    }
    let moments = moments(app, &event, Some(&replay)).await;
    if moments.step > 0.0 || moments.listeners.is_empty() { Ok((event, moments)) } else { Err(FaultKind::Internal.into()) }
}

#[expect(clippy::cast_precision_loss, reason = "a curve has few points")]
fn place(moments: &Moments, nth: usize) -> f64 {
    nth as f64 * moments.step
}

/// To the nearest: one who left for a moment is still one on average.
fn average(listeners: &[u32]) -> u32 {
    let (sum, count) = (listeners.iter().copied().map(u64::from).sum::<u64>(), (listeners.len() as u64).max(1));
    u32::try_from((sum + count / 2) / count).unwrap_or(u32::MAX)
}

fn chart(moments: &Moments, most: u32) -> (String, String) {
    let seconds = moments.seconds.max(1.0);
    let mut line = String::new();
    for (nth, listeners) in moments.listeners.iter().enumerate() {
        let x = (place(moments, nth) + moments.step / 2.0).min(seconds) / seconds * 1_000.0;
        let y = HEIGHT - f64::from(*listeners) / f64::from(most.max(1)) * (HEIGHT - 10.0);
        let _ = write!(line, "{x:.1},{y:.1} ");
    }
    let area = format!("0,{HEIGHT} {line}1000,{HEIGHT}");
    (line, area)
}

fn rows(moments: &Moments) -> Vec<(String, u32)> {
    let every = moments.listeners.len().div_ceil(ROWS_SHOWN_MAX).max(1);
    moments.listeners.iter().enumerate().step_by(every).map(|(nth, listeners)| (clock(place(moments, nth)), *listeners)).collect()
}

/// Where the most left from one step to the next, the worst first.
fn drops(moments: &Moments) -> Vec<Drop> {
    let mut drops: Vec<(u32, usize)> = moments
        .listeners
        .windows(2)
        .enumerate()
        .filter_map(|(nth, pair)| pair[0].checked_sub(pair[1]).filter(|&left| left > 0).map(|left| (left, nth + 1)))
        .collect();
    drops.sort_by_key(|(left, nth)| (std::cmp::Reverse(*left), *nth));
    drops.truncate(DROPS_SHOWN_MAX);
    let named = drops.into_iter().map(|(left, nth)| {
        let at = place(moments, nth);
        Drop { at, clock: clock(at), left, speaking: speaking(moments, at) }
    });
    named.collect()
}

/// Who was in the middle of a turn.
fn speaking(moments: &Moments, at: f64) -> String {
    let mut names: Vec<String> = Vec::new();
    for (who, ..) in moments.turns.iter().filter(|(_, from, to)| *from <= at && at < *to) {
        let name =
            moments.people.iter().find(|person| person.id == *who).map_or_else(|| format!("Speaker {who}"), crate::replay::Person::called);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn talks(moments: &Moments) -> Vec<Talk> {
    let all: u64 = moments.people.iter().map(|person| person.spoke_ms).sum();
    let talk = |person: &&crate::replay::Person| Talk {
        name: person.called(),
        spoke: spoken(person.spoke_ms),
        percent: person.spoke_ms * 100 / all.max(1),
    };
    moments.speakers().iter().map(talk).collect()
}

#[cfg(test)]
mod tests;
