//! What the operator decided, resolved once by the supervisor and handed to every role.

mod said;

pub(crate) use said::{DataFlags, Said, checked, text};

use base::Cadence;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The settings of one server, the same in flags, environment and file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// Where pages and APIs are served.
    pub listen: SocketAddr,
    /// Where listeners are served.
    pub relay_listen: SocketAddr,
    /// Where the stage takes media (UDP and TCP) and signalling (TCP).
    pub stage_listen: SocketAddr,
    /// `/healthz`, `/readyz` and `/metrics` of every role.
    pub internal_listen: SocketAddr,
    /// How people reach the square, without a slash at the end.
    pub public_url: String,
    /// How listeners reach the relay, without a slash at the end.
    pub relay_public_url: String,
    /// How speakers reach the stage's signalling, without a slash at the end.
    pub stage_public_url: String,
    /// Whether `stage_public_url` was said and not derived: then its host's addresses alone are announced for media.
    pub stage_public_url_said: bool,
    /// Certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// Relay workers at the start.
    pub relay_workers: usize,
    /// Milliseconds between two sends to a listener, when they are not left to the relay workers.
    pub cadence_millis: Option<u64>,
    /// Whether members and moderators may open events, too.
    pub members_open_events: bool,
    /// Days after which a recording is deleted; for ever without.
    #[serde(default)]
    pub keep_replays_days: Option<u32>,
    /// Ticket keys, when they are not those of the data directory.
    pub keys: Option<PathBuf>,
    /// A relay in a tree has no stage and no square, but upstreams.
    pub copy: Option<Copy>,
}

/// Where a relay in a tree gets what it serves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// The relays it copies from, the one asked first in front; each without a slash at the end.
    pub upstreams: Vec<String>,
    /// The certificates by which an `https` upstream is known, when not the system's, PEM.
    pub ca: Option<PathBuf>,
    /// Bytes of media that it keeps, of all events.
    pub window_bytes: u64,
}

/// Reads `auto`, which is none, or a cadence's milliseconds.
pub(crate) fn parse_cadence(text: &str) -> Result<Option<Cadence>, String> {
    let cadence = text.parse().ok().and_then(Cadence::from_millis);
    if text == "auto" || cadence.is_some() {
        return Ok(cadence);
    }
    let all: Vec<String> = Cadence::ALL.iter().map(Cadence::to_string).collect();
    Err(format!("{text:?} is no cadence; say auto, {} (milliseconds)", all.join(", ")))
}

impl Settings {
    /// The directory of one event.
    pub(crate) fn event_dir(&self, event: base::EventId) -> PathBuf {
        self.data.join("events").join(event.to_string())
    }

    /// The directory of sockets and process files.
    pub(crate) fn run_dir(&self) -> PathBuf {
        self.data.join("run")
    }

    /// The cadence, when it is not left to the relay workers.
    pub(crate) fn cadence(&self) -> Option<Cadence> {
        self.cadence_millis.and_then(Cadence::from_millis)
    }

    /// The file with which an operator changes the cadence while the server runs.
    pub(crate) fn cadence_file(&self) -> PathBuf {
        self.run_dir().join("cadence")
    }

    /// The file of ticket keys.
    pub(crate) fn ticket_keys(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.data.join("keys").join("tickets"))
    }

    /// Whether the roles speak TLS themselves.
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        Some((self.tls_cert.as_deref()?, self.tls_key.as_deref()?))
    }
}
