//! Who holds a connection: so many at once, and none so many that others find no room.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Between two lines in the log about connections that were refused.
const WARNING: Duration = Duration::from_secs(60);

/// The connections of one kind. An address may hold no more of them than are still free: one alone half of all, two a third each,
/// and who holds none gets in as long as there is room.
#[derive(Debug)]
pub(crate) struct Visitors {
    kind: &'static str,
    max: usize,
    standing: Mutex<Standing>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Standing {
    inside: usize,
    by_address: BTreeMap<IpAddr, usize>,
    refused: u64,
    warned: Option<Instant>,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    visitors: Arc<Visitors>,
    from: Option<IpAddr>,
}

impl Visitors {
    /// Nobody yet. `kind` begins their names in the metrics: `townsquare_KIND_connections`.
    pub(crate) fn new(kind: &'static str, max: usize) -> Arc<Self> {
        Arc::new(Self { kind, max, standing: Mutex::default(), left: Notify::new() })
    }

    /// Lets somebody in from an address, or from this machine's own socket, whose owner is trusted with all the room that there is.
    pub(crate) fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Visit> {
        let mut standing = self.standing();
        let from = peer.map(household);
        let held = from.and_then(|from| standing.by_address.get(&from)).copied().unwrap_or(0);
        if held >= self.max - standing.inside {
            standing.refused += 1;
            self.warn(&mut standing, held);
            return None;
        }
        standing.inside += 1;
        if let Some(from) = from {
            *standing.by_address.entry(from).or_default() += 1;
        }
        Some(Visit { visitors: Arc::clone(self), from })
    }

    /// Waits until there is room. One task at a time may wait for this or for [`Self::gone`].
    pub(crate) async fn room(&self) {
        self.until(|inside| inside < self.max).await;
    }

    /// Waits until everybody has left.
    pub(crate) async fn gone(&self) {
        self.until(|inside| inside == 0).await;
    }

    async fn until(&self, so: impl Fn(usize) -> bool) {
        while !so(self.standing().inside) {
            self.left.notified().await;
        }
    }

    fn warn(&self, standing: &mut Standing, held: usize) {
        if standing.warned.is_none_or(|at| at.elapsed() >= WARNING) {
            standing.warned = Some(Instant::now());
            let (inside, max) = (standing.inside, self.max);
            tracing::warn!(kind = self.kind, inside, max, same_address = held, "connections are refused");
        }
    }

    /// How many there are and how many were refused, for Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let standing = self.standing();
        let name = format!("townsquare_{}_connections", self.kind);
        format!(
            "# HELP {name} Connections open now.\n# TYPE {name} gauge\n{name} {}\n\
             # HELP {name}_max Connections that may be open at once.\n# TYPE {name}_max gauge\n{name}_max {}\n\
             # HELP {name}_refused_total Connections that found no room or were too many from one address.\n\
             # TYPE {name}_refused_total counter\n{name}_refused_total {}\n",
            standing.inside, self.max, standing.refused
        )
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut standing = self.visitors.standing();
        standing.inside -= 1;
        if let Some(from) = self.from
            && let Some(held) = standing.by_address.get_mut(&from)
        {
            *held -= 1;
            if *held == 0 {
                standing.by_address.remove(&from);
            }
        }
        drop(standing);
        self.visitors.left.notify_one();
    }
}

/// Who has one IPv6 address has 2^64 of them (RFC 6177).
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests;
