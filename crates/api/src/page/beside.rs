//! What stands beside an event's page: its calendar file, its picture, the card by which its link is previewed, the oEmbed answer.
//! A private event's are reached with its ticket, as the page is.

use super::event::reached;
use crate::address;
use crate::app::App;
use crate::calendar::{self, Entry};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ticket;
use crate::when::When;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::limit::CARD_PIXELS;
use base::{EventId, FaultKind, UnixMillis, Visibility};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use square::{Actor, event};
use store::{Event, Phase};

/// Events in the square's own calendar.
const CALENDAR_EVENTS_MAX: u32 = 200;

/// Which event, and with which ticket.
#[derive(Deserialize)]
pub(crate) struct At {
    pub(crate) event: String,
    pub(crate) ticket: Option<String>,
}

/// Which version of a picture a page names.
#[derive(Deserialize)]
pub(crate) struct Version {
    #[serde(default)]
    v: String,
}

/// `…/calendar.ics`: the event with an alarm; one without a time is in no calendar.
pub(crate) async fn calendar(State(app): State<App>, Path(at): Path<At>, caller: Caller) -> Result<Response, Fault> {
    let event = reached(&app, &caller, &at.event, at.ticket.as_deref()).await?;
    let entry = entry(&app, &event, true).ok_or(FaultKind::NotFound)?;
    Ok(file(&calendar::text(None, &[entry]), &format!("{}.ics", event.id), event.visibility == Visibility::Public))
}

/// `/calendar.ics`: what everybody may come to, to subscribe to.
pub(crate) async fn square_calendar(State(app): State<App>) -> Result<Response, Fault> {
    let mut events = event::list(app.store(), &Actor::Visitor, Phase::Live, None, CALENDAR_EVENTS_MAX).await?;
    events.extend(event::list(app.store(), &Actor::Visitor, Phase::Announced, None, CALENDAR_EVENTS_MAX).await?);
    let entries: Vec<Entry> = events.iter().filter_map(|event| entry(&app, event, false)).collect();
    Ok(file(&calendar::text(Some("Townsquare"), &entries), "townsquare.ics", true))
}

/// A calendar as an answer.
pub(super) fn file(text: &str, name: &str, is_public: bool) -> Response {
    let mut answer = text.to_owned().into_response();
    say(&mut answer, header::CONTENT_TYPE, "text/calendar; charset=utf-8");
    say(&mut answer, header::CONTENT_DISPOSITION, &format!("inline; filename=\"{name}\""));
    if is_public {
        say(&mut answer, header::CACHE_CONTROL, "public, max-age=300");
    }
    answer
}

/// An event as calendars have it, when it has a time.
pub(super) fn entry(app: &App, event: &Event, alarm: bool) -> Option<Entry> {
    Some(Entry {
        uid: format!("{}@townsquare", event.id),
        revision: event.revision,
        changed_at: event.changed_at.unwrap_or(event.created_at),
        created_at: event.created_at,
        start_at: event.start_at?,
        title: event.title.clone(),
        description: event.description.clone(),
        address: app.addresses().page(event.id, ticket::for_listeners(app, event).as_deref()),
        alarm,
    })
}

/// `…/picture`, as it was uploaded, drawn anew.
pub(crate) async fn picture(
    State(app): State<App>,
    Path(at): Path<At>,
    Query(version): Query<Version>,
    caller: Caller,
) -> Result<Response, Fault> {
    let event = reached(&app, &caller, &at.event, at.ticket.as_deref()).await?;
    let hash = event.picture.clone().ok_or(FaultKind::NotFound)?;
    let bytes = app.shell().picture(event.id).await?;
    Ok(image(bytes, "image/jpeg", &event, version.v == hash))
}

/// `…/card.png`, by which the event's link is previewed.
pub(crate) async fn card(
    State(app): State<App>,
    Path(at): Path<At>,
    Query(version): Query<Version>,
    caller: Caller,
) -> Result<Response, Fault> {
    let event = reached(&app, &caller, &at.event, at.ticket.as_deref()).await?;
    let (key, line) = (card_key(&event), card_line(&event));
    let is_this = version.v == key;
    let bytes = app.shell().card(&event, key, line).await?;
    Ok(image(bytes, "image/png", &event, is_this))
}

/// An image as an answer: what its address names with its version never changes.
fn image(bytes: Vec<u8>, kind: &'static str, event: &Event, is_this: bool) -> Response {
    let mut answer = bytes.into_response();
    say(&mut answer, header::CONTENT_TYPE, kind);
    // A preview stands on other people's pages.
    say(&mut answer, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    let whose = if event.visibility == Visibility::Public { "public" } else { "private" };
    let kept = if is_this { "max-age=31536000, immutable" } else { "max-age=300" };
    say(&mut answer, header::CACHE_CONTROL, &format!("{whose}, {kept}"));
    answer
}

fn say(answer: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// Where the event's picture is, when it has one.
pub(crate) fn picture_path(event: &Event, ticket: Option<&str>) -> Option<String> {
    event.picture.as_ref().map(|hash| format!("{}?v={hash}", address::beside(event.id, ticket, "picture")))
}

/// Where the event's card is.
pub(crate) fn card_path(event: &Event, ticket: Option<&str>) -> String {
    format!("{}?v={}", address::beside(event.id, ticket, "card.png"), card_key(event))
}

/// What the card shows, as a few letters: another card has another address.
fn card_key(event: &Event) -> String {
    // The first is the version of the drawing.
    let parts = ["1", &event.title, &card_line(event), event.picture.as_deref().unwrap_or_default()];
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0]));
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn card_line(event: &Event) -> String {
    event.start_at.map(|at: UnixMillis| When::new(at).people).unwrap_or_default()
}

/// What a site asks that wants to embed a link.
#[derive(Deserialize)]
pub(crate) struct Asked {
    url: String,
    #[serde(default)]
    format: Option<String>,
}

/// `/oembed` (oembed.com): the event's link with its title, its maker and its card.
pub(crate) async fn oembed(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let (id, ticket) = read_page(&app, &asked.url).ok_or(FaultKind::NotFound)?;
    // Whoever asks is a program of somebody else's: it sees what a stranger with this address sees.
    let stranger = Caller { actor: Actor::Visitor, session: None };
    let event = reached(&app, &stranger, &id, ticket.as_deref()).await?;
    let author = author(&app, &event).await?;
    let square = app.addresses().square();
    let thumbnail = format!("{square}{}", card_path(&event, ticket.as_deref()));
    let rows = [
        ("type", "link".to_owned()),
        ("version", "1.0".to_owned()),
        ("title", event.title.clone()),
        ("author_name", author.unwrap_or_default()),
        ("provider_name", "Townsquare".to_owned()),
        ("provider_url", square.to_owned()),
        ("cache_age", "3600".to_owned()),
        ("thumbnail_url", thumbnail),
        ("thumbnail_width", CARD_PIXELS.0.to_string()),
        ("thumbnail_height", CARD_PIXELS.1.to_string()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let mut answer = match asked.format.as_deref().unwrap_or("json") {
        "json" => {
            let value = |(key, value): (&str, String)| {
                let number = value.parse::<u32>().ok().filter(|_| key.starts_with("thumbnail_") || key == "cache_age");
                (key.to_owned(), number.map_or_else(|| value.into(), serde_json::Value::from))
            };
            Json(serde_json::Value::Object(rows.map(value).collect())).into_response()
        }
        "xml" => {
            let row = |(key, value): (&str, String)| format!("<{key}>{}</{key}>", escaped(&value));
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<oembed>{}</oembed>\n",
                rows.map(row).collect::<String>()
            );
            let mut answer = text.into_response();
            say(&mut answer, header::CONTENT_TYPE, "text/xml; charset=utf-8");
            answer
        }
        _ => return Ok(StatusCode::NOT_IMPLEMENTED.into_response()),
    };
    say(&mut answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    Ok(answer)
}

/// Who announced an event, by name.
pub(crate) async fn author(app: &App, event: &Event) -> Result<Option<String>, Fault> {
    let Some(account) = event.created_by else { return Ok(None) };
    let account = app.store().account(account).await.map_err(square::Fault::from)?;
    Ok(account.map(|account| account.name))
}

/// The event that an address of a page of ours names, and the ticket in it.
fn read_page(app: &App, url: &str) -> Option<(String, Option<String>)> {
    let path = url.strip_prefix(app.addresses().square())?.split(['?', '#']).next()?;
    let mut parts = path.strip_prefix("/events/")?.split('/');
    let id = parts.next()?.parse::<EventId>().ok()?.to_string();
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => Some((id, None)),
        (Some("t"), Some(ticket), None) => Some((id, Some(ticket.to_owned()))),
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
