//! Where the sound comes from: the page, the stream, the replay, over HTTP.

use crate::command::http::{self, ANSWER_MAX, Refused};
use anyhow::{Context as _, bail};
use base::{Cadence, FaultKind, FragmentNumber};
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};
use ureq::{Agent, Body};
use url::Url;

/// Silence on a connection after which it is given up: a relay's slowest cadence, and as long as a relay that is late may take.
const SILENT_MAX: Duration = Duration::from_secs(30);

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// How long to wait before another try: 100 ms at first, 2 s at last, half of it chance.
pub(crate) fn back_off(tries: u32) -> Duration {
    let most = (100u64 << tries.min(5)).min(2_000);
    Duration::from_millis(rand::random_range(most / 2..=most))
}

/// What the reader says.
#[derive(Debug)]
pub(super) enum News {
    /// Bytes of the connection with this number, and when they came.
    Bytes(u64, Instant, Vec<u8>),
    /// The connection with this number is at its end.
    Broken(u64),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// What an event's page answers to `Accept: application/json`.
#[derive(Debug, serde::Deserialize)]
struct Page {
    listen: Addresses,
    #[serde(default)]
    replay: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Addresses {
    stream: String,
}

/// Sound that was found and begins to come.
pub(super) struct Found {
    answer: ureq::http::Response<Body>,
    /// The newest fragment that the relay had; a replay has none.
    pub(super) edge: Option<FragmentNumber>,
    live: bool,
}

impl Found {
    fn new(answer: ureq::http::Response<Body>) -> Self {
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let edge = header("townsquare-edge").and_then(|place| place.split_once('.')?.1.parse().ok()).map(FragmentNumber);
        // What has a length has an end: the replay.
        let live = header("content-length").is_none();
        Self { answer, edge, live }
    }

    /// Whether it is the endless stream.
    pub(super) const fn is_live(&self) -> bool {
        self.live
    }

    /// Reads on a thread of its own until the end, and tells under this connection's number.
    pub(super) fn read(self, connection: u64, tell: SyncSender<News>) -> std::io::Result<()> {
        let mut body = self.answer.into_body().into_with_config().limit(u64::MAX).reader();
        let read = move || {
            let mut bytes = vec![0; READ_BYTES];
            // Every failure is the same to a listener: the stream is gone, and the next request says why.
            while let Ok(count @ 1..) = body.read(&mut bytes) {
                if tell.send(News::Bytes(connection, Instant::now(), bytes[..count].to_vec())).is_err() {
                    return;
                }
            }
            let _ = tell.send(News::Broken(connection));
        };
        std::thread::Builder::new().name("reader".into()).spawn(read)?;
        Ok(())
    }
}

/// What asks for sound, and remembers where it was.
pub(super) struct Ear {
    agent: Agent,
    stream: Option<Url>,
}

impl Ear {
    pub(super) fn new(ca: Option<&Path>) -> anyhow::Result<Self> {
        let config =
            http::agent(ca)?.timeout_connect(Some(ANSWER_MAX)).timeout_recv_response(Some(ANSWER_MAX)).timeout_per_read(Some(SILENT_MAX));
        Ok(Self { agent: config.build().new_agent(), stream: None })
    }

    /// Finds the sound behind a link: it is the sound itself, or a page that says where it is.
    pub(super) fn find(&mut self, link: &str) -> anyhow::Result<Found> {
        let url = http::link(link, "link")?;
        let mut answer = self.ask(&url)?;
        if is_sound(&answer) {
            self.stream = Some(url);
            return Ok(Found::new(answer));
        }
        if content_type(&answer).contains("mpegurl") {
            bail!("{link} is an HLS playlist, for players; listen to the event's stream or its page");
        }
        let page: Page = http::json(&mut answer).with_context(|| format!("there is nothing to hear behind {link}"))?;
        let stream = url.join(&page.listen.stream).with_context(|| format!("{} is no address", page.listen.stream))?;
        match (self.ask(&stream), page.replay) {
            (Err(refused), Some(replay)) if refused.is(FaultKind::EventEnded) => {
                let replay = url.join(&replay).with_context(|| format!("{replay} is no address"))?;
                Ok(Found::new(self.ask(&replay)?))
            }
            (answer, _) => {
                self.stream = Some(stream);
                Ok(Found::new(answer?))
            }
        }
    }

    /// Asks for the stream again, from this fragment on, with enough in store for the cadence `ready`.
    pub(super) fn again(&self, from: Option<FragmentNumber>, ready: Cadence) -> Result<Found, Refused> {
        let Some(mut url) = self.stream.clone() else {
            return Err(Refused::by_us("there is no stream to go on with"));
        };
        if let Some(from) = from {
            let others: Vec<(String, String)> =
                url.query_pairs().filter(|(key, _)| key != "from" && key != "ready").map(|(k, v)| (k.into(), v.into())).collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(others)
                .append_pair("from", &from.to_string())
                .append_pair("ready", &ready.to_string());
        }
        self.ask(&url).map(Found::new)
    }

    fn ask(&self, url: &Url) -> Result<ureq::http::Response<Body>, Refused> {
        let answer = self.agent.get(url.as_str()).header("Accept", "application/json, audio/mp4").call();
        http::good(answer.map_err(|error| Refused::unreachable(url, error))?)
    }
}

fn is_sound(answer: &ureq::http::Response<Body>) -> bool {
    let kind = content_type(answer);
    kind.starts_with("audio/mp4") || kind.starts_with("video/mp4")
}

fn content_type(answer: &ureq::http::Response<Body>) -> &str {
    answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}
