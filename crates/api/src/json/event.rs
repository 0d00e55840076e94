//! Events in JSON.

use crate::app::{App, Order};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::account::Nothing;
use crate::once::once;
use crate::page::{beside, series};
use crate::request::Posted;
use crate::ticket;
use crate::when::rfc3339;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base::{EventId, FaultKind};
use gate::ticket::Class;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use square::Actor;
use square::event::{self, Circumstances, Draft, Faults, Field, Wanted};
use store::{Event, Phase};

/// Events of one phase in one answer.
const EVENTS_LISTED_MAX: u32 = 200;

/// What is said of a new event, or changed of an announced one: there, what is left out stays.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Said {
    title: Option<String>,
    description: Option<String>,
    language: Option<String>,
    /// RFC 3339; empty for none.
    start_at: Option<String>,
    visibility: Option<String>,
    /// Empty for none.
    passphrase: Option<String>,
    guests: Option<Vec<String>>,
    speak: Option<String>,
    delay_seconds: Option<u64>,
    record_tracks: Option<bool>,
    empty_minutes: Option<u32>,
    repeats: Option<Repeats>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeats {
    /// `weekly`, `fortnightly` or `monthly`.
    every: String,
    #[serde(default)]
    times: Option<u32>,
    /// The last day.
    #[serde(default)]
    until: Option<String>,
    /// The time zone whose clocks the hour is kept on.
    #[serde(default)]
    zone: Option<String>,
}

impl Said {
    /// What it comes to, over what stands.
    fn over(self, stands: Wanted) -> (Wanted, String) {
        let Repeats { every, times, until, zone } =
            self.repeats.unwrap_or(Repeats { every: String::new(), times: None, until: None, zone: None });
        let wanted = Wanted {
            title: self.title.unwrap_or(stands.title),
            description: self.description.unwrap_or(stands.description),
            language: self.language.unwrap_or(stands.language),
            start: self.start_at.unwrap_or(stands.start),
            visibility: self.visibility.unwrap_or(stands.visibility),
            no_passphrase: self.passphrase.as_deref() == Some(""),
            passphrase: self.passphrase.unwrap_or_default(),
            guests: self.guests.map_or(stands.guests, |names| names.join(" ")),
            speak: self.speak.unwrap_or(stands.speak),
            delay: self.delay_seconds.map_or(stands.delay, |seconds| seconds.to_string()),
            record_tracks: self.record_tracks.unwrap_or(stands.record_tracks),
            empty_minutes: self.empty_minutes.map_or(stands.empty_minutes, |minutes| minutes.to_string()),
            repeats: every,
            times: times.map(|times| times.to_string()).unwrap_or_default(),
            until: until.unwrap_or_default(),
        };
        (wanted, zone.unwrap_or_default())
    }
}

/// An event as programs read it.
#[derive(Serialize)]
pub(crate) struct View {
    id: String,
    title: String,
    description: String,
    language: String,
    visibility: &'static str,
    phase: &'static str,
    speak: &'static str,
    delay_seconds: u64,
    record_tracks: bool,
    created_at: String,
    start_at: Option<String>,
    doors_at: Option<String>,
    live_at: Option<String>,
    ended_at: Option<String>,
    page: String,
    picture: Option<String>,
    /// By which the page's link is previewed.
    card: String,
    calendar: Option<String>,
    series: Option<String>,
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
    let withheld = app.store().withheld_replays(EVENTS_LISTED_MAX).await.map_err(square::Fault::from)?;
    for phase in [Phase::Live, Phase::Announced, Phase::Ended] {
        let found = event::list(app.store(), &caller.actor, phase, None, EVENTS_LISTED_MAX).await?;
        events.extend(found.iter().map(|event| view(&app, &caller.actor, event).heard(!withheld.contains(&event.id))));
    }
    Ok(Json(List { events }))
}

pub(crate) async fn create(State(app): State<App>, posted: Posted<Said>) -> Result<Response, Fault> {
    let (wanted, zone) = posted.body.over(Wanted::default());
    once(&app.clone(), posted.once, async move {
        let actor = &posted.caller.actor;
        let events = open(&app, actor, &wanted, &zone).await?;
        let first = events.first().ok_or(FaultKind::Internal)?;
        Ok((StatusCode::CREATED, Json(view(&app, actor, first))).into_response())
    })
    .await
}

pub(crate) async fn edit(State(app): State<App>, Path(id): Path<String>, posted: Posted<Said>) -> Result<Json<View>, Fault> {
    let actor = &posted.caller.actor;
    let event = event::find_announced(app.store(), actor, read_id(&id)?).await?;
    if posted.body.repeats.is_some() {
        return Err(FaultKind::BadRequest.into());
    }
    let (wanted, _) = posted.body.over(Wanted::of(&event, &event::guests(app.store(), &event).await?));
    Ok(Json(view(&app, actor, &change(&app, actor, &event, &wanted).await?)))
}

pub(crate) async fn delete(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<StatusCode, Fault> {
    take_back(&app, &posted.caller.actor, read_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Json<View>, Fault> {
    let event = event::find(app.store(), &caller.actor, read_id(&id)?, false).await?;
    whole_view(&app, &caller.actor, &event).await.map(Json)
}

impl View {
    /// The same with its replay, or without when listeners may not hear it.
    fn heard(self, is_heard: bool) -> Self {
        Self { replay: self.replay.filter(|_| is_heard), ..self }
    }
}

/// An event with what became of its recording.
pub(crate) async fn whole_view(app: &App, actor: &Actor, event: &Event) -> Result<View, Fault> {
    let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?;
    Ok(view(app, actor, event).heard(replay.is_none_or(|replay| !replay.is_withheld())))
}

pub(crate) async fn go_live(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<Json<View>, Fault> {
    let event = order(&app, &posted.caller.actor, &id, Order::GoLive).await?;
    Ok(Json(view(&app, &posted.caller.actor, &event)))
}

pub(crate) async fn end(State(app): State<App>, Path(id): Path<String>, posted: Posted<Nothing>) -> Result<Json<View>, Fault> {
    let event = order(&app, &posted.caller.actor, &id, Order::End).await?;
    Ok(Json(view(&app, &posted.caller.actor, &event)))
}

/// Why an announcement was not taken.
pub(crate) enum Refused {
    /// What was typed, field by field.
    Fields(Faults),
    /// Anything else.
    Other(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Other(fault)
    }
}

impl From<square::Fault> for Refused {
    fn from(fault: square::Fault) -> Self {
        // What only the rows could tell belongs to its field all the same.
        let field = [(FaultKind::GuestsUnusable, Field::Guests), (FaultKind::SeriesUnusable, Field::Repeats)];
        match field.into_iter().find(|(kind, _)| *kind == fault.kind) {
            Some((kind, field)) => Self::Fields(Faults::from([(field, kind)])),
            None => Self::Other(fault.into()),
        }
    }
}

impl From<Refused> for Fault {
    /// Programs are told one thing at a time.
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fields(faults) => faults.into_values().next().unwrap_or(FaultKind::BadRequest).into(),
            Refused::Other(fault) => fault,
        }
    }
}

/// Opens an event, or those of a series, and makes them known. `zone`: where the clocks show the hours that a series keeps.
pub(crate) async fn open(app: &App, actor: &Actor, wanted: &Wanted, zone: &str) -> Result<Vec<Event>, Refused> {
    let draft = event::read(wanted, app.now(), None).map_err(Refused::Fields)?;
    let hash = lock(app, &draft).await?;
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let around = Circumstances { hash, zone: &zone, now: app.now(), chance: &app.chance() };
    let events = event::open(app.store(), actor, app.policy(), draft, around).await?;
    for event in &events {
        app.shell().announce(event).await.map_err(Fault::from)?;
    }
    Ok(events)
}

/// Changes what was announced, and makes it known.
pub(crate) async fn change(app: &App, actor: &Actor, event: &Event, wanted: &Wanted) -> Result<Event, Refused> {
    let draft = event::read(wanted, app.now(), Some(event)).map_err(Refused::Fields)?;
    let hash = lock(app, &draft).await?;
    let event = event::change(app.store(), actor, event.id, draft, hash, app.now()).await?;
    app.shell().announce(&event).await.map_err(Fault::from)?;
    Ok(event)
}

/// Takes an event back that nobody has come for.
pub(crate) async fn take_back(app: &App, actor: &Actor, id: EventId) -> Result<(), Fault> {
    let event = event::take_back(app.store(), actor, id).await?;
    Ok(app.shell().withdraw(event.id).await?)
}

async fn lock(app: &App, draft: &Draft) -> Result<Option<String>, Fault> {
    match &draft.passphrase {
        Some(passphrase) => Ok(Some(app.shell().lock(passphrase.clone()).await?)),
        None => Ok(None),
    }
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
        description: event.description.clone(),
        language: event.language.clone(),
        visibility: event.visibility.name(),
        phase: event.phase().name(),
        speak: event.plan.speak.name(),
        delay_seconds: event.plan.delay.seconds(),
        record_tracks: event.plan.record_tracks,
        created_at: rfc3339(event.created_at),
        start_at: event.start_at.map(rfc3339),
        doors_at: event.doors_at.map(rfc3339),
        live_at: event.live_at.map(rfc3339),
        ended_at: event.ended_at.map(rfc3339),
        page: addresses.page(event.id, ticket),
        picture: beside::picture_path(event, ticket).map(|path| format!("{}{path}", addresses.square())),
        card: format!("{}{}", addresses.square(), beside::card_path(event, ticket)),
        calendar: event.start_at.map(|_| format!("{}/calendar.ics", addresses.page(event.id, ticket))),
        series: event.series.map(|id| format!("{}{}", addresses.square(), series::path(id))),
        listen: Listen { stream: addresses.stream(event.id, ticket), hls: addresses.hls(event.id, ticket) },
        replay: event.has_replay().then(|| addresses.replay(event.id, ticket)),
        run: event::may_run(actor, event).is_ok().then(|| run(app, actor, event)),
    }
}

fn run(app: &App, actor: &Actor, event: &Event) -> Run {
    Run {
        stage: app.addresses().console_page(&ticket::for_event(app, event, Class::Host)),
        speakers: app.addresses().console_page(&ticket::for_event(app, event, Class::Speaker)),
        whip: Whip { url: app.addresses().whip(event.id), token: ticket::for_encoder(app, event, actor) },
    }
}
