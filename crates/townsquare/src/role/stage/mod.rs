//! The stage role: the threads around the cores `stage`, `ingest`, `audio` and `programme`.
//!
//! ```text
//!  HTTP (tokio) ──requests──▶ control ──orders──▶ network ──ring──▶ mixing ──rings──▶ encoding ──▶ recorder ──▶ files ◀── sync
//!                               ▲                  ▲  │ UDP                              │
//!                               └──── reports ─────┼──┘                                  │
//!                                                  └────────────── packets back ─────────┘
//! ```
//!
//! Control owns the stages and the journals and may wait for the disk; network owns the sessions and the UDP socket; mixing ticks
//! every 20 ms and waits for nobody; encoding has the codecs; the recorder seals and writes, and one thread syncs.

mod action;
mod addresses;
mod agenda;
mod check;
mod connections;
mod console;
mod control;
mod encoding;
mod event;
mod guests;
mod http;
mod metrics;
mod mixing;
mod network;
mod recorder;
mod recording;
mod sync;
mod tickets;
mod tracks;
mod wake;
mod words;

use crate::certificate::{self, Certificate};
use crate::link::{FromSupervisor, Link, RoleName};
use crate::session;
use crate::settings::Settings;
use anyhow::Context as _;
use base::fact::Fact;
use base::limit::STAGE_QUEUE_REQUESTS_MAX;
use metrics::{Metrics, count};
use sha2::{Digest as _, Sha256};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use words::Report;

/// Encoder threads at most: one for each of the other cores, and more gain nothing for forty events.
const ENCODERS_MAX: usize = 4;

/// Orders that wait for an encoder thread; control waits when it is full.
const ENCODER_ORDERS: usize = 256;

/// Threads for HTTP.
const HTTP_THREADS: usize = 2;

/// Plays the role until the supervisor says stop. `sockets` are the UDP and the TCP socket that are open already.
pub(crate) fn run(settings: &Settings, index: u32, sockets: Vec<OwnedFd>) -> anyhow::Result<()> {
    // The supervisor has made it more urgent than the rest.
    session::weigh();
    let [udp, tcp]: [OwnedFd; 2] = sockets.try_into().map_err(|_| anyhow::anyhow!("the stage needs a UDP and a TCP socket"))?;
    let kept = vec![udp.try_clone()?, tcp.try_clone()?];
    let (link, heard) = Link::open(settings, RoleName::Stage, index, kept);
    let beat = link.clone();
    let tell = link.clone();
    let certificate = Certificate::open_or_kept(settings)?;
    let threads = Threads::start(settings, udp.into(), move || beat.beat(), move |fact| tell.tell(fact))?;
    let http = serve_http(settings, certificate.as_ref(), tcp.into(), &threads)?;
    threads.obey(certificate.as_ref(), &link, &heard);
    http.shutdown_background();
    threads.finish();
    Ok(())
}

/// The media threads and the ways to them.
struct Threads {
    metrics: Arc<Metrics>,
    reports: SyncSender<Report>,
    network: network::Network,
    room: connections::Room,
    udp: std::net::SocketAddr,
    mixing: Arc<AtomicBool>,
    encoders: Vec<SyncSender<encoding::ToEncoder>>,
    recorder: SyncSender<recorder::ToRecorder>,
    /// In the order in which they finish.
    control: JoinHandle<()>,
    guests: Arc<guests::Guests>,
    running: Vec<JoinHandle<()>>,
}

impl Threads {
    fn start(
        settings: &Settings,
        udp: UdpSocket,
        beat: impl Fn() + Send + 'static,
        tell: impl Fn(Fact) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::default());
        let (reports, reported) = sync_channel(STAGE_QUEUE_REQUESTS_MAX);
        let (network, to_network) = network::Network::new(Arc::clone(&metrics)).context("an event descriptor")?;
        let (recorder, recorded) = recorder::queue();
        let (orders, ordered) = mixing::orders();
        let sync = Arc::new(sync::Sync::default());
        let local = udp.local_addr()?;
        let media = network::Loop::new(udp, network.clone(), orders, reports.clone())?;
        let mut running = vec![spawn("network", move || media.run(&to_network, beat))?];

        let (mut lines, mut encoders, mut encoder_lines) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..encoder_threads() {
            let (line, pickup) = mixing::line();
            let (orders, ordered) = sync_channel(ENCODER_ORDERS);
            let encoding = encoding::Encoding::new(network.clone(), recorder.clone(), reports.clone(), Arc::clone(&metrics));
            let thread = spawn("encode", move || encoding.run(pickup, &ordered))?;
            lines.push(line(thread.thread().clone()));
            encoder_lines.push(control::EncoderLine { orders: orders.clone(), thread: thread.thread().clone() });
            encoders.push(orders);
            running.push(thread);
        }
        let mixing = Arc::new(AtomicBool::new(false));
        let (mixer, stop) = (mixing::Mixer::new(ordered, lines, Arc::clone(&metrics)), Arc::clone(&mixing));
        running.push(spawn("mix", move || mixer.run(&stop))?);
        let recording = recorder::Recorder::new(Arc::clone(&sync), Arc::clone(&metrics));
        running.push(spawn("record", move || recording.run(&recorded))?);
        let (failed, synced, measured) = (recorder.clone(), reports.clone(), Arc::clone(&metrics));
        running.push(spawn("sync", move || sync.run(&failed, &synced, &measured))?);

        let guests = Arc::new(guests::Guests::default());
        let world = control::World {
            events: settings.data.join("events"),
            memory: memory_dir(&settings.data)?,
            boot: std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
            tell: Box::new(tell),
            port: local.port(),
            guests: Arc::clone(&guests),
        };
        let control = control::Control::new(world, network.clone(), encoder_lines, recorder.clone(), Arc::clone(&metrics));
        let control = spawn("control", move || control.run(&reported))?;
        let room = connections::Room::default();
        Ok(Self { metrics, reports, network, room, udp: local, mixing, encoders, recorder, control, guests, running })
    }

    /// Does what the supervisor says until it says stop.
    fn obey(&self, certificate: Option<&Arc<Certificate>>, link: &Link, heard: &Receiver<FromSupervisor>) {
        loop {
            match heard.recv() {
                Ok(FromSupervisor::Fact(fact)) => {
                    // Facts that stand are said again; one that is lost under load is not missed for long.
                    if self.reports.try_send(Report::Fact(fact)).is_err() {
                        count(&self.metrics.reports_dropped);
                    }
                }
                Ok(FromSupervisor::Ask { id, path }) => {
                    let (status, body) = self.inform(certificate, &path);
                    link.answer(id, status, body);
                }
                Ok(FromSupervisor::Stop) | Err(_) => return,
            }
        }
    }

    fn inform(&self, certificate: Option<&Arc<Certificate>>, path: &str) -> (u16, String) {
        let mixes = self.metrics.ticks.load(Ordering::Relaxed) > 0;
        match path {
            "/metrics" => (200, self.metrics.text() + &self.room.metrics() + &certificate::metrics(certificate)),
            "/healthz" | "/readyz" if mixes && !self.control.is_finished() => (200, "ok\n".to_owned()),
            "/healthz" | "/readyz" => (503, "not mixing\n".to_owned()),
            _ => (404, "not here\n".to_owned()),
        }
    }

    /// Ends from the source on, so that what was spoken is sealed and synced.
    fn finish(self) {
        let _ = self.reports.send(Report::Stop);
        let _ = self.control.join();
        self.network.order(network::ToNetwork::Exit);
        self.mixing.store(true, Ordering::Relaxed);
        for encoder in self.encoders {
            let _ = encoder.send(encoding::ToEncoder::Exit);
        }
        let _ = self.recorder.send(recorder::ToRecorder::Exit);
        for thread in self.running {
            if thread.join().is_err() {
                tracing::error!("a thread of the stage has panicked");
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    // A thread that everything needs and that is no more ends the role: the supervisor has a new one in no time, and the journal
    // and the programme bring everything back.
    let fenced = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            std::process::abort();
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(fenced).with_context(|| format!("starting the thread {name}"))
}

fn encoder_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.saturating_sub(1).clamp(1, ENCODERS_MAX)
}

/// Where sound goes while the disk is full (docs/formats.md, "When the disk is full").
pub(crate) fn memory_dir(data: &Path) -> anyhow::Result<PathBuf> {
    let canonical = data.canonicalize().with_context(|| format!("{} can't be found", data.display()))?;
    let hash = Sha256::digest(canonical.as_os_str().as_encoded_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("townsquare-{}-{hash}", rustix::process::getuid().as_raw());
    Ok(Path::new("/dev/shm").join(name))
}

fn serve_http(
    settings: &Settings,
    certificate: Option<&Arc<Certificate>>,
    tcp: TcpListener,
    threads: &Threads,
) -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(HTTP_THREADS).thread_name("http").enable_all().build()?;
    let desk = http::Desk {
        tickets: tickets::Tickets::new(settings.ticket_keys()),
        candidates: addresses::announced(settings, threads.udp, tcp.local_addr()?)?,
        control: threads.reports.clone(),
        metrics: Arc::clone(&threads.metrics),
        guests: Arc::clone(&threads.guests),
    };
    let router = http::router(Arc::new(desk));
    let tls = certificate.map(|certificate| certificate.acceptor(&[b"http/1.1"]));
    let service = connections::Service { router: router.clone(), tls, network: threads.network.clone(), room: threads.room.clone() };
    tcp.set_nonblocking(true)?;
    let path = settings.run_dir().join("stage.sock");
    let context = runtime.enter();
    // What a stage before this one left.
    let _ = std::fs::remove_file(&path);
    let unix = tokio::net::UnixListener::bind(&path).with_context(|| format!("listening on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let tcp = tokio::net::TcpListener::from_std(tcp)?;
    runtime.spawn(connections::serve_tcp(tcp, service));
    runtime.spawn(connections::serve_unix(unix, router));
    if let Some(certificate) = certificate.cloned() {
        runtime.spawn(certificate::keep_looking(certificate));
    }
    drop(context);
    Ok(runtime)
}

#[cfg(test)]
mod tests;
