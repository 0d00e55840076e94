//! The form for an announcement: new, changed, taken back.

use super::{Frame, beside, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json;
use crate::once::{self, once};
use crate::request::{Submitted, Uploaded};
use crate::ticket;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base::limit::{DESCRIPTION_CHARS_MAX, EMPTY_MINUTES_MAX, PICTURE_BYTES_MAX, SERIES_EVENTS_MAX, TITLE_CHARS_MAX};
use base::{EventId, FaultKind, UnixMillis};
use sha2::{Digest as _, Sha256};
use square::event::{self, Faults, Field, Wanted};
use square::words;
use store::Event;

/// What is wrong with a time in a form, where days and hours are chosen.
const FORM_BAD_TIME: &str = "This is no date and time. Choose a day and an hour, like 2030-05-31T18:00.";

/// Languages that are offered by name; any other is typed as its tag.
const LANGUAGES: [(&str, &str); 24] = [
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("cs", "Čeština"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("fa", "فارسی"),
    ("fr", "Français"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt-BR", "Português (Brasil)"),
    ("ru", "Русский"),
    ("sv", "Svenska"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("ur", "اردو"),
    ("zh-Hans", "简体中文"),
];

#[derive(Template)]
#[template(path = "event_new.html")]
struct Form {
    frame: Frame,
    wanted: Wanted,
    faults: Faults,
    languages: &'static [(&'static str, &'static str)],
    title_max: usize,
    description_max: usize,
    minutes_max: u32,
    events_max: usize,
    picture_bytes_max: usize,
    /// When it may begin.
    earliest: String,
    latest: String,
    /// The event that is changed; none when it is new.
    editing: Option<Editing>,
    /// The token of the form.
    once: String,
}

struct Editing {
    path: String,
    page: String,
    delete: String,
    has_passphrase: bool,
    picture: Option<String>,
}

impl Form {
    /// What is wrong with a field, in words.
    fn fault(&self, field: Field) -> Option<&'static str> {
        self.faults.get(&field).map(|fault| if *fault == FaultKind::BadTime { FORM_BAD_TIME } else { fault.text() })
    }
}

pub(crate) async fn new(State(app): State<App>, caller: Caller) -> Result<Response, Fault> {
    event::may_open(&caller.actor, app.policy())?;
    Ok(render(&form(&app, &caller, Wanted::default(), Faults::new(), None)))
}

pub(crate) async fn create(State(app): State<App>, uploaded: Uploaded) -> Result<Response, Fault> {
    let Uploaded { form: sent, picture } = uploaded;
    event::may_open(&sent.caller.actor, app.policy())?;
    let wanted = wanted(&sent);
    once(&app.clone(), sent.once, async move {
        match make(&app, &sent, picture, &wanted).await {
            Ok(events) => Ok(Redirect::to(&events.first().map_or_else(|| "/".to_owned(), |event| path_of(&app, event))).into_response()),
            Err(refused) => said(&app, &sent.caller, wanted, refused, None),
        }
    })
    .await
}

async fn make(app: &App, sent: &Submitted, picture: Option<Vec<u8>>, wanted: &Wanted) -> Result<Vec<Event>, json::event::Refused> {
    let picture = redrawn(app, picture).await?;
    let events = json::event::open(app, &sent.caller.actor, wanted, sent.field("zone")).await?;
    if let Some(jpeg) = picture {
        for event in &events {
            keep(app, event.id, Some(jpeg.clone())).await?;
        }
    }
    Ok(events)
}

/// `/events/E/edit`, as long as nobody has come for it.
pub(crate) async fn edit(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let event = event::find_announced(app.store(), &caller.actor, json::event::read_id(&id)?).await?;
    let wanted = Wanted::of(&event, &event::guests(app.store(), &event).await?);
    Ok(render(&form(&app, &caller, wanted, Faults::new(), Some(editing(&app, &event)))))
}

pub(crate) async fn change(State(app): State<App>, Path(id): Path<String>, uploaded: Uploaded) -> Result<Response, Fault> {
    let Uploaded { form: sent, picture } = uploaded;
    let event = event::find_announced(app.store(), &sent.caller.actor, json::event::read_id(&id)?).await?;
    let wanted = wanted(&sent);
    let changed = async {
        let picture = redrawn(&app, picture).await?;
        let changed = json::event::change(&app, &sent.caller.actor, &event, &wanted).await?;
        if picture.is_some() || !sent.field("no_picture").is_empty() {
            keep(&app, event.id, picture).await?;
        }
        Ok(changed)
    };
    match changed.await {
        Ok(event) => Ok(Redirect::to(&path_of(&app, &event)).into_response()),
        Err(refused) => said(&app, &sent.caller, wanted, refused, Some(editing(&app, &event))),
    }
}

pub(crate) async fn delete(State(app): State<App>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Fault> {
    json::event::take_back(&app, &sent.caller.actor, json::event::read_id(&id)?).await?;
    Ok(Redirect::to("/").into_response())
}

/// The picture as it will be kept; what is none is said beside its field.
async fn redrawn(app: &App, picture: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, json::event::Refused> {
    let Some(bytes) = picture else { return Ok(None) };
    let drawn = if bytes.len() > PICTURE_BYTES_MAX { Err(FaultKind::PictureUnusable) } else { app.shell().redraw(bytes).await };
    match drawn {
        Ok(jpeg) => Ok(Some(jpeg)),
        Err(FaultKind::PictureUnusable) => Err(json::event::Refused::Fields(Faults::from([(Field::Picture, FaultKind::PictureUnusable)]))),
        Err(fault) => Err(json::event::Refused::Other(fault.into())),
    }
}

/// Keeps an event's picture, or that it has none; the bytes first, so that no page names what is not there.
async fn keep(app: &App, event: EventId, jpeg: Option<Vec<u8>>) -> Result<(), Fault> {
    let hash = jpeg.as_ref().map(|jpeg| Sha256::digest(jpeg)[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    app.shell().keep_picture(event, jpeg).await?;
    Ok(app.store().set_picture(event, hash.as_deref()).await.map_err(square::Fault::from)?)
}

/// What was typed wrong is said beside its field, with everything else kept; what has no field is a page of its own.
fn said(app: &App, caller: &Caller, wanted: Wanted, refused: json::event::Refused, editing: Option<Editing>) -> Result<Response, Fault> {
    let faults = match refused {
        json::event::Refused::Fields(faults) if faults.values().all(|fault| *fault != FaultKind::BadRequest) => faults,
        json::event::Refused::Fields(_) => return Err(FaultKind::BadRequest.into()),
        json::event::Refused::Other(fault) => return Err(fault),
    };
    let page = render(&form(app, caller, wanted, faults, editing));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

fn wanted(sent: &Submitted) -> Wanted {
    let text = |name: &str| sent.field(name).to_owned();
    let is_on = |name: &str| !sent.field(name).is_empty();
    Wanted {
        title: text("title"),
        description: text("description"),
        language: text("language"),
        start: text("start"),
        visibility: text("visibility"),
        passphrase: text("passphrase"),
        no_passphrase: is_on("no_passphrase"),
        guests: text("guests"),
        speak: text("speak"),
        delay: text("delay"),
        record_tracks: is_on("record_tracks"),
        empty_minutes: text("empty_minutes"),
        repeats: text("repeats"),
        times: text("times"),
        until: text("until"),
    }
}

fn form(app: &App, caller: &Caller, wanted: Wanted, faults: Faults, editing: Option<Editing>) -> Form {
    let starts = words::starts(app.now());
    Form {
        frame: Frame::new(caller),
        wanted,
        faults,
        languages: &LANGUAGES,
        title_max: TITLE_CHARS_MAX,
        description_max: DESCRIPTION_CHARS_MAX,
        minutes_max: EMPTY_MINUTES_MAX,
        events_max: SERIES_EVENTS_MAX,
        picture_bytes_max: PICTURE_BYTES_MAX,
        earliest: whole_minute(*starts.start()),
        latest: whole_minute(*starts.end()),
        editing,
        once: once::token(app),
    }
}

/// A browser counts the minutes that can be chosen from the earliest on: it has no seconds.
fn whole_minute(at: UnixMillis) -> String {
    words::field(UnixMillis(at.0 - at.0.rem_euclid(60_000)))
}

fn editing(app: &App, event: &Event) -> Editing {
    Editing {
        path: path(event.id, "edit"),
        page: path_of(app, event),
        delete: path(event.id, "delete"),
        has_passphrase: event.passphrase.is_some(),
        picture: beside::picture_path(event, ticket::for_listeners(app, event).as_deref()),
    }
}

/// Where an event's form is, and where it is taken back.
pub(crate) fn path(event: EventId, what: &str) -> String {
    format!("/events/{event}/{what}")
}

fn path_of(app: &App, event: &Event) -> String {
    page_path(event.id, ticket::for_listeners(app, event).as_deref())
}
