//! A series: what it is, when its events come, and a calendar to subscribe to.

use super::beside::{entry, file};
use super::home::{Card, card};
use super::{Frame, render};
use crate::app::App;
use crate::calendar;
use crate::caller::Caller;
use crate::fault::Fault;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{EventId, FaultKind, Visibility};
use square::event;
use store::{Event, Phase, Repeats, Series, SeriesId};

#[derive(Template)]
#[template(path = "series.html")]
struct SeriesPage {
    frame: Frame,
    title: String,
    listed: bool,
    rhythm: &'static str,
    calendar: String,
    ahead: Vec<Card>,
    over: Vec<Card>,
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let (series, events) = find(&app, &caller, &id).await?;
    let (over, ahead): (Vec<Event>, Vec<Event>) = events.into_iter().partition(|event| event.phase() == Phase::Ended);
    let cards = |events: &[Event]| events.iter().map(|event| card(&app, event)).collect();
    Ok(render(&SeriesPage {
        frame: Frame::new(&caller),
        title: series.title,
        listed: series.visibility == Visibility::Public,
        rhythm: rhythm(series.repeats),
        calendar: format!("{}/calendar.ics", path(series.id)),
        ahead: cards(&ahead),
        over: cards(&over),
    }))
}

pub(crate) async fn calendar(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let (series, events) = find(&app, &caller, &id).await?;
    let entries: Vec<_> = events.iter().filter_map(|event| entry(&app, event, false)).collect();
    let name = format!("{}.ics", text(series.id));
    Ok(file(&calendar::text(Some(&series.title), &entries), &name, series.visibility == Visibility::Public))
}

/// The series and those of its events that reach who asks; none of a private one's is as if it were not there.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str) -> Result<(Series, Vec<Event>), Fault> {
    let id: EventId = id.parse().map_err(|_| FaultKind::NotFound)?;
    Ok(event::series(app.store(), &caller.actor, SeriesId(id.to_i64())).await?)
}

/// The path of a series' page.
pub(crate) fn path(id: SeriesId) -> String {
    format!("/series/{}", text(id))
}

/// A series' number as addresses have it, like an event's.
pub(crate) fn text(id: SeriesId) -> String {
    EventId::from_random(id.0.unsigned_abs()).to_string()
}

/// How often, in words.
pub(crate) const fn rhythm(repeats: Repeats) -> &'static str {
    match repeats {
        Repeats::Weekly => "every week",
        Repeats::Fortnightly => "every two weeks",
        Repeats::Monthly => "every month",
    }
}
