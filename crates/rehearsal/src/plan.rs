//! Who listens to what, from where: one order for a whole crowd, divided among processes and machines.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Listeners of one process at most: below the 20,000 descriptors that a process may be limited to.
pub const LISTENERS_PER_PROCESS_MAX: usize = 19_500;

/// Descriptors of a process that are no listeners: epoll, pipes, what its libraries open.
const OTHER_DESCRIPTORS: usize = 100;

/// Ports that are used of a source address that is the crowd's own.
const PORTS: (u16, u16) = (10_000, 63_999);

/// Listeners among which one decodes what it hears, unless that were more than [`SAMPLES_MAX`].
const LISTENERS_PER_SAMPLE: usize = 1_000;

/// Most who decode: more of them say nothing more, and take what the others need.
const SAMPLES_MAX: usize = 48;

/// How listeners listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mix {
    /// All hear the endless stream.
    Stream,
    /// All play LL-HLS: blocking playlists and parts over kept connections.
    Hls,
    /// Four fifths hear the stream, one fifth plays LL-HLS.
    Mixed,
}

impl Mix {
    /// Whether the listener with this number plays LL-HLS.
    pub(crate) const fn is_hls(self, number: usize) -> bool {
        match self {
            Self::Stream => false,
            Self::Hls => true,
            Self::Mixed => number % 5 == 4,
        }
    }
}

/// A source address, and the ports of it that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The address.
    pub address: IpAddr,
    /// The first port.
    pub from: u16,
    /// The last port.
    pub to: u16,
}

/// What a crowd is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The server.
    pub server: SocketAddr,
    /// What it is called: `Host`, and the name in its certificate.
    pub host: String,
    /// The path of the endless stream, its query included.
    pub target: String,
    /// Whether to speak TLS.
    pub tls: bool,
    /// Certificates (PEM) to trust instead of the system's.
    pub trust: Option<String>,
    /// How many listen.
    pub listeners: usize,
    /// Among so many one decodes what it hears.
    pub listeners_per_sample: usize,
    /// How many come each second.
    pub joins_per_second: f64,
    /// How they listen.
    pub mix: Mix,
    /// How many percent leave and come back each minute.
    pub churn_percent: f64,
    /// How many percent read no more than one small chunk a second.
    pub slow_percent: f64,
    /// Milliseconds of sound that a player keeps ahead, besides the cadence.
    pub buffer_ms: u32,
    /// Whether everybody leaves in the same instant at the end, and not over two seconds.
    pub exit_surge: bool,
    /// Whether any bytes count as sound: for servers of another kind, beside which the own is measured.
    pub raw: bool,
    /// Where connections come from; none is wherever the system lets them.
    pub sources: Vec<Source>,
    /// What the crowd's choices begin with.
    pub seed: u64,
}

/// Among how many of such a crowd one decodes what it hears.
#[must_use]
pub fn listeners_per_sample(listeners: usize) -> usize {
    listeners.div_ceil(SAMPLES_MAX).max(LISTENERS_PER_SAMPLE)
}

/// How many processes a crowd takes when each may open so many descriptors.
#[must_use]
pub fn processes(listeners: usize, descriptors: usize) -> usize {
    let each = descriptors.saturating_sub(OTHER_DESCRIPTORS).clamp(1, LISTENERS_PER_PROCESS_MAX);
    listeners.div_ceil(each).max(1)
}

/// The order for each of so many processes: as even as can be, from source addresses and ports of their own.
#[must_use]
pub fn divide(order: &Order, processes: usize) -> Vec<Order> {
    let processes = processes.max(1);
    let part = |number: usize| {
        let listeners = (number + 1) * order.listeners / processes - number * order.listeners / processes;
        let share = listeners as f64 / order.listeners.max(1) as f64;
        Order {
            listeners,
            joins_per_second: order.joins_per_second * share,
            sources: sources(order, number, processes),
            seed: order.seed.wrapping_add(number as u64),
            ..order.clone()
        }
    };
    (0..processes).map(part).filter(|part| part.listeners > 0 || order.listeners == 0).collect()
}

/// The sources of one process: its share of those that were named, or on the loopback network an address of its own.
fn sources(order: &Order, number: usize, processes: usize) -> Vec<Source> {
    if !order.sources.is_empty() {
        return order.sources.iter().filter_map(|source| slice(*source, number, processes)).collect();
    }
    match order.server.ip() {
        IpAddr::V4(server) if server.is_loopback() => {
            // The crowd's first byte is chance, so that two crowds seldom meet; the second is never 0, for 127.0 is everybody's.
            let neighbourhood = u8::try_from(100 + order.seed % 100).unwrap_or(100);
            let (high, low) = (u8::try_from(number / 250).unwrap_or(u8::MAX), u8::try_from(number % 250 + 1).unwrap_or(1));
            vec![Source { address: Ipv4Addr::new(127, neighbourhood, high, low).into(), from: PORTS.0, to: PORTS.1 }]
        }
        IpAddr::V4(_) | IpAddr::V6(_) => Vec::new(),
    }
}

/// The share of a source's ports that one process has.
fn slice(source: Source, number: usize, processes: usize) -> Option<Source> {
    let ports = usize::from(source.to.checked_sub(source.from)?) + 1;
    let at = |number: usize| u16::try_from(usize::from(source.from) + number * ports / processes).ok();
    let (from, to) = (at(number)?, at(number + 1).map_or(source.to, |next| next.saturating_sub(1)));
    (from <= to).then_some(Source { from, to, ..source })
}

/// A source with all the ports that a crowd uses of one.
#[must_use]
pub const fn source(address: IpAddr) -> Source {
    Source { address, from: PORTS.0, to: PORTS.1 }
}

#[cfg(test)]
pub(crate) mod tests;
