//! What flags, environment and file say, and what follows from it. A flag beats the environment, which beats the file.

use super::{Settings, parse_cadence};
use crate::command::Usage;
use anyhow::Context;
use base::limit::KEEP_REPLAYS_DAYS_MAX;
use clap::{Args, FromArgMatches};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// What was said; what was not has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Said {
    /// Data directory [default: ./data]
    #[arg(long, env = "TOWNSQUARE_DATA", hide_env = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where pages and APIs are served [default: 127.0.0.1:8080]
    #[arg(long, env = "TOWNSQUARE_LISTEN", hide_env = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where listeners are served [default: 127.0.0.1:8081]
    #[arg(long, env = "TOWNSQUARE_RELAY_LISTEN", hide_env = true, value_name = "ADDR:PORT")]
    relay_listen: Option<SocketAddr>,
    /// Where speakers are served: media over UDP and TCP, and signalling [default: [::]:10000]
    #[arg(long, env = "TOWNSQUARE_STAGE_LISTEN", hide_env = true, value_name = "ADDR:PORT")]
    stage_listen: Option<SocketAddr>,
    /// Where /healthz, /readyz and /metrics are served; not for the public [default: 127.0.0.1:8079]
    #[arg(long, env = "TOWNSQUARE_INTERNAL_LISTEN", hide_env = true, value_name = "ADDR:PORT")]
    internal_listen: Option<SocketAddr>,
    /// How people reach the pages, like https://square.example [default: from --listen]
    #[arg(long, env = "TOWNSQUARE_PUBLIC_URL", hide_env = true, value_name = "URL")]
    public_url: Option<String>,
    /// How listeners reach the sound [default: --public-url's host, --relay-listen's port]
    #[arg(long, env = "TOWNSQUARE_RELAY_PUBLIC_URL", hide_env = true, value_name = "URL")]
    relay_public_url: Option<String>,
    /// How speakers reach the stage [default: --public-url's host, --stage-listen's port]
    #[arg(long, env = "TOWNSQUARE_STAGE_PUBLIC_URL", hide_env = true, value_name = "URL")]
    stage_public_url: Option<String>,
    /// Certificate chain for https, PEM
    #[arg(long, env = "TOWNSQUARE_TLS_CERT", hide_env = true, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "TOWNSQUARE_TLS_KEY", hide_env = true, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [default: square.db in the data directory]
    #[arg(long, env = "TOWNSQUARE_DATABASE", hide_env = true, hide_env_values = true, value_name = "URL")]
    database: Option<String>,
    /// Processes that serve listeners; more start as they fill [default: one a core]
    #[arg(long, env = "TOWNSQUARE_RELAY_WORKERS", hide_env = true, value_name = "N")]
    relay_workers: Option<usize>,
    /// Milliseconds between two sends to a listener: auto, 200, 1000, 2000, 4000, 8000 or 16000 [default: auto]
    #[arg(long, env = "TOWNSQUARE_CADENCE", hide_env = true, value_name = "MILLIS")]
    cadence: Option<String>,
    /// Whether members may open events, or administrators alone: true or false [default: true]
    #[arg(long, env = "TOWNSQUARE_MEMBERS_OPEN_EVENTS", hide_env = true, value_name = "BOOL")]
    members_open_events: Option<bool>,
    /// Days after the end for which recordings are kept [default: for ever]
    #[arg(long, env = "TOWNSQUARE_KEEP_REPLAYS_DAYS", hide_env = true, value_name = "DAYS")]
    keep_replays_days: Option<u32>,
    /// A TOML file that says the same as the flags: listen = "0.0.0.0:80"
    #[arg(long, env = "TOWNSQUARE_CONFIG", hide_env = true, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// The flags of a command that needs the data directory and little else.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataFlags {
    /// Data directory [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The server's configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl DataFlags {
    /// The settings that the server has when it is started in the same environment.
    pub(crate) fn resolve(self) -> anyhow::Result<Settings> {
        let command = Said::augment_args(clap::Command::new("townsquare").no_binary_name(true));
        let matches = command.try_get_matches_from(std::iter::empty::<&str>()).map_err(|error| Usage(first_line(&error.to_string())))?;
        let environment = Said::from_arg_matches(&matches).map_err(|error| Usage(first_line(&error.to_string())))?;
        let flags = Said { data: self.data, config: self.config, ..Said::default() };
        flags.or(environment).resolve()
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

impl Said {
    /// Reads the file if one is named, fills in the defaults and checks everything.
    pub(crate) fn resolve(self) -> anyhow::Result<Settings> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        self.or(file).settled()
    }

    /// What this says, else what `other` says.
    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            relay_listen: self.relay_listen.or(other.relay_listen),
            stage_listen: self.stage_listen.or(other.stage_listen),
            internal_listen: self.internal_listen.or(other.internal_listen),
            public_url: self.public_url.or(other.public_url),
            relay_public_url: self.relay_public_url.or(other.relay_public_url),
            stage_public_url: self.stage_public_url.or(other.stage_public_url),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            database: self.database.or(other.database),
            relay_workers: self.relay_workers.or(other.relay_workers),
            cadence: self.cadence.or(other.cadence),
            members_open_events: self.members_open_events.or(other.members_open_events),
            keep_replays_days: self.keep_replays_days.or(other.keep_replays_days),
            config: self.config.or(other.config),
        }
    }

    fn settled(self) -> anyhow::Result<Settings> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => Err(usage("--tls-cert needs --tls-key, the private key of the certificate"))?,
            (None, Some(_)) => Err(usage("--tls-key needs --tls-cert, the certificate of the key"))?,
            (None, None) | (Some(_), Some(_)) => {}
        }
        for (flag, path) in [("--tls-cert", &self.tls_cert), ("--tls-key", &self.tls_key)] {
            if let Some(path) = path {
                std::fs::File::open(path).with_context(|| format!("{flag} {} can't be read", path.display()))?;
            }
        }
        let data = std::path::absolute(self.data.unwrap_or_else(|| "data".into())).context("--data can't be read")?;
        let listen = self.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let relay_listen = self.relay_listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)));
        let stage_listen = self.stage_listen.unwrap_or(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 10000)));
        let internal_listen = self.internal_listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8079)));
        for (flag, address) in [
            ("--listen", listen),
            ("--relay-listen", relay_listen),
            ("--stage-listen", stage_listen),
            ("--internal-listen", internal_listen),
        ] {
            if address.port() == 0 {
                Err(usage(&format!("{flag} {address} names no port; links need one that stays")))?;
            }
        }
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let public = match self.public_url.as_deref() {
            Some(said) => checked("--public-url", said)?,
            None => Url::parse(&format!("{scheme}://{}:{}", host_of(listen.ip()), listen.port()))?,
        };
        let derived = |port: u16| format!("{scheme}://{}:{port}", public.host_str().unwrap_or("localhost"));
        let relay = checked("--relay-public-url", &self.relay_public_url.unwrap_or_else(|| derived(relay_listen.port())))?;
        let stage_public_url_said = self.stage_public_url.is_some();
        let stage = checked("--stage-public-url", &self.stage_public_url.unwrap_or_else(|| derived(stage_listen.port())))?;
        let relay_workers = match self.relay_workers {
            Some(said) if (1..=base::limit::RELAY_WORKERS_MAX).contains(&said) => said,
            Some(_) => Err(usage(&format!("--relay-workers goes from 1 to {}", base::limit::RELAY_WORKERS_MAX)))?,
            None => std::thread::available_parallelism().map_or(1, usize::from).min(base::limit::RELAY_WORKERS_MAX),
        };
        let cadence = self.cadence.as_deref().map_or(Ok(None), parse_cadence).map_err(|why| usage(&format!("--cadence: {why}")))?;
        if self.keep_replays_days.is_some_and(|days| !(1..=KEEP_REPLAYS_DAYS_MAX).contains(&days)) {
            Err(usage(&format!("--keep-replays-days goes from 1 to {KEEP_REPLAYS_DAYS_MAX}; leave it out to keep them for ever")))?;
        }
        let database = match self.database {
            Some(said) if ["sqlite:", "postgres://", "postgresql://"].iter().any(|start| said.starts_with(start)) => said,
            Some(_) => Err(usage("--database is sqlite:PATH or postgres://USER@HOST/NAME"))?,
            None => format!("sqlite:{}", data.join("square.db").display()),
        };
        Ok(Settings {
            data,
            listen,
            relay_listen,
            stage_listen,
            internal_listen,
            public_url: text(&public),
            relay_public_url: text(&relay),
            stage_public_url: text(&stage),
            stage_public_url_said,
            tls_cert: self.tls_cert.map(std::path::absolute).transpose()?,
            tls_key: self.tls_key.map(std::path::absolute).transpose()?,
            database,
            relay_workers,
            cadence_millis: cadence.map(base::Cadence::millis),
            members_open_events: self.members_open_events.unwrap_or(true),
            keep_replays_days: self.keep_replays_days,
            keys: None,
            copy: None,
        })
    }
}

impl Said {
    /// What a relay in a tree says; the rest it has no use for.
    pub(crate) fn of_relay(
        data: Option<PathBuf>,
        listen: SocketAddr,
        internal: Option<SocketAddr>,
        tls: [Option<PathBuf>; 2],
        cadence: Option<String>,
    ) -> Self {
        let [tls_cert, tls_key] = tls;
        Self { data, relay_listen: Some(listen), internal_listen: internal, tls_cert, tls_key, cadence, ..Self::default() }
    }
}

fn usage(what: &str) -> Usage {
    Usage(what.to_owned())
}

/// The name by which this machine's own browser reaches an address that it serves.
fn host_of(ip: IpAddr) -> String {
    let here = ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    match ip {
        _ if here => "localhost".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// A base address: http or https, a host, no more than that behind it.
pub(crate) fn checked(flag: &str, said: &str) -> Result<Url, Usage> {
    let wrong = |why: &str| usage(&format!("{flag} {said:?} {why}; write it like https://square.example"));
    let url = Url::parse(said).map_err(|error| wrong(&format!("is no address ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if bare { Ok(url) } else { Err(wrong("says more than scheme, host and port")) }
}

pub(crate) fn text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn read(path: &Path) -> anyhow::Result<Said> {
    let text = std::fs::read_to_string(path).with_context(|| format!("--config {} can't be read", path.display()))?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        usage(&format!("{}, line {line}: {}", path.display(), error.message().replace('\n', " "))).into()
    })
}

#[cfg(test)]
mod tests;
