//! A town square of one's own with somebody speaking in it.

use crate::crowd;
use crate::patience;
use crate::process::Running;
use crate::support::event::Event;
use crate::support::{Server, host, scratch, townsquare};
use anyhow::{Context as _, ensure};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What is spoken, by Debian's espeak-ng: the first sentences of the declaration of 1948, in the words of the United Nations.
const WORDS: &str = "Whereas recognition of the inherent dignity and of the equal and inalienable rights of all members of the human \
    family is the foundation of freedom, justice and peace in the world, whereas disregard and contempt for human rights have \
    resulted in barbarous acts which have outraged the conscience of mankind, and the advent of a world in which human beings \
    shall enjoy freedom of speech and belief and freedom from fear and want has been proclaimed as the highest aspiration of the \
    common people, whereas it is essential, if man is not to be compelled to have recourse, as a last resort, to rebellion \
    against tyranny and oppression, that human rights should be protected by the rule of law.";

/// Speech in a file.
pub(crate) struct Speech {
    directory: PathBuf,
    pub(crate) file: PathBuf,
}

impl Speech {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let directory = scratch();
        let file = directory.join("speech.wav");
        let status = Command::new("espeak-ng").arg("-w").arg(&file).arg(WORDS).status().context("espeak-ng can't be started")?;
        ensure!(status.success(), "espeak-ng: {status}");
        Ok(Self { directory, file })
    }
}

impl Drop for Speech {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A server with a live event; all of it goes with the value.
pub(crate) struct Town {
    _speaker: Option<Running>,
    pub(crate) event: Event,
    trust: Option<String>,
    pub(crate) server: Server,
    certificates: Option<PathBuf>,
}

impl Town {
    /// Starts a server with these flags, and TLS when it is wanted; somebody speaks what is in a file, over and over.
    pub(crate) fn start(flags: &[&str], tls: bool, speech: Option<&Path>) -> anyhow::Result<Self> {
        let certificates = tls.then(scratch);
        let names = certificates.as_ref().map(|at| ["cert.pem", "key.pem"].map(|name| at.join(name).display().to_string()));
        let mut words = flags.to_vec();
        if let Some([cert, key]) = &names {
            words.extend(["--tls-cert", cert, "--tls-key", key]);
        }
        let mut server = Server::prepared(&words);
        let mut trust = None;
        if let Some([cert, key]) = &names {
            let host = server.relay_url().trim_start_matches("http://").split(':').next().unwrap_or_default().to_owned();
            let made = rcgen::generate_simple_self_signed([host])?;
            fs::write(cert, made.cert.pem())?;
            fs::write(key, made.signing_key.serialize_pem())?;
            trust = Some(made.cert.pem());
        }
        server.start_supervisor();
        server.wait_ready();
        let event = server.create_event("Measured");
        let speaker = speech.map(|file| speaks(&event, file, names.as_ref().map(|[cert, _]| cert.as_str()))).transpose()?;
        let town = Self { _speaker: speaker, event, trust, server, certificates };
        if speech.is_some() {
            town.wait_live()?;
        }
        Ok(town)
    }

    /// Waits until the programme has a few seconds: a burst then has all that it is meant to have.
    pub(crate) fn wait_live(&self) -> anyhow::Result<()> {
        let long = || fs::metadata(self.programme()).ok().filter(|file| file.len() > 60_000);
        patience::until("the programme grows", Duration::from_secs(30), long).map(drop)
    }

    /// The recording, which grows while it is live.
    pub(crate) fn programme(&self) -> PathBuf {
        self.server.data().join("events").join(&self.event.id).join("64.mp4")
    }

    /// Where listeners connect.
    pub(crate) fn relay(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.server.relay_url().trim_start_matches("http://").parse()?)
    }

    /// The relay workers' processes.
    pub(crate) fn relays(&self) -> Vec<u32> {
        let files = fs::read_dir(self.server.data().join("run")).into_iter().flatten().flatten();
        let relays = files.filter(|file| file.file_name().to_string_lossy().starts_with("relay-"));
        relays.filter_map(|file| fs::read_to_string(file.path()).ok()?.trim().parse().ok()).collect()
    }

    /// A crowd for the event's stream on a rung.
    pub(crate) fn crowd(&self, rung: &str, listeners: usize, joins_per_second: f64) -> anyhow::Result<crowd::Wish> {
        let server = self.relay()?;
        Ok(crowd::Wish {
            server,
            host: server.to_string(),
            target: format!("/live/{}.mp4?rung={rung}", self.event.id),
            trust: self.trust.clone(),
            raw: false,
            listeners,
            joins_per_second,
        })
    }

    /// A figure of the metrics as each relay worker says it.
    pub(crate) fn metric(&self, name: &str) -> Vec<f64> {
        let text = self.server.internal("/metrics").map_or_else(String::new, |(_, text)| text);
        let rows = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        rows.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if let Some(directory) = &self.certificates {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

fn speaks(event: &Event, file: &Path, ca: Option<&str>) -> anyhow::Result<Running> {
    let mut command = townsquare();
    command.args(["speak", &event.stage, "--loop"]).arg(file);
    if let Some(ca) = ca {
        command.args(["--ca", ca]);
    }
    Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// An address of the loopback network that nobody else uses.
pub(crate) fn free_address() -> SocketAddr {
    crate::support::address(host())
}
