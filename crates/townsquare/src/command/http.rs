//! HTTP as `listen`, `speak` and the copier need it: links, the certificates that are trusted, answers in JSON, and refusals.

use super::Usage;
use anyhow::{Context as _, bail};
use base::FaultKind;
use base::limit::BODY_BYTES_MAX;
use serde::de::DeserializeOwned;
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::ConfigBuilder;
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::{Agent, Body, http};
use url::Url;

/// An answer's body that is worth reading when it is no sound.
pub(super) const ANSWER_BYTES_MAX: u64 = BODY_BYTES_MAX as u64;

/// A server that answers at all begins to within this.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Bytes of a file of certificates.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;

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
pub(crate) struct Refused {
    /// The HTTP status; none when nobody answered.
    status: Option<u16>,
    code: String,
    text: String,
}

impl Refused {
    /// A refusal of our own, as if by a server: to ask again is useless.
    pub(crate) fn by_us(text: impl Into<String>) -> Self {
        Self { status: Some(400), code: String::new(), text: text.into() }
    }

    pub(crate) fn unreachable(url: &Url, cause: impl fmt::Display) -> Self {
        let place = url.host_str().map(|host| url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")));
        Self { status: None, code: String::new(), text: format!("{} can't be reached: {cause}", place.unwrap_or_default()) }
    }

    pub(super) fn of_answer(mut answer: http::Response<Body>) -> Self {
        let status = answer.status();
        let problem: Problem = json(&mut answer).unwrap_or_default();
        let text = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
        Self { status: Some(status.as_u16()), code: problem.code, text: text.unwrap_or_else(|| format!("the server answered {status}")) }
    }

    /// Whether this is what the server refused.
    pub(crate) fn is(&self, kind: FaultKind) -> bool {
        self.code == kind.code()
    }

    /// Whether to ask again is useless: the server understood and said no.
    pub(super) fn is_final(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && status != FaultKind::TooManyRequests.status())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}

/// Reads a link as it was typed; `what` it should be is named when it is none.
pub(super) fn link(text: &str, what: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| Usage(format!("{text} is no {what}: it begins with http:// or https://")).into())
}

/// The answer if it is a good one.
pub(crate) fn good(answer: http::Response<Body>) -> Result<http::Response<Body>, Refused> {
    if answer.status().is_success() { Ok(answer) } else { Err(Refused::of_answer(answer)) }
}

/// The JSON in an answer; `None` when it is of another form or too long.
pub(super) fn json<T: DeserializeOwned>(answer: &mut http::Response<Body>) -> Option<T> {
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().ok()?;
    serde_json::from_slice(&text).ok()
}

/// The settings of an agent that trusts these certificates, or the system's; its timeouts are the caller's.
pub(crate) fn agent(ca: Option<&Path>) -> anyhow::Result<ConfigBuilder<AgentScope>> {
    let roots = match ca {
        // The system's own, or those that SSL_CERT_FILE names.
        None => RootCerts::PlatformVerifier,
        Some(file) => RootCerts::Specific(Arc::new(certificates(file)?)),
    };
    Ok(Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("townsquare/", env!("CARGO_PKG_VERSION")))
        // A connection that was kept may belong to a role that was replaced: each request makes its own.
        .max_idle_connections(0)
        .tls_config(TlsConfig::builder().root_certs(roots).build()))
}

fn certificates(file: &Path) -> anyhow::Result<Vec<ureq::tls::Certificate<'static>>> {
    let mut pem = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(CERTIFICATES_BYTES_MAX).read_to_end(&mut pem));
    read.with_context(|| format!("{} can't be read", file.display()))?;
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
