//! Podcast feeds: RSS 2.0 with the itunes and podcast namespaces. Public events alone; what is live or comes is a `podcast:liveItem`.

use super::replay::moments;
use crate::app::App;
use crate::fault::Fault;
use crate::replay::Moments;
use crate::when::rfc3339;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::limit::FEED_ITEMS_MAX;
use base::{FaultKind, UnixMillis, Visibility};
use jiff::Timestamp;
use rss::extension::itunes::{ITunesCategory, ITunesChannelExtension, ITunesItemExtension};
use rss::extension::{Extension, ExtensionMap};
use rss::{Channel, Enclosure, Guid, Item};
use sha2::{Digest as _, Sha256};
use square::Actor;
use square::event;
use std::collections::BTreeMap;
use store::{Account, Event, Phase, Replay};

/// The podcast namespace (podcastindex.org).
const PODCAST: &str = "https://podcastindex.org/namespace/1.0";

/// People of one item: more than a stage ever holds.
const PEOPLE_MAX: usize = 16;

/// How long an event without an end is said to take.
const LIVE_MILLIS: i64 = 2 * 3_600_000;

/// All public events of the square.
pub(crate) async fn of_square(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let home = format!("{}/", app.addresses().square());
    let channel = channel("Townsquare", "What is said on this square: live, and to hear again.", &home, "Townsquare");
    answer(&app, &headers, channel, None).await
}

/// The public events of one host.
pub(crate) async fn of_account(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Fault> {
    let account = app.store().account_by_name(&name).await.map_err(square::Fault::from)?.ok_or(FaultKind::NotFound)?;
    let home = format!("{}/", app.addresses().square());
    let title = format!("{} on Townsquare", account.name);
    let channel = channel(&title, &format!("Events by {}: live, and to hear again.", account.name), &home, &account.name);
    answer(&app, &headers, channel, Some(&account)).await
}

/// A replay's chapters (the JSON form of the podcast namespace).
pub(crate) async fn chapters(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Fault> {
    let event = event::find(app.store(), &Actor::Visitor, crate::json::event::read_id(&id)?, false).await?;
    let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?.filter(|replay| !replay.is_withheld());
    let moments = moments(&app, &event, replay.as_ref()).await;
    let chapter = |pin: &crate::replay::Pin| {
        let mut chapter = serde_json::json!({"startTime": pin.at, "title": if pin.text.is_empty() { &pin.url } else { &pin.text }});
        if pin.url.starts_with("https://") || pin.url.starts_with("http://") {
            chapter["url"] = pin.url.clone().into();
        }
        chapter
    };
    let body = serde_json::json!({"version": "1.2.0", "chapters": moments.pins.iter().map(chapter).collect::<Vec<_>>()});
    let headers = [(header::CONTENT_TYPE, "application/json+chapters"), (header::CACHE_CONTROL, "public, max-age=60")];
    Ok((headers, body.to_string()).into_response())
}

fn channel(title: &str, description: &str, link: &str, author: &str) -> Channel {
    let mut category = ITunesCategory::default();
    category.set_text("News");
    let itunes = ITunesChannelExtension {
        author: Some(author.to_owned()),
        explicit: Some("false".into()),
        r#type: Some("episodic".into()),
        categories: vec![category],
        ..ITunesChannelExtension::default()
    };
    Channel {
        title: title.to_owned(),
        link: link.to_owned(),
        description: description.to_owned(),
        language: Some("en".into()),
        generator: Some("Townsquare".into()),
        itunes_ext: Some(itunes),
        namespaces: BTreeMap::from([("podcast".to_owned(), PODCAST.to_owned())]),
        ..Channel::default()
    }
}

async fn answer(app: &App, headers: &HeaderMap, mut channel: Channel, of: Option<&Account>) -> Result<Response, Fault> {
    let public = async |phase: Phase| -> Result<Vec<Event>, Fault> {
        let found = match of {
            Some(account) => app.store().public_events_of(account.id, phase, FEED_ITEMS_MAX).await.map_err(square::Fault::from)?,
            None => event::list(app.store(), &Actor::Visitor, phase, None, FEED_ITEMS_MAX).await?,
        };
        Ok(found.into_iter().filter(|event| event.visibility == Visibility::Public).collect())
    };
    let mut newest = UnixMillis(0);
    let mut live = Vec::new();
    for phase in [Phase::Live, Phase::Announced] {
        for event in public(phase).await? {
            newest = newest.max(event.live_at.unwrap_or(event.created_at));
            live.extend(live_item(app, &event));
        }
    }
    for event in public(Phase::Ended).await? {
        let replay = app.store().replay(event.id).await.map_err(square::Fault::from)?;
        // Its sound comes in a form that every podcast app plays, or it is not in the feed yet.
        let Some((replay, bytes)) = replay
            .filter(|replay| !replay.is_withheld())
            .and_then(|replay| Some((replay.mp3_bytes?, replay)))
            .map(|(bytes, replay)| (replay, bytes))
        else {
            continue;
        };
        newest = newest.max(event.ended_at.unwrap_or(event.created_at));
        let moments = moments(app, &event, Some(&replay)).await;
        channel.items.push(item(app, &event, &replay, bytes, &moments));
    }
    if !live.is_empty() {
        channel.extensions = ExtensionMap::from([("podcast".to_owned(), BTreeMap::from([("liveItem".to_owned(), live)]))]);
    }
    channel.last_build_date = (newest.0 > 0).then(|| rfc2822(newest));
    Ok(conditional(headers, &channel.to_string(), newest))
}

/// The feed, or that it is the one that is known.
fn conditional(headers: &HeaderMap, text: &str, newest: UnixMillis) -> Response {
    let digest: String = Sha256::digest(text.as_bytes())[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{digest}\"");
    let known =
        headers.get_all(header::IF_NONE_MATCH).iter().any(|line| line.to_str().is_ok_and(|line| line == "*" || line.contains(&etag)));
    let about = [
        (header::CONTENT_TYPE, "application/rss+xml; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "public, max-age=60".to_owned()),
        (header::LAST_MODIFIED, http_date(newest)),
        (header::ETAG, etag),
    ];
    if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, text.to_owned()).into_response() }
}

fn item(app: &App, event: &Event, replay: &Replay, bytes: u64, moments: &Moments) -> Item {
    let page = app.addresses().page(event.id, None);
    let mut podcast: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    if !moments.pins.is_empty() {
        let chapters = [
            ("url", format!("{}/events/{}/chapters.json", app.addresses().square(), event.id)),
            ("type", "application/json+chapters".to_owned()),
        ];
        podcast.insert("chapters".into(), vec![extension("podcast:chapters", None, chapters)]);
    }
    let people: Vec<Extension> =
        moments.speakers().into_iter().take(PEOPLE_MAX).map(|person| extension("podcast:person", Some(person.called()), [])).collect();
    if !people.is_empty() {
        podcast.insert("person".into(), people);
    }
    Item {
        title: Some(event.title.clone()),
        link: Some(page.clone()),
        description: Some(described(event)),
        enclosure: Some(Enclosure { url: app.addresses().mp3(event.id, None), length: bytes.to_string(), mime_type: "audio/mpeg".into() }),
        guid: Some(Guid { value: format!("townsquare:{}", event.id), permalink: false }),
        pub_date: Some(rfc2822(event.live_at.unwrap_or(event.created_at))),
        itunes_ext: Some(ITunesItemExtension {
            duration: Some(replay.seconds().to_string()),
            explicit: Some("false".into()),
            ..ITunesItemExtension::default()
        }),
        extensions: if podcast.is_empty() { ExtensionMap::new() } else { ExtensionMap::from([("podcast".to_owned(), podcast)]) },
        ..Item::default()
    }
}

/// An event that is on, or that comes at a time that is known.
fn live_item(app: &App, event: &Event) -> Option<Extension> {
    let (status, start) = match event.phase() {
        Phase::Live => ("live", event.live_at?),
        Phase::Announced => ("pending", event.start_at?),
        Phase::Ended => return None,
    };
    let page = app.addresses().page(event.id, None);
    let child = |name: &str, value: &str| (name.to_owned(), vec![extension(name, Some(value.to_owned()), [])]);
    let guid = extension("guid", Some(format!("townsquare:{}", event.id)), [("isPermaLink", "false".to_owned())]);
    let enclosure = extension(
        "enclosure",
        None,
        [("url", app.addresses().hls(event.id, None)), ("length", "0".to_owned()), ("type", "application/x-mpegURL".to_owned())],
    );
    let content = extension("podcast:contentLink", Some("Listen on the event’s page".into()), [("href", page.clone())]);
    let times = [("status", status.to_owned()), ("start", rfc3339(start)), ("end", rfc3339(UnixMillis(start.0 + LIVE_MILLIS)))];
    let mut item = extension("podcast:liveItem", None, times);
    item.children = BTreeMap::from([
        child("title", &event.title),
        child("description", &described(event)),
        child("link", &page),
        ("guid".to_owned(), vec![guid]),
        ("enclosure".to_owned(), vec![enclosure]),
        ("contentLink".to_owned(), vec![content]),
    ]);
    Some(item)
}

fn described(event: &Event) -> String {
    if event.description.is_empty() { event.title.clone() } else { event.description.clone() }
}

fn extension<const N: usize>(name: &str, value: Option<String>, attrs: [(&str, String); N]) -> Extension {
    let attrs = attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Extension { name: name.to_owned(), value, attrs, children: BTreeMap::new() }
}

fn rfc2822(at: UnixMillis) -> String {
    time(at).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn http_date(at: UnixMillis) -> String {
    time(at).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn time(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
