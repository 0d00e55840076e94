//! `townsquare rehearse`: a crowd that listens to an event before the audience does, and says what the server holds.
//!
//! This process conducts. The crowd's processes (`townsquare rehearse-part`, on this machine, and on others behind `--join`) get their
//! order as one line of JSON on their input, tell what they counted once a second on their output, and leave when they are told to.

pub(crate) mod attended;
mod conduct;
mod door;
mod join;
pub(super) mod part;
mod parts;
mod screen;
mod server;

use super::http::{self, link};
use anyhow::{Context as _, bail};
use base::Rung;
use rehearsal::plan::{self, Mix, Order};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use url::Url;

/// Where Debian keeps the certificates that it trusts; `SSL_CERT_FILE` names another place.
const SYSTEM_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Rehearse an event: listen to it with a crowd and see what the server holds
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The event's stream, or its page
    #[arg(required_unless_present = "join")]
    url: Option<String>,
    /// How many listen
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    listeners: u32,
    /// How many come each second [default: a twentieth of all, 100 at least]
    #[arg(long, value_name = "J", value_parser = positive)]
    joins_per_second: Option<f64>,
    /// Seconds that all listen once the last has come
    #[arg(long, value_name = "S", default_value = "30", value_parser = positive)]
    seconds: f64,
    /// How they listen
    #[arg(long, value_enum, default_value_t = Profile::Stream)]
    mix: Profile,
    /// How many leave each minute and come back where they were
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    churn: f64,
    /// How many read one small chunk a second
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    slow: f64,
    /// Leave all at once at the end
    #[arg(long)]
    exit_surge: bool,
    /// Milliseconds of sound that a player keeps ahead besides the cadence: a longer silence is a stall
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    buffer: u32,
    /// End with one line of JSON on standard output
    #[arg(long)]
    json: bool,
    /// Write a page with plots
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// The server's data directory, to see what its relay takes [default: whoever listens at the address on this machine]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The event's host ticket (the end of the host's link): a server outside this network asks for it
    #[arg(long, value_name = "TICKET")]
    token: Option<String>,
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Connect from this address of this machine; more than one of them are taken in turn
    #[arg(long, value_name = "ADDRESS")]
    source: Vec<IpAddr>,
    /// The line to the listeners in Gbit/s, for the forecast
    #[arg(long, value_name = "GBIT", default_value = "1", value_parser = positive)]
    line: f64,
    /// What a gigabyte costs, for the forecast
    #[arg(long, value_name = "PRICE", default_value = "0.02", value_parser = positive)]
    price_per_gb: f64,
    /// Wait for so many other machines (townsquare rehearse --join) and share the crowd with them
    #[arg(long, value_name = "N", default_value_t = 0, requires = "conduct")]
    helpers: usize,
    /// Where other machines join
    #[arg(long, value_name = "ADDRESS:PORT")]
    conduct: Option<SocketAddr>,
    /// Help the rehearsal that is conducted at this address
    #[arg(long, value_name = "COORDINATOR", conflicts_with_all = ["url", "conduct"])]
    join: Option<String>,
    /// Take any bytes for sound: for servers of another kind
    #[arg(long, hide = true)]
    raw: bool,
    /// Tell in lines of JSON how it goes, to the square that started it
    #[arg(skip)]
    attended: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Profile {
    /// The endless stream
    Stream,
    /// LL-HLS players
    Hls,
    /// Four fifths the stream, one fifth LL-HLS
    Mixed,
}

impl From<Profile> for Mix {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Stream => Self::Stream,
            Profile::Hls => Self::Hls,
            Profile::Mixed => Self::Mixed,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite()).ok_or_else(|| "say a number above 0".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| (0.0..=100.0).contains(value)).ok_or_else(|| "say a number from 0 to 100".to_owned())
}

/// Does what was typed.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if let Some(coordinator) = &args.join {
        return join::run(coordinator);
    }
    let url = args.url.as_deref().unwrap_or_default();
    let stream = if args.raw { link(url, "stream")? } else { door::stream(link(url, "stream and no event's page")?, args.ca.as_deref())? };
    let order = order(&args, &stream)?;
    door::may_rehearse(order.server.ip(), &stream, args.token.as_deref(), args.ca.as_deref())?;
    if !args.raw {
        door::sounds(&stream, args.ca.as_deref())?;
    }
    let rung = stream.query_pairs().find(|(key, _)| key == "rung").and_then(|(_, name)| Rung::parse(&name)).unwrap_or(Rung::R64);
    let outcome = conduct::run(&args, order, rung)?;
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    {
        if args.json {
            println!("{}", serde_json::to_string(&outcome.summary)?);
        } else {
            println!("{}", outcome.text());
        }
    }
    if let Some(path) = &args.report {
        std::fs::write(path, outcome.page(stream.as_str(), args.price_per_gb))
            .with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

fn order(args: &Args, stream: &Url) -> anyhow::Result<Order> {
    let host = stream.host_str().context("the link names no server")?;
    let port = stream.port_or_known_default().context("the link names no port")?;
    let host = stream.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let name = host.rsplit_once(':').filter(|_| stream.port().is_some()).map_or(host.as_str(), |(name, _)| name);
    let found = (name.trim_matches(['[', ']']), port).to_socket_addrs().with_context(|| format!("{name} is not known"))?.next();
    let server = found.with_context(|| format!("{name} has no address"))?;
    let tls = stream.scheme() == "https";
    let mut target = stream.path().to_owned();
    if let Some(query) = stream.query() {
        target = format!("{target}?{query}");
    }
    let listeners = usize::try_from(args.listeners)?;
    Ok(Order {
        server,
        host,
        target,
        tls,
        trust: tls.then(|| certificates(args.ca.as_deref())).transpose()?,
        listeners,
        listeners_per_sample: plan::listeners_per_sample(listeners),
        joins_per_second: args.joins_per_second.unwrap_or_else(|| (f64::from(args.listeners) / 20.0).max(100.0)),
        mix: args.mix.into(),
        churn_percent: args.churn,
        slow_percent: args.slow,
        buffer_ms: args.buffer,
        exit_surge: args.exit_surge,
        raw: args.raw,
        sources: args.source.iter().copied().map(plan::source).collect(),
        seed: rand::random(),
    })
}

fn certificates(file: Option<&Path>) -> anyhow::Result<String> {
    let system = || std::env::var_os("SSL_CERT_FILE").map_or_else(|| PathBuf::from(SYSTEM_CERTIFICATES), PathBuf::from);
    let file = file.map_or_else(system, Path::to_owned);
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
    if let Err(error) = rehearsal::trusting(&text) {
        bail!("{}: {error}", file.display());
    }
    Ok(text)
}
