//! The upstreams: how they are asked, and what can be wrong with them.

use crate::command::http::{self, Refused};
use crate::role::relay::{KeyFile, wall};
use crate::settings::{Copy, Settings};
use base::limit::UPSTREAM_SILENT_MILLIS_MAX;
use base::{EventId, FaultKind, FragmentNumber};
use gate::ticket::{self, Claims, Class};
use programme::copy::Fault;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use ureq::{Agent, Body};
use url::Url;

/// How long a relay may take to let a connection in and to begin an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How long it may be silent when there is nothing to be heard: before an event begins, or on a rung that nobody asks for yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds around now in which our ticket is good: clocks differ, an answer is awaited no longer than that.
const TICKET_SECONDS: i64 = 300;

/// Why a copy does not go on with an upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It has no such event.
    #[error("it knows no such event")]
    Unknown,
    /// It lets nobody in who has no better ticket: the event is private.
    #[error("our ticket is not good there; --keys names the server's keys")]
    Ticket,
    /// It can't be reached, or it refuses.
    #[error("{0}")]
    Refused(String),
    /// Nothing came for too long.
    #[error("it is silent")]
    Silent,
    /// The connection broke off.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// What it sends can't be.
    #[error("it sends {0}")]
    Wrong(#[from] Fault),
    /// What it sends is not what this event was before.
    #[error("it sends another programme than was named before")]
    Other,
    /// Not the upstream: what it sends can't be written.
    #[error("the copy can't be written: {0}")]
    Disk(io::Error),
}

impl Trouble {
    /// A short name for metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ticket => "ticket",
            Self::Refused(_) => "refused",
            Self::Silent => "silent",
            Self::Broken(_) => "broken",
            Self::Wrong(fault) => fault.name(),
            Self::Other => "other",
            Self::Disk(_) => "disk",
        }
    }

    /// A failed read of an answer.
    pub(super) fn of_read(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Silent } else { Self::Broken(error.to_string()) }
    }
}

/// An answer that is being read.
pub(super) struct Answer {
    pub(super) body: Box<dyn io::Read + Send>,
    /// The newest fragment that the upstream had.
    pub(super) edge: Option<FragmentNumber>,
}

/// How long an answer may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// As long as a live event may be.
    Live,
    /// Longer: nothing need come.
    Patient,
}

impl Silence {
    /// So long.
    pub(super) const fn time(self) -> Duration {
        match self {
            Self::Live => Duration::from_millis(UPSTREAM_SILENT_MILLIS_MAX),
            Self::Patient => PATIENCE,
        }
    }
}

/// The relays that are copied from.
pub(super) struct Upstreams {
    urls: Vec<String>,
    agent: Agent,
    /// Says how many listen, over one connection to each upstream: what is said over two is counted twice.
    teller: Agent,
    keys: Mutex<(KeyFile, Option<gate::Keys>)>,
}

impl Upstreams {
    pub(super) fn new(settings: &Settings, copy: &Copy) -> anyhow::Result<Self> {
        let config = || -> anyhow::Result<_> {
            Ok(http::agent(copy.ca.as_deref())?.timeout_connect(Some(ANSWER)).timeout_recv_response(Some(2 * ANSWER)))
        };
        let agent = config()?.build().new_agent();
        let teller = config()?.max_idle_connections(copy.upstreams.len()).max_idle_connections_per_host(1).build().new_agent();
        let mut file = KeyFile::new(settings.ticket_keys());
        let keys = file.read();
        Ok(Self { urls: copy.upstreams.clone(), agent, teller, keys: Mutex::new((file, keys)) })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.urls.len()
    }

    /// An upstream's address, for people.
    pub(super) fn name(&self, which: usize) -> &str {
        &self.urls[which % self.urls.len()]
    }

    /// The address of something of an event, with our own ticket in it.
    fn url(&self, which: usize, event: EventId, rest: &str) -> String {
        let base = self.name(which);
        match self.ticket(event) {
            Some(ticket) => format!("{base}/copy/{event}/t/{ticket}/{rest}"),
            None => format!("{base}/copy/{event}/{rest}"),
        }
    }

    /// Asks for something of an event.
    pub(super) fn ask(&self, which: usize, event: EventId, rest: &str, silence: Silence) -> Result<Answer, Trouble> {
        let url = self.url(which, event, rest);
        let answer = self.agent.get(&url).config().timeout_per_read(Some(silence.time())).build().call();
        let answer = answer.map_err(|error| self.unreachable(which, &error)).and_then(http::good).map_err(|refused| match refused {
            _ if refused.is(FaultKind::EventUnknown) => Trouble::Unknown,
            _ if refused.is(FaultKind::BadTicket) => Trouble::Ticket,
            _ => Trouble::Refused(refused.to_string()),
        })?;
        let header = answer.headers().get("townsquare-edge").and_then(|value| value.to_str().ok());
        let edge = header.and_then(|place| place.split_once('.')?.1.parse().ok()).map(FragmentNumber);
        Ok(Answer { body: Box::new(body(answer)), edge })
    }

    /// Says how many listen; whether it was heard. Without keys nobody would believe it.
    pub(super) fn tell(&self, which: usize, event: EventId, rest: &str) -> bool {
        let Some(ticket) = self.ticket(event) else { return false };
        let answer = self.teller.post(format!("{}/copy/{event}/t/{ticket}/{rest}", self.name(which))).send_empty();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn unreachable(&self, which: usize, error: &ureq::Error) -> Refused {
        Url::parse(self.name(which)).map_or_else(|_| Refused::by_us(error.to_string()), |url| Refused::unreachable(&url, error))
    }

    fn ticket(&self, event: EventId) -> Option<String> {
        let mut held = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0.has_changed() {
            held.1 = held.0.read();
        }
        let now = wall().0 / 1_000;
        let second = |at: i64| u32::try_from(at).unwrap_or_default();
        let claims =
            Claims { event, class: Class::Relay, id: 0, not_before: second(now - TICKET_SECONDS), not_after: second(now + TICKET_SECONDS) };
        held.1.as_ref().map(|keys| ticket::sign(keys, &claims))
    }
}

fn body(answer: ureq::http::Response<Body>) -> impl io::Read + Send {
    answer.into_body().into_with_config().limit(u64::MAX).reader()
}
