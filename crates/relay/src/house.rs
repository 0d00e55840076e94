//! What all connections of a worker share: the events, the door, the books.

use crate::address::Address;
use crate::answer::{self, Answer, Door};
use crate::audience::Audience;
use crate::connection::Deadline;
use crate::event::{Event, Member};
use crate::governor::Governor;
use crate::http::{Date, Method, Request};
use crate::metrics::Metrics;
use crate::tree::{Shares, Upstream};
use base::{EventId, FaultKind, Rung, UnixMillis, limit};
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
    /// Tickets that hosts have barred, in order.
    pub(crate) barred: BTreeMap<EventId, Vec<u64>>,
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
    /// Steps of TLS handshakes that this turn may still take.
    pub(crate) handshakes_left: usize,
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
        let barred = self.barred.get(&address.event).map_or(&[][..], Vec::as_slice);
        let door = Door { keys: self.keys.as_ref(), wall: self.wall, date: &self.date, cadence: self.governor.target(), barred };
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

    /// Somebody plays HLS.
    pub(crate) fn saw_client(&mut self, event: EventId, rung: Rung, request: &Request, peer: IpAddr) {
        if request.method == Method::Get && !request.prefetch {
            // Behind a proxy on this machine everybody would be one: it says who asks.
            let address = request.forwarded_for.filter(|_| peer.to_canonical().is_loopback()).unwrap_or(peer);
            self.audience.saw(event, rung, address, &request.user_agent, self.now);
        }
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
