//! What a speaker says to the square and the stage over HTTP.

use anyhow::{Context as _, bail};
use ingest::{Call, Caller, Wish};
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, http};
use url::Url;

/// An answer's body that is worth reading.
const ANSWER_BYTES_MAX: u64 = base::limit::SDP_BYTES_MAX as u64;

/// A server that answers at all does so within this.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What the stage link answers to `Accept: application/json`.
#[derive(Debug, serde::Deserialize)]
struct Ticket {
    title: String,
    role: String,
    token: String,
    whip: String,
    console: String,
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
    /// The HTTP status; none when nobody answered.
    status: Option<u16>,
    code: String,
    text: String,
}

impl Refused {
    /// Whether to ask again is useless: the server understood and said no.
    pub(super) fn is_final(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && status != 429)
    }

    /// Whether the event is over.
    pub(super) fn is_ended(&self) -> bool {
        self.code == base::FaultKind::EventEnded.code()
    }

    fn unreachable(url: &Url, cause: impl fmt::Display) -> Self {
        let place = url.host_str().map(|host| url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")));
        let text = format!("{} can't be reached: {cause}", place.unwrap_or_default());
        Self { status: None, code: String::new(), text }
    }

    fn of_answer(mut answer: http::Response<Body>) -> Self {
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().unwrap_or_default();
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        let text = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| format!("the server answered {status}"));
        Self { status: Some(status.as_u16()), code: problem.code, text }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}

/// Where the stage keeps a session.
#[derive(Debug)]
pub(super) struct Session(Url);

/// A stage to speak on, and who speaks.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    agent: Agent,
    pub(super) title: String,
    host: bool,
    authorization: String,
    whip: Url,
    console: Url,
}

impl Stage {
    /// Follows a stage link.
    pub(super) fn find(link: &str, name: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.with_context(|| format!("{link} is no stage link: it begins with http:// or https://"))?;
        let agent = agent(ca)?;
        let answer = agent.get(url.as_str()).header("Accept", "application/json").call();
        let mut answer = answer.map_err(|error| Refused::unreachable(&url, error))?;
        if !answer.status().is_success() {
            bail!(Refused::of_answer(answer));
        }
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let ticket: Option<Ticket> = text.ok().and_then(|text| serde_json::from_slice(&text).ok());
        let ticket = ticket.with_context(|| format!("there is no stage behind {link}"))?;
        let mut key = [0; 24];
        getrandom::fill(&mut key).context("this machine gives no random numbers")?;
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let with_key = |text: &str| -> anyhow::Result<Url> {
            let mut url = url.join(text).with_context(|| format!("{text} is no address"))?;
            url.query_pairs_mut().append_pair("key", &key).append_pair("name", name);
            Ok(url)
        };
        Ok(Self {
            agent,
            host: ticket.role == "host",
            authorization: format!("Bearer {}", ticket.token),
            whip: with_key(&ticket.whip)?,
            console: with_key(&ticket.console)?,
            title: ticket.title,
        })
    }

    /// Whether the ticket is a host's.
    pub(super) const fn is_host(&self) -> bool {
        self.host
    }

    /// Posts an offer.
    pub(super) fn call(&self) -> Result<(Session, Call), Refused> {
        let (caller, offer) = Caller::offer(Instant::now(), Wish::Send);
        let request = self.agent.post(self.whip.as_str()).header("Content-Type", "application/sdp");
        let answer = request.header("Authorization", &self.authorization).send(offer);
        let mut answer = answer.map_err(|error| Refused::unreachable(&self.whip, error))?;
        if answer.status() != http::StatusCode::CREATED {
            return Err(Refused::of_answer(answer));
        }
        let location = answer.headers().get(http::header::LOCATION).and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| self.whip.join(location).ok());
        let sdp = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let sdp = sdp.map_err(|error| Refused::unreachable(&self.whip, error))?;
        let call = caller.answered(Instant::now(), &sdp);
        let call = call.map_err(|refusal| Refused { status: Some(400), code: String::new(), text: refusal.to_string() })?;
        Ok((Session(location.unwrap_or_else(|| self.whip.clone())), call))
    }

    /// Ends a session.
    pub(super) fn delete(&self, session: &Session) -> Result<(), Refused> {
        let request = self.agent.delete(session.0.as_str()).header("Authorization", &self.authorization);
        // A stage that stalls must not keep the command from ending.
        let request = request.config().timeout_global(Some(Duration::from_secs(2))).build();
        done(request.call().map_err(|error| Refused::unreachable(&session.0, error))?)
    }

    /// Opens the programme.
    pub(super) fn go_live(&self) -> Result<(), Refused> {
        let request = self.agent.post(self.console.as_str()).header("Content-Type", "application/json");
        let answer = request.header("Authorization", &self.authorization).send(r#"{"do":"go-live"}"#);
        done(answer.map_err(|error| Refused::unreachable(&self.console, error))?)
    }

    /// Opens the control stream: endless, and broken when it is silent for `silence`.
    pub(super) fn console(&self, silence: Duration) -> Result<impl std::io::Read + use<>, Refused> {
        let request = self.agent.get(self.console.as_str()).header("Authorization", &self.authorization);
        let request = request.config().timeout_global(None).timeout_recv_response(Some(silence)).timeout_per_read(Some(silence)).build();
        let answer = request.call().map_err(|error| Refused::unreachable(&self.console, error))?;
        if !answer.status().is_success() {
            return Err(Refused::of_answer(answer));
        }
        Ok(answer.into_body().into_reader())
    }
}

fn done(answer: http::Response<Body>) -> Result<(), Refused> {
    if answer.status().is_success() { Ok(()) } else { Err(Refused::of_answer(answer)) }
}

fn agent(ca: Option<&Path>) -> anyhow::Result<Agent> {
    let roots = match ca {
        // The system's own, or those that SSL_CERT_FILE names.
        None => RootCerts::PlatformVerifier,
        Some(file) => {
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
            RootCerts::Specific(Arc::new(certificates))
        }
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("townsquare/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(ANSWER_MAX))
        // A connection that was kept may belong to a stage that was replaced: each request makes its own.
        .max_idle_connections(0)
        .tls_config(TlsConfig::builder().root_certs(roots).build());
    Ok(config.build().new_agent())
}
