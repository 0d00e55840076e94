//! Where the sound comes from: the page, the stream, the replay, over HTTP.

use anyhow::{Context as _, bail};
use base::{FaultKind, FragmentNumber};
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, http};
use url::Url;

/// An answer's body that is worth reading when it is no sound.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A server that answers at all begins to within this.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Silence on a connection after which it is given up: longer than a relay's slowest cadence.
const SILENT_MAX: Duration = Duration::from_secs(20);

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// How long to wait before another try: 100 ms at first, 2 s at last, half of it chance.
pub(super) fn back_off(tries: u32) -> Duration {
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

/// What a problem+json says (RFC 9457).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    title: String,
    detail: String,
}

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct Refused {
    status: Option<u16>,
    code: String,
    text: String,
}

impl Refused {
    /// Whether the event is over.
    pub(super) fn is_ended(&self) -> bool {
        self.code == FaultKind::EventEnded.code()
    }

    /// Whether to ask again is useless. An event that was heard a moment ago and is not live is being opened again.
    pub(super) fn is_final(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && status != 429) && self.code != FaultKind::EventNotLive.code()
    }

    fn unreachable(url: &Url, cause: impl fmt::Display) -> Self {
        let place = url.host_str().map(|host| url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")));
        Self { status: None, code: String::new(), text: format!("{} can't be reached: {cause}", place.unwrap_or_default()) }
    }

    fn of_answer(mut answer: http::Response<Body>) -> Self {
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().unwrap_or_default();
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        let text = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
        Self { status: Some(status.as_u16()), code: problem.code, text: text.unwrap_or_else(|| format!("the server answered {status}")) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}

/// Sound that was found and begins to come.
pub(super) struct Found {
    answer: http::Response<Body>,
    /// The newest fragment that the relay had; a replay has none.
    pub(super) edge: Option<FragmentNumber>,
    live: bool,
}

impl Found {
    fn new(answer: http::Response<Body>) -> Self {
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
        let roots = match ca {
            // The system's own, or those that SSL_CERT_FILE names.
            None => RootCerts::PlatformVerifier,
            Some(file) => RootCerts::Specific(Arc::new(certificates(file)?)),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("townsquare/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(ANSWER_MAX))
            .timeout_recv_response(Some(ANSWER_MAX))
            .timeout_per_read(Some(SILENT_MAX))
            .max_idle_connections(0)
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        Ok(Self { agent: config.build().new_agent(), stream: None })
    }

    /// Finds the sound behind a link: it is the sound itself, or a page that says where it is.
    pub(super) fn find(&mut self, link: &str) -> anyhow::Result<Found> {
        let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.with_context(|| format!("{link} is no link: it begins with http:// or https://"))?;
        let mut answer = self.ask(&url)?;
        if is_sound(&answer) {
            self.stream = Some(url);
            return Ok(Found::new(answer));
        }
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let page: Option<Page> = text.ok().and_then(|text| serde_json::from_slice(&text).ok());
        let page = page.with_context(|| format!("there is nothing to hear behind {link}"))?;
        let stream = url.join(&page.listen.stream).with_context(|| format!("{} is no address", page.listen.stream))?;
        match (self.ask(&stream), page.replay) {
            (Err(refused), Some(replay)) if refused.is_ended() => {
                let replay = url.join(&replay).with_context(|| format!("{replay} is no address"))?;
                Ok(Found::new(self.ask(&replay)?))
            }
            (answer, _) => {
                self.stream = Some(stream);
                Ok(Found::new(answer?))
            }
        }
    }

    /// Asks for the stream again, from this fragment on.
    pub(super) fn again(&self, from: Option<FragmentNumber>) -> Result<Found, Refused> {
        let Some(mut url) = self.stream.clone() else {
            return Err(Refused { status: Some(404), code: String::new(), text: "there is no stream to go on with".into() });
        };
        if let Some(from) = from {
            let others: Vec<(String, String)> =
                url.query_pairs().filter(|(key, _)| key != "from").map(|(k, v)| (k.into(), v.into())).collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("from", &from.to_string());
        }
        self.ask(&url).map(Found::new)
    }

    fn ask(&self, url: &Url) -> Result<http::Response<Body>, Refused> {
        let answer = self.agent.get(url.as_str()).header("Accept", "application/json, audio/mp4").call();
        let answer = answer.map_err(|error| Refused::unreachable(url, error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(Refused::of_answer(answer)) }
    }
}

fn is_sound(answer: &http::Response<Body>) -> bool {
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("audio/") || kind.starts_with("video/mp4")
}

fn certificates(file: &Path) -> anyhow::Result<Vec<ureq::tls::Certificate<'static>>> {
    let mut pem = Vec::new();
    let opened = std::fs::File::open(file).and_then(|file| file.take(1 << 20).read_to_end(&mut pem));
    opened.with_context(|| format!("{} can't be read", file.display()))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        bail!("{} holds no certificate in PEM", file.display());
    }
    Ok(certificates)
}
