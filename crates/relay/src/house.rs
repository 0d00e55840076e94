//! What all connections of a worker share: the events, the door, the books.

use crate::address::{Address, What};
use crate::answer::{self, Answer, Door};
use crate::audience::{Asker, Audience, Key};
use crate::connection::Deadline;
use crate::event::{Event, Member};
use crate::governor::Governor;
use crate::http::{Date, Method, Request};
use crate::metrics::Metrics;
use crate::tree::{Shares, Upstream};
use base::{EventId, FaultKind, UnixMillis, limit};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

/// Everything but the connections.
pub(crate) struct House {
    /// The directory of events.
    pub(crate) directory: PathBuf,
    /// The directory of what is in memory while the disk is full.
    pub(crate) spill: PathBuf,
    pub(crate) keys: Option<gate::Keys>,
    pub(crate) events: BTreeMap<EventId, Event>,
    /// Events opened since the loop last looked: their directories are not watched yet.
    pub(crate) opened: Vec<EventId>,
    pub(crate) audience: Audience,
    /// Of a relay that copies from others.
    pub(crate) upstream: Option<Upstream>,
    pub(crate) shares: Shares,
    pub(crate) metrics: Metrics,
    /// How often listeners are sent to.
    pub(crate) governor: Governor,
    /// When the worker started.
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) wall: UnixMillis,
    pub(crate) date: Date,
    /// Room to work in: bytes to be sent, and bytes read.
    pub(crate) scratch: Vec<u8>,
    pub(crate) span: Vec<u8>,
    /// What TLS sends.
    pub(crate) sealed: Vec<u8>,
    /// Whether connections can be spared for those who wait for an event to begin.
    pub(crate) is_roomy: bool,
    /// Steps of TLS handshakes that this turn may still take.
    pub(crate) handshakes_left: usize,
}

/// Who asks for a playlist; none who only looks.
fn asker<'a>(address: &Address, request: &'a Request, peer: IpAddr) -> Option<Asker<'a>> {
    let What::Playlist { rung, .. } = address.what else { return None };
    // Behind a proxy on this machine everybody would be one: it says who asks.
    let network = request.forwarded_for.filter(|_| peer.to_canonical().is_loopback()).unwrap_or(peer);
    let (user_agent, is_proxied) = (&request.user_agent[..], request.forwarded_for.is_some());
    let plays = request.method == Method::Get && !request.prefetch;
    plays.then_some(Asker { event: address.event, rung, address: network, user_agent, is_proxied })
}

impl House {
    /// The moment so many milliseconds from now.
    pub(crate) fn deadline(&self, millis: u64) -> Deadline {
        Deadline::at(self.now.saturating_duration_since(self.start)).after(millis)
    }

    /// Answers a request for something of an event that was held for so long; opens the event when it is not open.
    pub(crate) fn answer(&mut self, address: &Address, request: &Request, held_millis: u64) -> Answer {
        match self.open(address.event) {
            Ok(true) => {}
            Ok(false) if held_millis >= limit::HOLD_MILLIS_MAX => return Answer::Reply(answer::fault(FaultKind::RoleDown, request)),
            Ok(false) => return Answer::Hold(limit::HOLD_MILLIS_MAX),
            Err(kind) => return Answer::Reply(answer::fault(kind, request)),
        }
        let (wall, cadence, is_roomy) = (self.wall, self.governor.target(), self.is_roomy);
        let door = Door { keys: self.keys.as_ref(), wall, date: &self.date, cadence, is_roomy };
        match self.events.get_mut(&address.event) {
            Some(event) => {
                event.used = self.now;
                let answer = answer::answer(event, address, request, &door, held_millis);
                self.metrics.playlists_rendered += std::mem::take(&mut event.renders);
                answer
            }
            None => Answer::Reply(answer::fault(FaultKind::EventUnknown, request)),
        }
    }

    /// Somebody plays HLS and waits for what a playlist does not have yet.
    pub(crate) fn holds_playlist(&mut self, address: &Address, request: &Request, peer: IpAddr) -> Option<Key> {
        self.audience.holds(&asker(address, request, peer)?, self.now)
    }

    /// Somebody who plays HLS gets a playlist over a connection; whether it is theirs.
    pub(crate) fn gives_playlist(&mut self, address: &Address, request: &Request, peer: IpAddr, connection: u32) -> bool {
        let was_reload = matches!(address.what, What::Playlist { until: Some(_), .. });
        asker(address, request, peer).is_some_and(|asker| self.audience.given(&asker, was_reload, connection, self.now))
    }

    /// A connection waits for an event that is looked for upstream.
    pub(crate) fn wait_for_upstream(&mut self, event: EventId, member: Member) {
        if let Some(upstream) = &mut self.upstream {
            upstream.wait(event, member);
        }
    }

    /// The event, opened if that can be.
    pub(crate) fn open_known(&mut self, id: EventId) -> Option<&mut Event> {
        self.open(id).ok().filter(|is_here| *is_here).and_then(|_| self.events.get_mut(&id))
    }

    /// Opens an event; false while it is looked for upstream.
    fn open(&mut self, id: EventId) -> Result<bool, FaultKind> {
        if self.events.contains_key(&id) {
            return Ok(true);
        }
        if let Some(upstream) = &mut self.upstream
            && !upstream.has(id, self.now)?
        {
            return Ok(false);
        }
        let mut event = Event::open(id, &self.directory, &self.spill, self.now, self.wall)?;
        if self.events.len() >= limit::RELAY_EVENTS_MAX {
            let unused = self.events.values().filter(|event| !event.is_used()).min_by_key(|event| event.used).map(|event| event.id);
            self.events.remove(&unused.ok_or(FaultKind::EventsFull)?);
        }
        event.poll(self.now, &mut self.span).map_err(|error| {
            tracing::warn!(event = %id, %error, "the files of an event can't be read");
            FaultKind::Internal
        })?;
        self.events.insert(id, event);
        self.opened.push(id);
        Ok(true)
    }
}
