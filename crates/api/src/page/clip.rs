//! Clips: made on a replay's page, each with a page of its own.

use super::replay::{Sound, download};
use super::{Frame, render};
use crate::address::{beside, clip_path, page_path};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::{Came, Guest};
use crate::json::event::read_id;
use crate::once::once;
use crate::replay::clock;
use crate::request::Submitted;
use crate::ticket;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use base::{ClipId, FaultKind, FragmentNumber, Visibility};
use serde::Deserialize;
use square::clip::{self, Wanted};
use square::event;
use square::replay::{Audible, audible};
use std::ops::Range;
use store::{Clip, Event, Replay};

/// Which clip, and with which ticket.
#[derive(Deserialize)]
pub(crate) struct At {
    clip: String,
    ticket: Option<String>,
}

#[derive(Template)]
#[template(path = "clip.html")]
struct ClipPage {
    frame: Frame,
    id: String,
    title: String,
    event: String,
    /// Where it stands in the event.
    place: String,
    place_path: String,
    length: String,
    address: String,
    /// The event's picture, for previews.
    card: String,
    path: String,
    listed: bool,
    /// Nothing while the recording is withheld.
    sound: Option<ClipSound>,
    delete_path: Option<String>,
}

struct ClipSound {
    src: String,
    download: String,
}

pub(crate) async fn create(State(app): State<App>, Path(id): Path<String>, came: Came, form: Submitted) -> Result<Response, Fault> {
    let id = read_id(&id)?;
    once(&app.clone(), form.once, async move {
        let actor = &form.caller.actor;
        clip::may_clip(actor)?;
        let shown = Some(form.field("ticket")).filter(|ticket| ticket::check(&app, ticket, id).is_ok());
        let event = event::find(app.store(), actor, id, shown.is_some()).await?;
        let event = Guest::hear(&app, &form.caller, &came, event, shown.unwrap_or_default()).await?.event;
        let wanted = Wanted { title: form.text("title"), from: form.text("from"), to: form.text("to") };
        let made = clip::make(app.store(), actor, id, shown.is_some(), &wanted, (app.now(), &app.chance())).await?;
        Ok(Redirect::to(&clip_path(made.id, ticket::for_listeners(&app, &event).as_deref())).into_response())
    })
    .await
}

/// A clip's page, for whoever hears the replay.
pub(crate) async fn show(State(app): State<App>, Path(at): Path<At>, came: Came, caller: Caller) -> Result<Response, Fault> {
    let id = read(&at.clip)?;
    let stored = app.store().clip(id).await.map_err(square::Fault::from)?.ok_or(FaultKind::NotFound)?;
    let shown = at.ticket.as_deref();
    let admitted = shown.is_some_and(|ticket| ticket::check(&app, ticket, stored.event).is_ok());
    let (clip, event) = clip::find_clip(app.store(), &caller.actor, id, admitted).await?;
    let guest = Guest::hear(&app, &caller, &came, event, shown.unwrap_or_default()).await?;
    let replay = app.store().replay(guest.event.id).await.map_err(square::Fault::from)?;
    let own = guest.listens_with(&app);
    let page = render(&written(&app, &caller, (&clip, &guest.event), replay.as_ref(), own.as_deref()));
    Ok(guest.listened(&app, page))
}

pub(crate) async fn delete(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let id = read(&id)?;
    let stored = app.store().clip(id).await.map_err(square::Fault::from)?.ok_or(FaultKind::NotFound)?;
    let came = ticket::check(&app, form.field("ticket"), stored.event).is_ok();
    let (clip, event) = clip::find_clip(app.store(), &form.caller.actor, id, came).await?;
    clip::may_delete(&form.caller.actor, &clip, &event)?;
    app.store().delete_clip(id).await.map_err(square::Fault::from)?;
    Ok(Redirect::to(&page_path(event.id, ticket::for_listeners(&app, &event).as_deref())).into_response())
}

fn read(text: &str) -> Result<ClipId, FaultKind> {
    text.parse().map_err(|_| FaultKind::NotFound)
}

fn written(app: &App, caller: &Caller, (clip, event): (&Clip, &Event), replay: Option<&Replay>, own: Option<&str>) -> ClipPage {
    let sound = Sound::of(app, event, replay, audible(&caller.actor, event, replay), own);
    let left = left(clip, replay);
    let sound = sound.filter(|_| replay.is_some() && !left.is_empty()).map(|sound| {
        let src = sound.clip(app, event, &clip.range);
        ClipSound { download: download(&src, &clip.title), src }
    });
    let first = replay.map_or(left.start, |replay| replay.heard.start);
    let place = length(&(first..left.start));
    let ticket = ticket::for_listeners(app, event);
    let event_path = page_path(event.id, ticket.as_deref());
    ClipPage {
        frame: Frame::new(caller),
        id: clip.id.to_string(),
        title: clip.title.clone(),
        event: event.title.clone(),
        place_path: format!("{event_path}#t={place}"),
        place,
        length: length(&left),
        address: app.addresses().clip_page(clip.id, ticket.as_deref()),
        card: format!("{}{}", app.addresses().square(), beside(event.id, ticket.as_deref(), "card.png")),
        path: clip_path(clip.id, ticket.as_deref()),
        listed: event.visibility == Visibility::Public,
        sound,
        delete_path: clip::may_delete(&caller.actor, clip, event).is_ok().then(|| format!("/clips/{}/delete", clip.id)),
    }
}

/// What is left of it when the recording was trimmed since; nothing when it was cut away.
fn left(clip: &Clip, replay: Option<&Replay>) -> Range<FragmentNumber> {
    let heard = replay.map_or(&clip.range, |replay| &replay.heard);
    let start = clip.range.start.max(heard.start);
    start..clip.range.end.min(heard.end).max(start)
}

/// How long these fragments sound, as it is written.
#[expect(clippy::cast_precision_loss, reason = "slots of a recording")]
fn length(range: &Range<FragmentNumber>) -> String {
    clock(range.end.0.saturating_sub(range.start.0) as f64 / 5.0)
}

/// A clip as the event's page lists it.
pub(crate) struct Listed {
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) length: String,
}

/// Clips shown on an event's page, and how they are made there.
pub(crate) async fn listed(app: &App, event: &Event, replay: Option<&Replay>) -> Result<Vec<Listed>, Fault> {
    /// What a page has room for.
    const CLIPS_SHOWN_MAX: u32 = 40;
    let Some(replay) = replay else { return Ok(Vec::new()) };
    let ticket = ticket::for_listeners(app, event);
    let clips = app.store().clips(event.id, CLIPS_SHOWN_MAX).await.map_err(square::Fault::from)?;
    let shown = clips.iter().map(|clip| (clip, left(clip, Some(replay)))).filter(|(_, left)| !left.is_empty());
    let listed =
        |(clip, left): (&Clip, _)| Listed { title: clip.title.clone(), path: clip_path(clip.id, ticket.as_deref()), length: length(&left) };
    Ok(shown.map(listed).collect())
}

/// Audible to everybody whom the event reaches: a clip of it may be made by members.
pub(crate) fn may_make(caller: &Caller, replay: Option<&Replay>, audible: Audible) -> bool {
    clip::may_clip(&caller.actor).is_ok() && audible != Audible::No && replay.is_some_and(|replay| replay.is_read)
}
