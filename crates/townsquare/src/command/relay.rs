//! `townsquare relay`: a relay on another machine, which copies what it serves from the relay beside the stage, or from one like itself.

use crate::command::Usage;
use crate::settings::{self, Copy, Said};
use anyhow::Context as _;
use base::limit::{RELAY_WORKERS_MAX, UPSTREAMS_MAX, WINDOW_BYTES_MIN};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Media kept when nothing is said: five days of one event at 64 kbit/s.
const WINDOW_BYTES: u64 = 4 << 30;

/// Serve the events of other relays on this machine, copied as somebody asks for them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Relays to copy from, the one to ask first in front, like https://relay.example
    #[arg(long, env = "TOWNSQUARE_UPSTREAM", hide_env = true, value_name = "URL[,URL…]", required = true, value_delimiter = ',')]
    upstream: Vec<String>,
    /// Where listeners are served
    #[arg(long, env = "TOWNSQUARE_RELAY_LISTEN", hide_env = true, value_name = "ADDR:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))]
    listen: SocketAddr,
    /// Where /healthz, /readyz and /metrics are served; not for the public [default: 127.0.0.1:8079]
    #[arg(long, env = "TOWNSQUARE_INTERNAL_LISTEN", hide_env = true, value_name = "ADDR:PORT")]
    internal_listen: Option<SocketAddr>,
    /// Directory of the copies; not one of townsquare serve [default: ./data]
    #[arg(long, env = "TOWNSQUARE_DATA", hide_env = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Bytes of sound kept, of all events; what is older is fetched again when somebody asks
    #[arg(long, env = "TOWNSQUARE_WINDOW", hide_env = true, value_name = "BYTES", default_value_t = WINDOW_BYTES)]
    window: u64,
    /// The server's ticket keys (its DIR/keys/tickets): for private events, and so that listeners here are counted there
    #[arg(long, env = "TOWNSQUARE_KEYS", hide_env = true, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Certificates by which https upstreams are known, PEM [default: the system's]
    #[arg(long, env = "TOWNSQUARE_UPSTREAM_CA", hide_env = true, value_name = "FILE")]
    upstream_ca: Option<PathBuf>,
    /// Certificate chain for https, PEM
    #[arg(long, env = "TOWNSQUARE_TLS_CERT", hide_env = true, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "TOWNSQUARE_TLS_KEY", hide_env = true, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Processes that serve listeners; more start as they fill [default: one a core]
    #[arg(long, env = "TOWNSQUARE_RELAY_WORKERS", hide_env = true, value_name = "N")]
    relay_workers: Option<usize>,
    /// Milliseconds between two sends to a listener: auto, 200, 1000, 2000, 4000, 8000 or 16000 [default: auto]
    #[arg(long, env = "TOWNSQUARE_CADENCE", hide_env = true, value_name = "MILLIS")]
    cadence: Option<String>,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, log: &crate::log::Flags) -> anyhow::Result<()> {
    if args.upstream.len() > UPSTREAMS_MAX {
        Err(Usage(format!("--upstream names at most {UPSTREAMS_MAX} relays")))?;
    }
    if args.window < WINDOW_BYTES_MIN {
        Err(Usage(format!("--window is at least {WINDOW_BYTES_MIN} bytes")))?;
    }
    if args.relay_workers.is_some_and(|said| !(1..=RELAY_WORKERS_MAX).contains(&said)) {
        Err(Usage(format!("--relay-workers goes from 1 to {RELAY_WORKERS_MAX}")))?;
    }
    for (flag, path) in [("--keys", &args.keys), ("--upstream-ca", &args.upstream_ca)] {
        if let Some(path) = path {
            std::fs::File::open(path).with_context(|| format!("{flag} {} can't be read", path.display()))?;
        }
    }
    let upstreams = args.upstream.iter().map(|said| settings::checked("--upstream", said).map(|url| settings::text(&url)));
    let upstreams = upstreams.collect::<Result<Vec<_>, _>>()?;
    let mut settings =
        Said::of_relay(args.data, args.listen, args.internal_listen, [args.tls_cert, args.tls_key], args.cadence).resolve()?;
    settings.relay_workers = args.relay_workers.unwrap_or(settings.relay_workers);
    settings.keys = args.keys.map(std::path::absolute).transpose()?;
    let ca = args.upstream_ca.map(std::path::absolute).transpose()?;
    settings.copy = Some(Copy { upstreams, ca, window_bytes: args.window });
    crate::supervisor::serve(settings, log)
}
