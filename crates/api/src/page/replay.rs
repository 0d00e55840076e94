//! An ended event's replay: what its page shows, and what who runs the event does with it.

use super::beside::At;
use super::{Frame, clip, render, track};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::{Came, Guest};
use crate::json::event::read_id;
use crate::once;
use crate::replay::{Moments, Withhold, clock};
use crate::request::Submitted;
use crate::ticket;
use crate::when::When;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use base::{FaultKind, FragmentNumber};
use gate::ticket::Class;
use square::event::{self, may_run};
use square::replay::{self, Audible};
use std::ops::Range;
use store::replay::DeletedBy;
use store::{Event, Replay};

/// People named on the page; all of them are in the moments.
const SPEAKERS_SHOWN_MAX: usize = 32;

/// What the page of an ended event says of its replay.
pub(crate) struct Part {
    /// Nothing can be heard, and why.
    pub(crate) gone: Option<Gone>,
    pub(crate) src: String,
    pub(crate) download: String,
    pub(crate) mp3: Option<String>,
    pub(crate) moments: String,
    pub(crate) seconds: u64,
    /// In how many seconds the page has more to say, when not all is made of the recording yet.
    pub(crate) again: Option<u64>,
    pub(crate) hidden: bool,
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) speakers: Vec<Speaker>,
    pub(crate) clips: Vec<clip::Listed>,
    /// Where members make clips, and with which ticket.
    pub(crate) clip: Option<Clipping>,
    pub(crate) keep: Option<Keep>,
}

/// Why nothing can be heard: words, a moment where there is one, and words behind it.
pub(crate) struct Gone {
    pub(crate) why: &'static str,
    pub(crate) at: Option<When>,
    pub(crate) rest: &'static str,
}

/// How a clip is made.
pub(crate) struct Clipping {
    pub(crate) path: String,
    pub(crate) ticket: String,
    /// The token of the form.
    pub(crate) once: String,
    pub(crate) length: String,
}

/// Something that was pinned, as a place to go to.
pub(crate) struct Chapter {
    pub(crate) clock: String,
    pub(crate) seconds: String,
    pub(crate) text: String,
    pub(crate) url: String,
}

pub(crate) struct Speaker {
    pub(crate) name: String,
    pub(crate) spoke: String,
}

/// What who runs the event may do.
pub(crate) struct Keep {
    pub(crate) path: String,
    pub(crate) length: String,
    /// Whether its moments were read, so that times can be named.
    pub(crate) is_read: bool,
    pub(crate) mp3: Mp3,
    pub(crate) days: Option<u32>,
    /// Each speaker by themselves.
    pub(crate) tracks: Vec<track::Listed>,
}

/// How far the MP3 is.
pub(crate) enum Mp3 {
    Ready,
    Making(u8),
    Waiting,
}

#[derive(Template)]
#[template(path = "replay_sure.html")]
struct Sure {
    frame: Frame,
    title: String,
    event_path: String,
    action: String,
    /// Whether each speaker was recorded apart, too.
    tracks: bool,
    /// What is left when it is trimmed; nothing: it is deleted.
    left: Option<Left>,
}

struct Left {
    from: String,
    to: String,
    length: String,
    preview: String,
}

/// The addresses under which somebody gets an event's sound.
pub(crate) struct Sound {
    pub(crate) ticket: Option<String>,
    pub(crate) cuts: String,
}

impl Sound {
    /// For who hears it as `audible` says; `None` when they don't. `own` is a private event's ticket of their own.
    pub(crate) fn of(app: &App, event: &Event, replay: Option<&Replay>, audible: Audible, own: Option<&str>) -> Option<Self> {
        let ticket = match audible {
            Audible::No => return None,
            Audible::Yes => own.map(str::to_owned).or_else(|| ticket::for_listeners(app, event)),
            Audible::ForWhoRunsIt => Some(ticket::for_event(app, event, Class::Host)),
        };
        let cuts = replay.filter(|replay| replay.is_read).map(|replay| format!("?cuts={}", replay.cuts)).unwrap_or_default();
        Some(Self { ticket, cuts })
    }

    pub(crate) fn whole(&self, app: &App, event: &Event) -> String {
        app.addresses().replay(event.id, self.ticket.as_deref()) + &self.cuts
    }

    pub(crate) fn clip(&self, app: &App, event: &Event, range: &Range<FragmentNumber>) -> String {
        app.addresses().clip(event.id, self.ticket.as_deref(), range) + &self.cuts
    }
}

/// What an address that may have a query is when it is to be saved.
pub(crate) fn download(address: &str, name: &str) -> String {
    let mark = if address.contains('?') { '&' } else { '?' };
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{address}{mark}download={name}")
}

/// The replay's part of an ended event's page.
pub(crate) async fn part(app: &App, caller: &Caller, event: &Event, own: Option<&str>, file_name: &str) -> Result<Part, Fault> {
    let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?;
    let replay = replay.as_ref();
    let audible = replay::audible(&caller.actor, event, replay);
    let runs = may_run(&caller.actor, event).is_ok();
    let Some(sound) = Sound::of(app, event, replay, audible, own) else { return Ok(nothing(event, replay)) };
    let moments = moments(app, event, replay).await;
    let src = sound.whole(app, event);
    let mp3 = replay.and_then(|replay| replay.mp3_bytes).map(|_| app.addresses().mp3(event.id, sound.ticket.as_deref()));
    let ticket = ticket::for_listeners(app, event);
    Ok(Part {
        gone: None,
        download: download(&src, file_name),
        moments: replay
            .filter(|replay| replay.is_read)
            .map(|replay| format!("{}/moments.json?cuts={}", page_path(event.id, ticket.as_deref()), replay.cuts))
            .unwrap_or_default(),
        seconds: replay.map_or(0, Replay::seconds),
        again: again(app, event, replay, &moments),
        hidden: audible == Audible::ForWhoRunsIt,
        chapters: moments.pins.iter().map(chapter).collect(),
        speakers: moments
            .speakers()
            .into_iter()
            .take(SPEAKERS_SHOWN_MAX)
            .map(|person| Speaker { name: person.called(), spoke: spoken(person.spoke_ms) })
            .collect(),
        clips: clip::listed(app, event, replay).await?,
        clip: clip::may_make(caller, replay, audible).then(|| Clipping {
            path: format!("/events/{}/clips", event.id),
            ticket: own.unwrap_or_default().to_owned(),
            once: once::token(app),
            length: length(replay),
        }),
        keep: if runs { Some(keep(app, event, replay, mp3.is_some()).await?) } else { None },
        mp3,
        src,
    })
}

fn chapter(pin: &crate::replay::Pin) -> Chapter {
    let text = if pin.text.is_empty() { pin.url.clone() } else { pin.text.clone() };
    // What was pinned leads where it led, and nowhere that a page would not.
    let is_plain = pin.url.starts_with("https://") || pin.url.starts_with("http://");
    Chapter { clock: clock(pin.at), seconds: format!("{:.1}", pin.at), text, url: if is_plain { pin.url.clone() } else { String::new() } }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a recording")]
fn length(replay: Option<&Replay>) -> String {
    clock(replay.map_or(0, Replay::seconds) as f64)
}

async fn keep(app: &App, event: &Event, replay: Option<&Replay>, has_mp3: bool) -> Result<Keep, Fault> {
    let kept = app.shell().kept(event.id);
    Ok(Keep {
        path: format!("/events/{}", event.id),
        length: length(replay),
        is_read: replay.is_some_and(|replay| replay.is_read),
        mp3: match kept.mp3_percent {
            _ if has_mp3 => Mp3::Ready,
            Some(percent) => Mp3::Making(percent),
            None => Mp3::Waiting,
        },
        days: kept.days,
        tracks: track::listed(app, event).await?,
    })
}

fn nothing(event: &Event, replay: Option<&Replay>) -> Part {
    let deleted = |at, rest| Gone { why: "The recording was deleted on", at: Some(When::new(at)), rest };
    let never = |why| Gone { why, at: None, rest: "" };
    let gone = match replay.and_then(|replay| replay.deleted) {
        Some((at, DeletedBy::Owner)) => deleted(at, "."),
        Some((at, DeletedBy::Retention)) => deleted(at, ": recordings are kept for a time only."),
        None if replay.is_some_and(|replay| replay.hidden_at.is_some()) && event.has_replay() => {
            never("The recording of this event is not public.")
        }
        None => never("There is no recording of this event."),
    };
    Part {
        gone: Some(gone),
        src: String::new(),
        download: String::new(),
        mp3: None,
        moments: String::new(),
        seconds: 0,
        again: None,
        hidden: false,
        chapters: Vec::new(),
        speakers: Vec::new(),
        clips: Vec::new(),
        clip: None,
        keep: None,
    }
}

/// In how many seconds whoever stays on the page may ask for it again: its moments are read within seconds of the end, and an MP3 is made at sixty times
/// the speed of sound at least. A crowd asks over as long as it takes when a thousand do in each second.
fn again(app: &App, event: &Event, replay: Option<&Replay>, moments: &Moments) -> Option<u64> {
    const MOMENTS_SECONDS: u64 = 5;
    const MP3_SPEED: u64 = 60;
    const ASK_A_SECOND: u32 = 1_000;
    // What is not made by then waits for somebody to look into it.
    const MILLIS_MAX: i64 = 3_600_000;
    if event.ended_at.is_none_or(|ended| app.now().0 - ended.0 > MILLIS_MAX) {
        return None;
    }
    let Some(replay) = replay.filter(|replay| replay.is_read) else { return Some(MOMENTS_SECONDS) };
    if replay.mp3_bytes.is_some() {
        return None;
    }
    let left = 100 - u64::from(app.shell().kept(event.id).mp3_percent.unwrap_or(0).min(100));
    let crowd = moments.listeners.iter().max().map_or(0, |most| u64::from(most / ASK_A_SECOND));
    Some((MOMENTS_SECONDS + replay.seconds() * left / 100 / MP3_SPEED).max(crowd))
}

/// What happened in an event, as far as it was read.
pub(crate) async fn moments(app: &App, event: &Event, replay: Option<&Replay>) -> Moments {
    if replay.is_none_or(|replay| !replay.is_read) {
        return Moments::default();
    }
    app.shell().moments(event.id).await.map(|bytes| Moments::read(&bytes)).unwrap_or_default()
}

/// "2 h 5 min", "12 min 3 s", "40 s".
pub(crate) fn spoken(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// `moments.json`, for whoever hears the replay.
pub(crate) async fn show_moments(State(app): State<App>, Path(at): Path<At>, came: Came, caller: Caller) -> Result<Response, Fault> {
    let shown = at.ticket.as_deref();
    let admitted = shown.is_some_and(|ticket| read_id(&at.event).is_ok_and(|id| ticket::check(&app, ticket, id).is_ok()));
    let event = event::find(app.store(), &caller.actor, read_id(&at.event)?, admitted).await?;
    let event = Guest::hear(&app, &caller, &came, event, shown.unwrap_or_default()).await?.event;
    let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?;
    if replay::audible(&caller.actor, &event, replay.as_ref()) == Audible::No || replay.is_none_or(|replay| !replay.is_read) {
        return Err(FaultKind::NotFound.into());
    }
    let bytes = app.shell().moments(event.id).await?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "private, max-age=60")], bytes).into_response())
}

/// Trims a replay: shows what would be left, and does it once that is what is wanted.
pub(crate) async fn trim(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let (event, replay) = replay::find_to_change(app.store(), &form.caller.actor, read_id(&id)?).await?;
    let left = replay::range(&replay, form.field("from"), form.field("to"))?;
    if form.field("sure") == "yes" {
        let cuts = replay::outside(&replay, &left);
        if !cuts.is_empty() {
            app.shell().cut(event.id, cuts).await?;
        }
        return Ok(back(&app, &event));
    }
    let audible = replay::audible(&form.caller.actor, &event, Some(&replay));
    let sound = Sound::of(&app, &event, Some(&replay), audible, None).ok_or(FaultKind::NoReplay)?;
    let left = Left {
        from: form.field("from").trim().to_owned(),
        to: form.field("to").trim().to_owned(),
        #[expect(clippy::cast_precision_loss, reason = "seconds of a recording")]
        length: clock((left.end.0 - left.start.0) as f64 / 5.0),
        preview: sound.clip(&app, &event, &left),
    };
    Ok(sure(&app, &form.caller, &event, "trim", Some(left)))
}

/// Hides a replay from everybody who does not run the event, or shows it again.
pub(crate) async fn hide(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let (event, _) = replay::find_to_change(app.store(), &form.caller.actor, read_id(&id)?).await?;
    let what = if form.field("hidden") == "no" { Withhold::Show } else { Withhold::Hide };
    app.shell().withhold(event.id, what).await?;
    Ok(back(&app, &event))
}

/// Deletes a recording, once that is what is wanted.
pub(crate) async fn delete(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let (event, _) = replay::find_to_change(app.store(), &form.caller.actor, read_id(&id)?).await?;
    if form.field("sure") != "yes" {
        return Ok(sure(&app, &form.caller, &event, "delete", None));
    }
    app.shell().withhold(event.id, Withhold::Delete).await?;
    Ok(back(&app, &event))
}

/// The MP3, where it is.
pub(crate) async fn mp3(State(app): State<App>, Path(id): Path<String>, came: Came, caller: Caller) -> Result<Response, Fault> {
    let event = event::find(app.store(), &caller.actor, read_id(&id)?, false).await?;
    let guest = Guest::hear(&app, &caller, &came, event, "").await?;
    let (event, own) = (&guest.event, guest.listens_with(&app));
    let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?;
    let audible = replay::audible(&caller.actor, event, replay.as_ref());
    let sound = Sound::of(&app, event, replay.as_ref(), audible, own.as_deref()).ok_or(FaultKind::NotFound)?;
    replay.and_then(|replay| replay.mp3_bytes).ok_or(FaultKind::NotFound)?;
    let leads = Redirect::temporary(&app.addresses().mp3(event.id, sound.ticket.as_deref()));
    Ok(guest.listened(&app, leads.into_response()))
}

fn sure(app: &App, caller: &Caller, event: &Event, what: &str, left: Option<Left>) -> Response {
    let event_path = page_path(event.id, ticket::for_listeners(app, event).as_deref());
    let action = format!("/events/{}/replay/{what}", event.id);
    let tracks = event.plan.record_tracks;
    render(&Sure { frame: Frame::new(caller), title: event.title.clone(), event_path, action, tracks, left })
}

fn back(app: &App, event: &Event) -> Response {
    Redirect::to(&page_path(event.id, ticket::for_listeners(app, event).as_deref())).into_response()
}
