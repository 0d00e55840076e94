//! The relay role: the clock, the link and the keys around one [`relay::Worker`].

use crate::certificate::{self, Certificate};
use crate::link::{FromSupervisor, Link, RoleName};
use crate::role::stage;
use crate::settings::{Settings, parse_cadence};
use anyhow::Context;
use base::fact::Fact;
use base::{Cadence, UnixMillis};
use relay::{Config, Tls, Want, Worker};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

/// The longest wait of the loop: it beats more often than the supervisor looks.
const WAIT: Duration = Duration::from_millis(100);

/// How often listeners are counted, and how often the other roles are told at most when their number changes.
const COUNT: Duration = Duration::from_millis(200);
const TELL: Duration = Duration::from_secs(1);

/// How often keys and cadence are looked at.
const READ: Duration = Duration::from_secs(1);

/// Plays the role until the supervisor says stop.
pub(crate) fn run(settings: &Settings, index: u32, sockets: Vec<OwnedFd>) -> anyhow::Result<()> {
    let certificate = Certificate::open_or_kept(settings)?;
    let mut keys = KeyFile::new(settings.ticket_keys());
    let mut knob = Knob { file: Watched::new(settings.cadence_file()), setting: settings.cadence() };
    let config = Config {
        events: settings.data.join("events"),
        spill: stage::memory_dir(&settings.data)?,
        keys: keys.read(),
        tls: certificate.as_ref().map(|certificate| Tls::new(Arc::clone(certificate) as _)).transpose()?,
        copies: settings.copy.is_some(),
        descriptors: None,
        cadence: knob.read(),
    };
    let listeners =
        sockets.iter().map(OwnedFd::try_clone).collect::<Result<Vec<_>, _>>().context("the listening socket can't be shared")?;
    let (link, orders) = Link::open(settings, RoleName::Relay, index, sockets);
    let mut worker = Worker::new(config, listeners, Instant::now(), wall()).context("the relay can't start its loop")?;
    let mut looked = Instant::now();
    let (mut tells, mut reads) = (looked, looked);
    loop {
        worker.wait(WAIT).context("the relay's loop can't wait")?;
        let now = Instant::now();
        worker.turn(now, wall()).context("the relay's loop can't go on")?;
        link.beat();
        for want in worker.wants(now) {
            link.tell(match want {
                Want::Event(event) => Fact::Wanted { event },
                Want::Block(event, rung, block) => Fact::Missing { event, rung, block },
            });
        }
        if now >= tells {
            let news = worker.listening(now);
            tells = now + if news.is_empty() { COUNT } else { TELL };
            for (event, by_rung) in news {
                link.tell(Fact::Listening { event, by_rung });
            }
        }
        if now >= reads {
            reads = now + READ;
            if keys.has_changed() {
                worker.set_keys(keys.read());
            }
            if knob.file.has_changed() {
                worker.set_cadence(knob.read());
            }
        }
        if let Some(certificate) = certificate.as_ref().filter(|_| now.duration_since(looked) >= certificate::LOOK) {
            looked = now;
            // The supervisor sees the same, and says it.
            let _ = certificate.look();
        }
        if !obey(&mut worker, certificate.as_ref(), &link, &orders) {
            return Ok(());
        }
        worker.took(now.elapsed());
    }
}

/// Answers what the supervisor asks; `false` when it says stop. Listeners' connections end with the process: they come again
/// at the fragment where they were.
fn obey(worker: &mut Worker, certificate: Option<&Arc<Certificate>>, link: &Link, orders: &Receiver<FromSupervisor>) -> bool {
    loop {
        match orders.try_recv() {
            Ok(FromSupervisor::Ask { id, path }) => match path.as_str() {
                "/metrics" => link.answer(id, 200, worker.metrics() + &certificate::metrics(certificate)),
                // A full worker is well: it serves those it has.
                "/healthz" | "/readyz" => link.answer(id, 200, "ok\n".to_owned()),
                _ => link.answer(id, 404, "unknown\n".to_owned()),
            },
            Ok(FromSupervisor::Fact(Fact::Copied { event, known })) => worker.hear(event, known),
            // The files say all else that a relay needs to know.
            Ok(FromSupervisor::Fact(_)) => {}
            Ok(FromSupervisor::Stop) => return false,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return true,
        }
    }
}

pub(crate) fn wall() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A small file that is read again when it is replaced.
struct Watched {
    path: PathBuf,
    modified: Option<SystemTime>,
}

impl Watched {
    const fn new(path: PathBuf) -> Self {
        Self { path, modified: None }
    }

    fn modified(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.path).ok()?.modified().ok()
    }

    fn has_changed(&self) -> bool {
        self.modified() != self.modified
    }

    /// Its text; none when it can't be read.
    fn read(&mut self) -> Option<String> {
        self.modified = self.modified();
        std::fs::read_to_string(&self.path).ok()
    }
}

/// The file of ticket keys.
pub(crate) struct KeyFile {
    file: Watched,
}

impl KeyFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { file: Watched::new(path) }
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.file.has_changed()
    }

    /// The keys; none when the file can't be read, and then nobody hears a private event.
    pub(crate) fn read(&mut self) -> Option<gate::Keys> {
        let text = self.file.read()?;
        gate::Keys::parse(&text)
            .inspect_err(|error| tracing::error!(path = %self.file.path.display(), %error, "the ticket keys can't be used"))
            .ok()
    }
}

/// How often listeners are sent to: what `townsquare cadence` said last, else the setting.
struct Knob {
    file: Watched,
    setting: Option<Cadence>,
}

impl Knob {
    fn read(&mut self) -> Option<Cadence> {
        let Some(text) = self.file.read() else { return self.setting };
        parse_cadence(text.trim()).unwrap_or_else(|error| {
            tracing::error!(path = %self.file.path.display(), "{error}");
            self.setting
        })
    }
}
