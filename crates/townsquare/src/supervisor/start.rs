//! From a command line to a running house: directory, locks, sockets, survivors, roles, and what a person reads.

use super::internal::Asker;
use super::process::{Reserved, survivors};
use super::roster::{Input, RoleId};
use super::{Event, Supervisor, door, internal, sockets, watch_relays};
use crate::certificate::{self, Certificate};
use crate::data;
use crate::link::RoleName;
use crate::settings::Settings;
use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustix::process::Resource;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// Events that wait for the loop; who has more to say waits.
const EVENTS_MAX: usize = 1_024;

/// Serves until it is told to stop.
pub(crate) fn serve(mut settings: Settings, log: &crate::log::Flags) -> anyhow::Result<()> {
    let _reserved = Reserved::take()?;
    allow_descriptors();
    data::prepare(&settings.data)?;
    data::dedicate(&settings.data, settings.copy.is_some())?;
    settings.data = settings.data.canonicalize().with_context(|| format!("can't find {}", settings.data.display()))?;
    let run = settings.run_dir();
    let _alone = data::lock_supervisor(&run)?
        .with_context(|| format!("another townsquare serves {} already; stop it or choose another --data", settings.data.display()))?;
    let _shared = data::lock_shared(&settings.data)?;
    warn_of_mixed_schemes(&settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start")?;
    runtime.block_on(house(settings, log.environment().into()))?;
    for entry in std::fs::read_dir(&run).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
    Ok(())
}

/// Each listener is a descriptor: the roles inherit as many as the system allows this user.
fn allow_descriptors() {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files can't be raised: {error}");
    }
}

fn warn_of_mixed_schemes(settings: &Settings) {
    if settings.public_url.starts_with("https:") {
        for (flag, url) in [("--relay-public-url", &settings.relay_public_url), ("--stage-public-url", &settings.stage_public_url)] {
            if url.starts_with("http:") {
                tracing::warn!("an https page can't use {url}: say --tls-cert and --tls-key, or {flag} as https");
            }
        }
    }
}

async fn house(settings: Settings, log: Vec<(&'static str, String)>) -> anyhow::Result<()> {
    let found = survivors(&settings)?;
    let adopted = !found.is_empty();
    if !adopted {
        // Said before anything runs; once sound goes on, neither is a reason to stop it.
        if settings.copy.is_none() || settings.keys.is_some() {
            data::read_keys(&settings.ticket_keys())?;
        }
        if settings.copy.is_none() {
            crate::role::square::check(&settings).await.context("the database can't be opened (--database)")?;
        }
    }
    let certificate = match if adopted { Certificate::open_or_kept(&settings) } else { Certificate::open(&settings) } {
        // The roles serve one that could be used when they began.
        Err(error) if adopted => {
            tracing::error!("a role that dies now can't come back: {error:#}");
            None
        }
        other => other?,
    };
    let mut held = BTreeMap::new();
    for role in wanted(&settings).map(|id| id.role).collect::<BTreeSet<_>>() {
        if found.iter().all(|(id, _)| id.role != role) {
            held.insert(role, sockets::bind(&settings, role)?);
        }
    }
    let internal = tokio::net::TcpListener::from_std(sockets::bind_internal(&settings)?)?;
    let path = settings.run_dir().join("supervisor.sock");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| format!("can't listen on {}", path.display()))?;

    let (events, heard) = mpsc::channel(EVENTS_MAX);
    let (complete, is_complete) = watch::channel(false);
    let asker = Asker { events: events.clone() };
    listen_to_signals(&events)?;
    tokio::spawn(door::open(listener, events.clone()));
    tokio::spawn(internal::serve(internal, asker.clone()));
    tokio::spawn(watch_relays(asker));
    if let Some(certificate) = certificate {
        tokio::spawn(certificate::oversee(certificate, settings.clone()));
    }
    tokio::spawn(announce(settings.clone(), adopted, is_complete));

    let mut supervisor = Supervisor {
        events,
        complete,
        log,
        sockets: held,
        roster: super::Roster::default(),
        processes: BTreeMap::new(),
        peers: BTreeMap::new(),
        asks: BTreeMap::new(),
        ask_next: 0,
        told_full: false,
        stopping_since: None,
        settings,
    };
    for (id, process) in found {
        tracing::info!(role = %id, pid = process.pid.as_raw_nonzero(), "outlived the last supervisor; adopted");
        supervisor.watch(id, process);
        supervisor.handle(Input::Wanted(id));
    }
    for id in wanted(&supervisor.settings).collect::<Vec<_>>() {
        supervisor.handle(Input::Wanted(id));
    }
    supervisor.run(heard).await;
    Ok(())
}

/// The roles of one machine.
fn wanted(settings: &Settings) -> impl Iterator<Item = RoleId> {
    let alone: &[RoleName] = if settings.copy.is_some() { &[RoleName::Copy] } else { &[RoleName::Stage, RoleName::Square] };
    let relays = (0u32..).take(settings.relay_workers).map(|index| RoleId { role: RoleName::Relay, index });
    alone.iter().map(|&role| RoleId { role, index: 0 }).chain(relays)
}

fn listen_to_signals(events: &mpsc::Sender<Event>) -> anyhow::Result<()> {
    let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
    // The terminal goes away; under nohup there is none.
    if std::io::stdin().is_terminal() {
        kinds.push(SignalKind::hangup());
    }
    for kind in kinds {
        let mut signals = signal(kind).context("can't listen to signals")?;
        let events = events.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = events.send(Event::Stop).await;
            }
        });
    }
    Ok(())
}

/// Once every role works: tells the system, and the person who started this where to go.
async fn announce(settings: Settings, adopted: bool, mut complete: watch::Receiver<bool>) {
    if complete.wait_for(|complete| *complete).await.is_err() {
        return;
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    if adopted {
        return;
    }
    let text = match &settings.copy {
        Some(copy) => format!("\n  Copies from {}, serves at {}\n", copy.upstreams.join(", "), settings.relay_public_url),
        None => welcome(&settings).await,
    };
    let stop = if std::io::stdin().is_terminal() { "Ctrl-C".to_owned() } else { format!("kill {}", std::process::id()) };
    let text = format!("{text}\n  Stop with {stop}.\n\n");
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Where the square is, and how one becomes its first administrator.
async fn welcome(settings: &Settings) -> String {
    let link = match tokio::time::timeout(Duration::from_secs(10), first_link(&settings.run_dir().join("square.sock"))).await {
        Ok(Ok(link)) => link,
        Ok(Err(error)) => {
            tracing::warn!("the square did not say whether it has an administrator: {error:#}");
            None
        }
        Err(_) => {
            tracing::warn!("the square did not say in time whether it has an administrator");
            None
        }
    };
    let mut text = format!("\n  The square is open:  {}\n", settings.public_url);
    if let Some(link) = link {
        text.push_str(&format!("\n  Open this once to become its first administrator:\n  {link}\n"));
    }
    text
}

/// The one-time link of the first administrator, while there is no account.
async fn first_link(socket: &Path) -> anyhow::Result<Option<String>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post("/api/townsquare/v1/operator/first-link")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(b"{}")))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    anyhow::ensure!(status.is_success(), "it answered {status}");
    let said: serde_json::Value = if body.is_empty() { serde_json::Value::Null } else { serde_json::from_slice(&body)? };
    Ok(said.get("link").and_then(serde_json::Value::as_str).map(str::to_owned))
}
