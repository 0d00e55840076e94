//! An event's page: listening, the replay, and for who runs it the links and the end.

use super::beside::{self, At};
use super::part::{self, Part};
use super::prose::{Prose, direction};
use super::replay::{self, Mp3};
use super::{Frame, announce, home, locked, render, series};
use crate::address::{self, console_path, page_path};
use crate::app::{App, Order};
use crate::caller::Caller;
use crate::fault::{Fault, wants_json};
use crate::guest::{Came, Guest};
use crate::json;
use crate::request::Submitted;
use crate::ticket;
use crate::when::When;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use base::{FaultKind, UnixMillis, Visibility};
use gate::ticket::Class;
use square::event;
use store::{Event, Phase};

/// Characters of a description in a preview.
const SUMMARY_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    id: String,
    title: String,
    by: Option<String>,
    picture: Option<String>,
    /// Where the card is that previews show, and who asks for the preview in other words.
    card: String,
    oembed: String,
    /// The calendar file, when it has a time.
    calendar: Option<String>,
    series: Option<(String, &'static str)>,
    /// Whether who is signed in is to be reminded, and where they say so.
    reminder: Option<Reminder>,
    /// The server's clock.
    now: i64,
    doors_open: bool,
    /// It was to have begun by now.
    is_late: bool,
    doors: Option<When>,
    description: Prose,
    /// The language of the event's own words, and which way they run.
    language: String,
    direction: &'static str,
    record_tracks: bool,
    delay_seconds: u64,
    phase: Phase,
    listed: bool,
    /// One sentence, for previews of the link.
    summary: String,
    address: String,
    path: String,
    stream: String,
    hls: String,
    /// What is left of it once it is over.
    replay: Option<replay::Part>,
    start: Option<When>,
    since: Option<When>,
    over: Option<When>,
    /// What an audience takes part in; nothing once it is over.
    part: Option<Part>,
    run: Option<Run>,
}

struct Reminder {
    path: String,
    wanted: bool,
}

struct Run {
    console_path: String,
    stage: String,
    speakers: String,
    whip_url: String,
    whip_token: String,
    end_path: String,
    rehearsal_path: String,
    /// Where the announcement is changed, as long as it may be.
    edit_path: Option<String>,
    invites_path: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    came: Came,
    caller: Caller,
) -> Result<Response, Fault> {
    let id = json::event::read_id(&id)?;
    match event::find(app.store(), &caller.actor, id, false).await {
        Err(fault) if fault.kind == FaultKind::PassphraseNeeded && !wants_json(&headers) => Ok(locked::ask(&caller, id, None)),
        found => answer(&app, &caller, &Guest::hear(&app, &caller, &came, found?, "").await?, &headers).await,
    }
}

/// A private event's page for who has its link.
pub(crate) async fn show_with_ticket(
    State(app): State<App>,
    Path((id, ticket)): Path<(String, String)>,
    headers: HeaderMap,
    came: Came,
    caller: Caller,
) -> Result<Response, Fault> {
    let event = reached(&app, &caller, &id, Some(&ticket)).await?;
    answer(&app, &caller, &Guest::hear(&app, &caller, &came, event, &ticket).await?, &headers).await
}

/// The event that an address names, for whom it reaches with the ticket in it.
pub(crate) async fn reached(app: &App, caller: &Caller, id: &str, ticket: Option<&str>) -> Result<Event, Fault> {
    let id = json::event::read_id(id)?;
    // Who sees the event anyway needs no ticket; who does not is told what is wrong with theirs.
    let ticket = ticket.map(|ticket| ticket::check(app, ticket, id));
    match event::find(app.store(), &caller.actor, id, ticket == Some(Ok(()))).await {
        Err(fault) if matches!(fault.kind, FaultKind::EventUnknown | FaultKind::PassphraseNeeded) => {
            Err(ticket.and_then(Result::err).unwrap_or(fault.kind).into())
        }
        found => Ok(found?),
    }
}

/// Notes whether a member wants to be reminded.
pub(crate) async fn remind(State(app): State<App>, Path(at): Path<At>, form: Submitted) -> Result<Response, Fault> {
    let event = reached(&app, &form.caller, &at.event, at.ticket.as_deref()).await?;
    event::remind(app.store(), &form.caller.actor, &event, form.field("wanted") == "yes").await?;
    Ok(Redirect::to(&page_path(event.id, at.ticket.as_deref())).into_response())
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let event = json::event::order(&app, &form.caller.actor, &id, Order::End).await?;
    Ok(Redirect::to(&path_of(&app, &event)).into_response())
}

async fn answer(app: &App, caller: &Caller, guest: &Guest, headers: &HeaderMap) -> Result<Response, Fault> {
    let event = &guest.event;
    if wants_json(headers) {
        return Ok(Json(json::event::whole_view(app, &caller.actor, event).await?).into_response());
    }
    let addresses = app.addresses();
    let ticket = ticket::for_listeners(app, event);
    let ticket = ticket.as_deref();
    let own = guest.listens_with(app);
    let own = own.as_deref();
    let replay = match event.phase() {
        Phase::Ended => Some(replay::part(app, caller, event, own, &file_name(&event.title)).await?),
        Phase::Announced | Phase::Live => None,
    };
    let frame = Frame::new(caller);
    let part = if event.phase() == Phase::Ended { None } else { Some(part::of(app, guest, &frame).await?) };
    let opens = UnixMillis(event.start_at.map_or(0, |at| at.0) - i64::from(event.plan.doors_minutes) * 60_000);
    let series = match event.series {
        Some(series) => app.store().series(series).await.map_err(square::Fault::from)?,
        None => None,
    };
    let page = render(&EventPage {
        frame,
        id: event.id.to_string(),
        title: event.title.clone(),
        by: beside::author(app, event).await?,
        picture: beside::picture_path(event, ticket),
        card: format!("{}{}", addresses.square(), beside::card_path(event, ticket)),
        oembed: oembed(app, &addresses.page(event.id, ticket)),
        calendar: event.start_at.filter(|_| event.phase() != Phase::Ended).map(|_| address::beside(event.id, ticket, "calendar.ics")),
        series: series.map(|series| (series::path(series.id), series::rhythm(series.repeats))),
        reminder: reminder(app, caller, event, ticket).await?,
        now: app.now().0,
        doors_open: event.phase() == Phase::Announced && event.doors_at.is_some(),
        is_late: event.phase() == Phase::Announced && event.start_at.is_some_and(|at| at <= app.now()),
        doors: event.start_at.filter(|_| event.plan.doors_minutes > 0 && event.doors_at.is_none()).map(|_| When::new(opens)),
        description: Prose::new(&event.description),
        language: event.language.clone(),
        direction: direction(&event.language),
        record_tracks: event.plan.record_tracks,
        delay_seconds: event.plan.delay.seconds(),
        phase: event.phase(),
        listed: event.visibility == Visibility::Public,
        summary: summary(event),
        address: addresses.page(event.id, ticket),
        path: page_path(event.id, ticket),
        stream: addresses.stream(event.id, own),
        hls: addresses.hls(event.id, own),
        replay,
        start: event.start_at.map(When::new),
        since: event.live_at.map(When::new),
        over: event.ended_at.map(When::new),
        part,
        run: event::may_run(&caller.actor, event).is_ok().then(|| run(app, caller, event)),
    });
    Ok(guest.listened(app, page))
}

async fn reminder(app: &App, caller: &Caller, event: &Event, ticket: Option<&str>) -> Result<Option<Reminder>, Fault> {
    if event.phase() != Phase::Announced || caller.actor.id().is_none() {
        return Ok(None);
    }
    let wanted = event::reminded(app.store(), &caller.actor).await?.iter().any(|reminded| reminded.id == event.id);
    Ok(Some(Reminder { path: address::beside(event.id, ticket, "reminder"), wanted }))
}

/// Where other sites ask for the preview of a page; the format follows.
fn oembed(app: &App, page: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("url", page).finish();
    format!("{}/oembed?{query}&format=", app.addresses().square())
}

fn run(app: &App, caller: &Caller, event: &Event) -> Run {
    let (host, speaker) = (ticket::for_event(app, event, Class::Host), ticket::for_event(app, event, Class::Speaker));
    Run {
        console_path: console_path(&host),
        stage: app.addresses().console_page(&host),
        speakers: app.addresses().console_page(&speaker),
        whip_url: app.addresses().whip(event.id),
        whip_token: ticket::for_encoder(app, event, &caller.actor),
        end_path: format!("/events/{}/end", event.id),
        rehearsal_path: super::rehearsal::path(event.id),
        edit_path: event.is_open_to_change().then(|| announce::path(event.id, "edit")),
        invites_path: super::invite::path(event),
    }
}

pub(crate) fn path_of(app: &App, event: &Event) -> String {
    page_path(event.id, ticket::for_listeners(app, event).as_deref())
}

/// One or two sentences for previews of the link: how far it is, and what it is about.
fn summary(event: &Event) -> String {
    let standing = standing(event);
    let about = home::excerpt(&event.description, SUMMARY_CHARS_MAX);
    if about.is_empty() { standing } else { format!("{standing} {about}") }
}

fn standing(event: &Event) -> String {
    match event.phase() {
        Phase::Announced if event.doors_at.is_some() => "The doors are open.".to_owned(),
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
    format!("{}.m4a", file_words(title, "recording"))
}

/// A text's letters and digits, with hyphens between the words; `without` when there are none.
pub(crate) fn file_words(text: &str, without: &str) -> String {
    let plain: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join("-");
    if words.is_empty() { without.to_owned() } else { words }
}

#[cfg(test)]
mod tests;
