//! The whole app on a real database, with a stage that does as it is told.

use crate::{Addresses, App, Config, Doing, Door, End, Kept, Last, Order, Peer, Rehearsal, Running, Shell, Track, Withhold, router};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Router};
use base::{EventId, FaultKind, FragmentNumber, ParticipantId, UnixMillis};
use gate::Keys;
use gate::ticket::{Class, admit};
use http_body_util::BodyExt as _;
use serde_json::Value;
use square::event::Policy;
use square::rehearsal::Crowd;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use store::replay::DeletedBy;
use store::{Event, Store};
use tower::ServiceExt as _;

/// A moment: 2026-11-21T01:00:00Z.
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_222_800_000);

const KEY: [u8; 32] = [42; 32];

thread_local! {
    static CHANCE: Cell<u64> = const { Cell::new(0) };
}

/// A town: its square, from outside and from the operator's side.
pub(crate) struct Town {
    pub(crate) store: Store,
    pub(crate) stagehand: Arc<Stagehand>,
    pub(crate) app: App,
    public: Router,
    operator: Router,
}

/// Does what a stage and a disk would.
pub(crate) struct Stagehand {
    store: Store,
    pub(crate) announced: Mutex<Vec<EventId>>,
    pub(crate) pictures: Mutex<BTreeMap<EventId, Vec<u8>>>,
    pub(crate) barred: Mutex<Vec<u64>>,
    pub(crate) down: AtomicBool,
    /// The crowd that was sent, and for which event.
    sent: Mutex<Option<(EventId, Crowd)>>,
    last: Mutex<Option<(EventId, Last)>>,
    /// What was cut of which recording, and what became of it.
    pub(crate) cut: Mutex<Vec<(EventId, Range<FragmentNumber>)>>,
    pub(crate) withheld: Mutex<Vec<(EventId, Withhold)>>,
    /// What happened in every event.
    pub(crate) moments: Mutex<Vec<u8>>,
    /// Who was recorded apart in every event.
    pub(crate) tracks: Mutex<Vec<Track>>,
}

impl Shell for Stagehand {
    fn announce<'a>(&'a self, event: &'a Event) -> Doing<'a> {
        self.announced.lock().expect("no test panics with it").push(event.id);
        Box::pin(async { Ok(()) })
    }

    fn redraw(&self, bytes: Vec<u8>) -> Doing<'_, Vec<u8>> {
        Box::pin(async move { if bytes.starts_with(b"\x89PNG") { Ok(bytes) } else { Err(FaultKind::PictureUnusable) } })
    }

    fn keep_picture(&self, event: EventId, jpeg: Option<Vec<u8>>) -> Doing<'_> {
        let mut pictures = self.pictures.lock().expect("no test panics with it");
        match jpeg {
            Some(jpeg) => drop(pictures.insert(event, jpeg)),
            None => drop(pictures.remove(&event)),
        }
        Box::pin(async { Ok(()) })
    }

    fn picture(&self, event: EventId) -> Doing<'_, Vec<u8>> {
        let picture = self.pictures.lock().expect("no test panics with it").get(&event).cloned();
        Box::pin(async move { picture.ok_or(FaultKind::NotFound) })
    }

    fn card<'a>(&'a self, event: &'a Event, _key: String, line: String) -> Doing<'a, Vec<u8>> {
        Box::pin(async move { Ok(format!("card of {}, {line}", event.title).into_bytes()) })
    }

    fn withdraw(&self, event: EventId) -> Doing<'_> {
        self.announced.lock().expect("no test panics with it").retain(|known| *known != event);
        Box::pin(async { Ok(()) })
    }

    fn lock(&self, passphrase: String) -> Doing<'_, String> {
        Box::pin(async move { Ok(format!("hash of {passphrase}")) })
    }

    fn unlock(&self, passphrase: String, hash: String) -> Doing<'_, bool> {
        Box::pin(async move { Ok(hash == format!("hash of {passphrase}")) })
    }

    fn order<'a>(&'a self, event: EventId, ticket: &'a str, order: Order) -> Doing<'a> {
        Box::pin(async move {
            if self.down.load(Ordering::Relaxed) {
                return Err(FaultKind::RoleDown);
            }
            admit(&Keys::new(KEY), ticket, NOW, event, Class::Host)?;
            let at = UnixMillis(NOW.0 + 60_000);
            let done = match order {
                Order::GoLive => self.store.mark_live(event, at).await,
                Order::Bar(ticket) => {
                    self.barred.lock().expect("no test panics with it").push(ticket);
                    Ok(())
                }
                Order::End => self.store.mark_ended(event, at, FragmentNumber(300)).await,
            };
            done.map_err(|_| FaultKind::Internal)
        })
    }

    fn rehearse(&self, event: EventId, crowd: Crowd) -> Doing<'_> {
        let mut sent = self.sent.lock().expect("no test panics with it");
        let answer = if sent.is_some() { Err(FaultKind::RehearsalRunning) } else { Ok(()) };
        sent.get_or_insert((event, crowd));
        Box::pin(async move { answer })
    }

    fn end_rehearsal(&self, event: EventId) -> Doing<'_> {
        let mut sent = self.sent.lock().expect("no test panics with it");
        if let Some((_, crowd)) = sent.take_if(|(of, _)| *of == event) {
            let end = End::Verdict(format!("holds {} listeners", crowd.listeners));
            *self.last.lock().expect("no test panics with it") = Some((event, Last { crowd, at: NOW, end }));
        }
        Box::pin(async { Ok(()) })
    }

    fn rehearsal(&self, event: EventId) -> Doing<'_, Rehearsal> {
        let sent = *self.sent.lock().expect("no test panics with it");
        let last = self.last.lock().expect("no test panics with it").clone();
        let crowd = sent.filter(|(of, _)| *of == event).map(|(_, crowd)| crowd);
        let running = crowd.map(|crowd| Running { crowd, joined: 900, hearing: 899, faults: 2, left_seconds: Some(12), ending: false });
        let elsewhere = sent.is_some_and(|(of, _)| of != event);
        let last = last.filter(|(of, _)| *of == event).map(|(_, last)| last);
        Box::pin(async move { Ok(Rehearsal { running, last, elsewhere }) })
    }

    fn moments(&self, _event: EventId) -> Doing<'_, Vec<u8>> {
        let moments = self.moments.lock().expect("no test panics with it").clone();
        Box::pin(async move { Ok(moments) })
    }

    fn tracks(&self, _event: EventId) -> Doing<'_, Vec<Track>> {
        let tracks = self.tracks.lock().expect("no test panics with it").clone();
        Box::pin(async move { Ok(tracks) })
    }

    /// Everybody said the same: this file.
    fn track(&self, _event: EventId, _participant: ParticipantId) -> PathBuf {
        PathBuf::from(file!()).canonicalize().or_else(|_| PathBuf::from("src/testing.rs").canonicalize()).expect("this file")
    }

    fn cut(&self, event: EventId, ranges: Vec<Range<FragmentNumber>>) -> Doing<'_> {
        self.cut.lock().expect("no test panics with it").extend(ranges.into_iter().map(|range| (event, range)));
        Box::pin(async { Ok(()) })
    }

    fn withhold(&self, event: EventId, what: Withhold) -> Doing<'_> {
        self.withheld.lock().expect("no test panics with it").push((event, what));
        Box::pin(async move {
            let done = match what {
                Withhold::Hide => self.store.hide_replay(event, Some(NOW)).await,
                Withhold::Show => self.store.hide_replay(event, None).await,
                Withhold::Delete => self.store.note_deleted(event, NOW, DeletedBy::Owner).await,
            };
            done.map_err(|_| FaultKind::Internal)
        })
    }

    fn see_through(&self, work: Doing<'static, Response>) -> Doing<'static, Response> {
        Box::pin(async { tokio::spawn(work).await.unwrap_or(Err(FaultKind::Internal)) })
    }

    fn kept(&self, _event: EventId) -> Kept {
        Kept { mp3_percent: None, days: Some(30) }
    }

    fn rehearsal_report(&self, event: EventId) -> Doing<'_, Vec<u8>> {
        let is_there = self.last.lock().expect("no test panics with it").as_ref().is_some_and(|(of, _)| *of == event);
        Box::pin(async move { if is_there { Ok(b"<!doctype html><title>Rehearsal</title>".to_vec()) } else { Err(FaultKind::NotFound) } })
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The cookie that it set, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    /// The word in the page's forms.
    pub(crate) fn word(&self) -> String {
        let (_, rest) = self.text().split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split('"').next().expect("a value").to_owned()
    }
}

impl Town {
    pub(crate) fn new(store: Store, square: &str) -> Self {
        Self::at(store, square, || NOW)
    }

    pub(crate) fn at(store: Store, square: &str, now: fn() -> UnixMillis) -> Self {
        Self::made(store, square, now, Policy::default())
    }

    /// A town whose operator decided this.
    pub(crate) fn under(store: Store, policy: Policy) -> Self {
        Self::made(store, "https://square.example", || NOW, policy)
    }

    fn made(store: Store, square: &str, now: fn() -> UnixMillis, policy: Policy) -> Self {
        let stagehand = Arc::new(Stagehand {
            store: store.clone(),
            announced: Mutex::default(),
            pictures: Mutex::default(),
            barred: Mutex::default(),
            down: AtomicBool::new(false),
            sent: Mutex::default(),
            last: Mutex::default(),
            cut: Mutex::default(),
            withheld: Mutex::default(),
            moments: Mutex::default(),
            tracks: Mutex::default(),
        });
        let app = App::new(Config {
            store: store.clone(),
            keys: Keys::new(KEY),
            addresses: Addresses::new(square, "https://live.example", "https://stage.example"),
            now,
            chance: || {
                CHANCE.set(CHANCE.get() + 1);
                let [.., high, low] = CHANCE.get().to_be_bytes();
                std::array::from_fn(|place| if place % 2 == 0 { low } else { low ^ high })
            },
            policy,
            shell: Arc::clone(&stagehand) as Arc<dyn Shell>,
            assembly: Arc::default(),
        });
        let (public, operator) = (router(app.clone(), Door::Public), router(app.clone(), Door::Operator));
        Self { store, stagehand, app, public, operator }
    }

    /// A request from outside: method and path, headers, body.
    pub(crate) async fn ask(&self, line: &str, headers: &[(&'static str, &str)], body: &str) -> Answer {
        send(&self.public, line, headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[("accept", "text/html"), ("cookie", cookie)], "").await
    }

    /// A request from a network address.
    pub(crate) async fn ask_from(&self, address: &str, line: &str, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let peer = Extension(Peer(address.parse().expect("an address")));
        send(&self.public.clone().layer(peer), line, headers, body).await
    }

    /// A form of one of our pages.
    pub(crate) async fn submit(&self, path: &str, cookie: &str, fields: &str) -> Answer {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("accept", "text/html"), ("cookie", cookie), ("sec-fetch-site", "same-origin"), kind];
        self.ask(&format!("POST {path}"), &headers, fields).await
    }

    /// A request on the server's own socket.
    pub(crate) async fn operate(&self, line: &str, body: &str) -> Answer {
        send(&self.operator, line, &[("content-type", "application/json")], body).await
    }

    /// Signs the first administrator in; gives the cookie.
    pub(crate) async fn administrator(&self) -> String {
        let link = self.operate("POST /api/townsquare/v1/operator/first-link", "").await.json()["link"].clone();
        let path = path_of(link.as_str().expect("a link"));
        self.submit(&path, "", "name=Ada").await.cookie()
    }

    /// Announces an event; gives what the operator is told.
    pub(crate) async fn announce(&self, title: &str, visibility: &str) -> Value {
        let body = serde_json::json!({"title": title, "visibility": visibility, "start_at": "2026-11-21T18:00:00Z"});
        let answer = self.operate("POST /api/townsquare/v1/events", &body.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

/// The path of one of the square's links.
pub(crate) fn path_of(link: &str) -> String {
    url::Url::parse(link).expect("a link").path().to_owned()
}

async fn send(router: &Router, line: &str, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let (method, path) = line.split_once(' ').expect("method and path");
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "square.example");
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, HeaderValue::from_str(value).expect("a header"));
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let answer = router.clone().oneshot(request).await.expect("infallible");
    let (status, headers): (StatusCode, HeaderMap) = (answer.status(), answer.headers().clone());
    let body = answer.into_body().collect().await.expect("a whole body").to_bytes().to_vec();
    Answer { status: status.as_u16(), headers, body }
}
