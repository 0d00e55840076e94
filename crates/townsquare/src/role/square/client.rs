//! How commands reach the square: over the running server's own socket, or, when none runs, in this process with the
//! data directory locked. Either way the same requests go to the same handlers.

use crate::data::{self, Lock};
use crate::settings::Settings;
use anyhow::{Context as _, bail};
use api::Door;
use axum::Router;
use axum::body::Body;
use base::FaultKind;
use base::limit::BODY_BYTES_MAX;
use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tower::ServiceExt as _;

/// Where the square's own API stands.
const ROOT: &str = "/api/townsquare/v1";

/// Bytes of an answer: a list of events with all their links.
const ANSWER_BYTES_MAX: usize = 64 * BODY_BYTES_MAX;

/// How long a server may take to open its socket, when it is just starting.
const STARTING: Duration = Duration::from_secs(5);

/// How long a command waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The square, wherever it is.
pub(crate) enum Square {
    /// In a running server.
    Running(UnixStream),
    /// In this process, which alone works in the data directory.
    Here(Box<Router>, Lock),
}

/// Whether a command makes sense while no server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// It writes rows, and makes the data directory where there is none.
    Data,
    /// It reads or changes rows that are there.
    Rows,
    /// It speaks to a role.
    Server,
}

/// One request of a command, and the JSON that came back.
pub(crate) fn ask(settings: &Settings, needs: Needs, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let square = find(settings, needs).await.map_err(|error| {
            if data::fault(&error) == FaultKind::DiskFull { anyhow::anyhow!(FaultKind::DiskFull.text()) } else { error }
        })?;
        let answer = tokio::time::timeout(PATIENCE, square.send(method, path, body)).await;
        answer.context("the server does not answer")?
    })
}

async fn find(settings: &Settings, needs: Needs) -> anyhow::Result<Square> {
    let socket = settings.run_dir().join("square.sock");
    if let Ok(stream) = UnixStream::connect(&socket).await {
        return Ok(Square::Running(stream));
    }
    if !settings.data.join("version").exists() {
        match needs {
            Needs::Server => return no_server(settings),
            Needs::Rows => bail!("{} is no data directory; say where it is with --data", settings.data.display()),
            Needs::Data => {}
        }
    }
    data::prepare(&settings.data)?;
    let since = Instant::now();
    loop {
        if let Some(lock) = data::lock_exclusive(&settings.data)? {
            if needs == Needs::Server {
                return no_server(settings);
            }
            let (app, _) = super::open(settings).await?;
            return Ok(Square::Here(Box::new(api::router(app, Door::Operator)), lock));
        }
        // Somebody holds the directory: a server that is starting, or another command that will be done soon.
        if let Ok(stream) = UnixStream::connect(&socket).await {
            return Ok(Square::Running(stream));
        }
        if since.elapsed() > STARTING {
            bail!("the server of {} does not answer; look at its log", settings.data.display());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says that a command needs a running server.
pub(crate) fn no_server<T>(settings: &Settings) -> anyhow::Result<T> {
    bail!("no server runs in {}; start one with: townsquare serve --data {}", settings.data.display(), settings.data.display())
}

impl Square {
    async fn send(self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{ROOT}{path}"))
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.map(Value::to_string).unwrap_or_default()))?;
        let (status, bytes) = match self {
            Self::Running(stream) => {
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let answer = sender.send_request(request).await.context("the server went away")?;
                (answer.status(), collect(Body::new(answer.into_body())).await?)
            }
            Self::Here(router, _lock) => {
                let answer = router.oneshot(request).await?;
                (answer.status(), collect(answer.into_body()).await?)
            }
        };
        read(status, &bytes)
    }
}

async fn collect(body: Body) -> anyhow::Result<Vec<u8>> {
    let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| anyhow::anyhow!(error))?;
    Ok(collected.to_bytes().to_vec())
}

/// The answer's JSON; a problem becomes an error in its own words.
fn read(status: StatusCode, bytes: &[u8]) -> anyhow::Result<Value> {
    if status == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    let value: Value = serde_json::from_slice(bytes).with_context(|| format!("the server answered {status} without JSON"))?;
    if status.is_success() {
        return Ok(value);
    }
    let text = |key: &str, otherwise: &str| value[key].as_str().unwrap_or(otherwise).to_owned();
    Err(Refused { code: text("code", ""), text: text("detail", "the server refused without a reason") }.into())
}

/// A problem that the square answered with, in its own words.
#[derive(Debug)]
pub(crate) struct Refused {
    code: String,
    text: String,
}

impl Refused {
    /// Whether this is what the square refused.
    pub(crate) fn is(&self, kind: FaultKind) -> bool {
        self.code == kind.code()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}
