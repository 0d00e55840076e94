//! What a request gets: a finite reply, a place in a stream, or a wait.

use crate::address::{self, Address, Replayed, What};
use crate::body::Body;
use crate::copy::{Copy, Wanted};
use crate::event::{Event, Found, Keep, Phase, Thing};
use crate::http::{self, Date, Head, Method, Request};
use crate::stream::{Stream, Wish};
use base::{Cadence, FaultKind, UnixMillis, limit};
use gate::ticket::{self, Class};
use std::num::NonZeroU64;
use std::ops::Range;
use std::rc::Rc;

/// What never changes may be kept for a year, which is what HTTP caches understand as for ever.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// The same behind a ticket: the browser's own cache alone.
const IMMUTABLE_PRIVATE: &str = "private, max-age=31536000, immutable";

/// An answer.
pub(crate) enum Answer {
    /// It ends.
    Reply(Reply),
    /// It doesn't: an opening, then fragments.
    Stream(Stream),
    /// It goes to another relay: the opening, then frames.
    Copy(Vec<u8>, Copy),
    /// Another relay's listeners by rung, and what it is answered.
    Listening([u32; 3], Reply),
    /// What is asked for is about to be there: it is waited for until so many milliseconds after it was asked for.
    Hold(u64),
}

/// An answer that ends.
pub(crate) struct Reply {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Rc<Body>,
    pub(crate) range: Range<u64>,
    pub(crate) keep_alive: bool,
    pub(crate) refused: bool,
}

/// Who may come in, what time it is for them, and how often they are sent to.
pub(crate) struct Door<'a> {
    pub(crate) keys: Option<&'a gate::Keys>,
    pub(crate) wall: UnixMillis,
    pub(crate) date: &'a Date,
    pub(crate) cadence: Cadence,
    /// Whether there are connections to spare for those who wait for an event to begin.
    pub(crate) is_roomy: bool,
}

/// Reads the address; the answer already when it needs no event.
pub(crate) fn route(request: &Request) -> Result<Address, Reply> {
    match request.method {
        Method::Options => Err(preflight(request)),
        Method::Other => Err(fault(FaultKind::MethodNotAllowed, request)),
        Method::Get | Method::Head | Method::Post => {
            let address = address::parse(&request.target).map_err(|kind| fault(kind, request))?;
            let posts = matches!(address.what, What::Listening(_));
            if posts == (request.method == Method::Post) { Ok(address) } else { Err(fault(FaultKind::MethodNotAllowed, request)) }
        }
    }
}

/// Answers a request for something of an event that has been held for so many milliseconds.
pub(crate) fn answer(event: &mut Event, address: &Address, request: &Request, door: &Door<'_>, held_millis: u64) -> Answer {
    let ticket = match admit(event, address, door) {
        Ok(ticket) => ticket,
        Err(kind) => return Answer::Reply(fault(kind, request)),
    };
    // The host is told that the event is live before its first fragment is sealed.
    let needs_sound = matches!(address.what, What::Stream(_) | What::Main | What::Playlist { .. } | What::Piece { .. });
    if needs_sound && event.is_opening() && held_millis < limit::OPENING_HOLD_MILLIS_MAX {
        return Answer::Hold(limit::OPENING_HOLD_MILLIS_MAX);
    }
    let found = match &address.what {
        What::Copy(wanted) => return open_copy(event, address, wanted, ticket, request, door),
        What::Listening(counts) => return heard(event, address, *counts, request, door),
        What::Announcement => event.announcement(),
        What::Stream(wish) => return open_stream(event, *wish, ticket, request, door, held_millis),
        What::Init => Event::init_segment(),
        What::Main => event.main_playlist(),
        What::Playlist { rung, until, skip } => event.playlist(*rung, *until, *skip),
        What::Piece { rung, address } => event.piece(*rung, address),
        What::Replay { of: Replayed::Whole, cuts, .. } => event.replay(None, *cuts),
        What::Replay { of: Replayed::Clip(range), cuts, .. } => event.replay(Some(range.clone()), *cuts),
        What::Replay { of: Replayed::Mp3, .. } => event.mp3(),
    };
    match found {
        Found::Here(thing) => Answer::Reply(thing.reply(request, address, event)),
        Found::Soon if held_millis < limit::HOLD_MILLIS_MAX => Answer::Hold(limit::HOLD_MILLIS_MAX),
        Found::Soon => Answer::Reply(fault(FaultKind::RoleDown, request)),
        Found::Not(FaultKind::EventNotLive) => Answer::Reply(not_yet(event, request, door, 2)),
        Found::Not(kind) => Answer::Reply(fault(kind, request)),
    }
}

/// The answer about what has not begun: to be asked again after so many seconds, or when the doors are near.
fn not_yet(event: &Event, request: &Request, door: &Door<'_>, seconds: u64) -> Reply {
    let far = event.millis_to_doors(door.wall).saturating_sub(limit::WAITING_NEAR_MILLIS).div_ceil(1_000);
    let seconds = seconds.max(far.min(limit::WAITING_LOOK_SECONDS_MAX));
    problem(FaultKind::EventNotLive, request, |head| head.field("Retry-After", seconds))
}

/// What somebody gets who comes before the event begins. Who says that they wait holds a connection, hears the beginning at once and asks seldom.
fn wait(event: &Event, wish: Wish, request: &Request, door: &Door<'_>, held_millis: u64) -> Answer {
    let is_near = event.millis_to_doors(door.wall) <= limit::WAITING_NEAR_MILLIS;
    Answer::Reply(match (event.nothing_yet(), wish.wait) {
        (FaultKind::EventNotLive, false) => not_yet(event, request, door, 2),
        (FaultKind::EventNotLive, true) if held_millis >= limit::WAITING_HOLD_MILLIS_MAX => not_yet(event, request, door, 1),
        (FaultKind::EventNotLive, true) if is_near && door.is_roomy => return Answer::Hold(limit::WAITING_HOLD_MILLIS_MAX),
        (FaultKind::EventNotLive, true) => not_yet(event, request, door, limit::WAITING_CROWDED_SECONDS),
        (kind, _) => fault(kind, request),
    })
}

/// Gives the number of the ticket that lets them into a private event.
fn admit(event: &Event, address: &Address, door: &Door<'_>) -> Result<Option<u64>, FaultKind> {
    if event.is_withheld() {
        // Who runs the event hears it all the same, to decide what becomes of it.
        let ticket = address.ticket.as_deref().zip(door.keys);
        let hosts = ticket.is_some_and(|(text, keys)| ticket::admit(keys, text, door.wall, event.id, Class::Host).is_ok());
        return if hosts { Ok(None) } else { Err(FaultKind::ReplayWithheld) };
    }
    if !event.is_private() {
        return Ok(None);
    }
    let text = address.ticket.as_deref().ok_or(FaultKind::BadTicket)?;
    let keys = door.keys.ok_or(FaultKind::BadTicket)?;
    let least = match address.what {
        // A copy holds what its taker could hear.
        What::Copy(_) | What::Announcement | What::Listening(_) => Class::Relay,
        What::Stream(_) | What::Main | What::Playlist { .. } | What::Init | What::Piece { .. } | What::Replay { .. } => Class::Listener,
    };
    let claims = ticket::admit(keys, text, door.wall, event.id, least)?;
    if event.bars(claims.id) { Err(FaultKind::Barred) } else { Ok(Some(claims.id)) }
}

/// Whether who asks is a relay of this operator: it alone is believed about its listeners.
fn is_relay(event: &Event, address: &Address, door: &Door<'_>) -> bool {
    let ticket = address.ticket.as_deref().zip(door.keys);
    let claims = ticket.and_then(|(text, keys)| ticket::admit(keys, text, door.wall, event.id, Class::Relay).ok());
    claims.is_some_and(|claims| claims.class == Class::Relay)
}

fn open_copy(event: &Event, address: &Address, wanted: &Wanted, ticket: Option<u64>, request: &Request, door: &Door<'_>) -> Answer {
    let mut head = Head::new(200)
        .field("Content-Type", "application/vnd.townsquare.copy")
        .field("Cache-Control", "no-store, no-transform")
        .field("X-Accel-Buffering", "no")
        .field("Connection", "close");
    if let Some(place) = event.newest() {
        head = head.field("Townsquare-Edge", format_args!("{}.{}", place.epoch, place.number));
    }
    let opening = head.end();
    if request.method == Method::Head {
        return Answer::Reply(Reply { head: opening, body: nothing(), range: 0..0, keep_alive: false, refused: false });
    }
    Answer::Copy(opening, Copy::new(event, wanted, ticket, wanted.to.is_none() && !is_relay(event, address, door)))
}

fn heard(event: &Event, address: &Address, counts: [u32; 3], request: &Request, door: &Door<'_>) -> Answer {
    if !is_relay(event, address, door) {
        return Answer::Reply(fault(FaultKind::BadTicket, request));
    }
    let head = Head::new(204).field("Cache-Control", "no-store");
    let head = if request.keep_alive { head } else { head.field("Connection", "close") };
    Answer::Listening(counts, Reply { head: head.end(), body: nothing(), range: 0..0, keep_alive: request.keep_alive, refused: false })
}

/// Whether who asks may send a crowd: who has the host's ticket, for it is their event.
fn may_rehearse(event: &Event, request: &Request, door: &Door<'_>) -> bool {
    let ticket = request.bearer.as_deref().zip(door.keys);
    ticket.is_some_and(|(text, keys)| ticket::admit(keys, text, door.wall, event.id, Class::Host).is_ok())
}

fn open_stream(event: &mut Event, wish: Wish, ticket: Option<u64>, request: &Request, door: &Door<'_>, held_millis: u64) -> Answer {
    match event.phase() {
        Phase::Waiting => return wait(event, wish, request, door, held_millis),
        Phase::Ended => return Answer::Reply(fault(FaultKind::EventEnded, request)),
        Phase::Live => {}
    }
    let mut head = Head::new(200)
        .field("Content-Type", "audio/mp4")
        .field("Cache-Control", "no-store, no-transform")
        .field("X-Accel-Buffering", "no")
        // The body ends with the connection, as Icecast's does: a listener who is cut off asks again at the fragment after
        // its last, and learns from a 410 when there is none.
        .field("Connection", "close");
    if let Some(place) = event.newest() {
        head = head.field("Townsquare-Edge", format_args!("{}.{}", place.epoch, place.number));
    }
    if request.method == Method::Head && may_rehearse(event, request, door) {
        head = head.field("Townsquare-Rehearsal", "allowed");
    }
    let mut opening = head.end();
    if request.method == Method::Head {
        return Answer::Reply(Reply { head: opening, body: nothing(), range: 0..0, keep_alive: false, refused: false });
    }
    door.date.put(&mut opening);
    match Stream::open(event, wish, !request.prefetch, door.cadence, &opening) {
        Ok(mut stream) => {
            stream.ticket = ticket.and_then(NonZeroU64::new);
            Answer::Stream(stream)
        }
        Err(error) => {
            tracing::warn!(event = %event.id, %error, "the files of an event can't be read");
            Answer::Reply(fault(FaultKind::MediaGone, request))
        }
    }
}

impl Thing {
    /// The reply to a request for it: conditions first, then the range (RFC 9110, section 13.2.2).
    fn reply(self, request: &Request, address: &Address, event: &Event) -> Reply {
        let length = self.body.length();
        let base = |status: u16| {
            let mut head = Head::new(status).field("Cache-Control", self.cache_control(event.is_private()));
            if let Some(etag) = &self.etag {
                head = head.field("ETag", etag).field("Accept-Ranges", "bytes");
            }
            if request.keep_alive { head } else { head.field("Connection", "close") }
        };
        let keep_alive = request.keep_alive;
        let done = |head: Head, range: Range<u64>| {
            let range = if request.method == Method::Head { 0..0 } else { range };
            Reply { head: head.end(), body: Rc::clone(&self.body), range, keep_alive, refused: false }
        };
        let is_same = |list: &String| self.etag.as_ref().is_some_and(|etag| http::names_etag(list, etag));
        if request.if_none_match.as_ref().is_some_and(is_same) {
            return done(base(304), 0..0);
        }
        let is_whole = self.etag.is_none() || request.if_range.as_ref().is_some_and(|tag| Some(tag) != self.etag.as_ref());
        let asked = request.range.filter(|_| !is_whole);
        let (mut head, range) = match asked.map(|range| range.within(length)) {
            None => (base(200), 0..length),
            Some(Some(range)) => {
                (base(206).field("Content-Range", format_args!("bytes {}-{}/{length}", range.start, range.end - 1)), range)
            }
            Some(None) => return unsatisfiable(length, request),
        };
        if let What::Replay { download: Some(name), .. } = &address.what {
            head = head.field("Content-Disposition", disposition(name));
        }
        let count = range.end - range.start;
        done(head.field("Content-Type", self.content_type).field("Content-Length", count), range)
    }

    fn cache_control(&self, is_private: bool) -> String {
        match (self.keep, is_private) {
            (Keep::Immutable, false) => IMMUTABLE.to_owned(),
            (Keep::Immutable, true) => IMMUTABLE_PRIVATE.to_owned(),
            (Keep::Seconds(seconds), false) => format!("public, max-age={seconds}"),
            (Keep::Seconds(seconds), true) => format!("private, max-age={seconds}"),
        }
    }
}

/// `attachment` with the name in ASCII and, when that is not all of it, in UTF-8 (RFC 6266, section 4.3; RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let encoded: String = name
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-_.".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

fn preflight(request: &Request) -> Reply {
    let head = Head::new(204)
        .field("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        .field("Access-Control-Allow-Headers", "*")
        .field("Access-Control-Max-Age", 86_400)
        .field("Allow", "GET, HEAD, OPTIONS");
    let head = if request.keep_alive { head } else { head.field("Connection", "close") };
    Reply { head: head.end(), body: nothing(), range: 0..0, keep_alive: request.keep_alive, refused: false }
}

/// The answer to what can't be done.
pub(crate) fn fault(kind: FaultKind, request: &Request) -> Reply {
    problem(kind, request, |head| head)
}

/// The answer to bytes that are no request: the connection closes behind it.
pub(crate) fn garbage(kind: FaultKind) -> Reply {
    told(kind, false, false, |head| head)
}

fn unsatisfiable(length: u64, request: &Request) -> Reply {
    problem(FaultKind::RangeUnsatisfiable, request, |head| head.field("Content-Range", format_args!("bytes */{length}")))
}

fn problem(kind: FaultKind, request: &Request, more: impl FnOnce(Head) -> Head) -> Reply {
    told(kind, request.method == Method::Head, request.keep_alive, more)
}

fn told(kind: FaultKind, is_head: bool, keep_alive: bool, more: impl FnOnce(Head) -> Head) -> Reply {
    let text = http::problem(kind);
    let mut head = Head::new(kind.status())
        .field("Content-Type", "application/problem+json")
        .field("Content-Length", text.len())
        .field("Cache-Control", "no-store");
    if matches!(kind, FaultKind::MediaGone | FaultKind::RoleDown | FaultKind::EventsFull) {
        head = head.field("Retry-After", 1);
    } else if kind == FaultKind::MethodNotAllowed {
        head = head.field("Allow", "GET, HEAD, OPTIONS");
    } else if matches!(kind, FaultKind::BadTicket | FaultKind::TicketExpired) {
        head = head.field("WWW-Authenticate", "Ticket");
    }
    let head = more(if keep_alive { head } else { head.field("Connection", "close") });
    let body = Rc::new(Body::of_bytes(if is_head { Vec::new() } else { text.into_bytes() }));
    let range = 0..body.length();
    Reply { head: head.end(), body, range, keep_alive, refused: true }
}

fn nothing() -> Rc<Body> {
    Rc::new(Body::of_bytes(Vec::new()))
}
