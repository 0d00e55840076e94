//! One connection: it reads a request, sends an answer, holds it back, or streams without end.

use crate::address::{Address, What};
use crate::answer::{self, Answer, Reply};
use crate::audience::Key;
use crate::copy::Copy;
use crate::event::Absent;
use crate::house::House;
use crate::http::{self, Date, Request};
use crate::socket::Socket;
use crate::stream::{Next, Place, Stream, buffer_bytes};
use base::{EventId, FaultKind, limit};
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Bytes read at once; a request head is rarely longer.
const READ_BYTES: usize = 4 * 1024;

/// Reads of what nobody wants before the others have their turn.
const READS_PER_TURN: usize = 16;

/// Bytes sent to one connection before the others have their turn.
const TURN_BYTES_MAX: usize = 512 * 1024;

/// Milliseconds that the peer may take to close after the last byte.
const LINGER_MILLIS_MAX: u64 = 5_000;

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits for its socket or its event.
    Stays,
    /// It has more to do and lets others go first.
    Again,
    /// It is done.
    Closes,
}

/// A moment in tenths of a second since the worker started: half an [`Instant`](std::time::Instant), and there is one for each listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(u32);

impl Deadline {
    const NEVER: Self = Self(u32::MAX);

    /// So long after the worker's start.
    pub(crate) fn at(since_start: Duration) -> Self {
        Self(u32::try_from(since_start.as_millis() / 100).unwrap_or(u32::MAX - 1))
    }

    /// So many milliseconds later.
    pub(crate) fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(u32::try_from(millis / 100).unwrap_or(u32::MAX)))
    }

    /// Milliseconds since an earlier one.
    pub(crate) fn millis_since(self, earlier: Self) -> u64 {
        u64::from(self.0.saturating_sub(earlier.0)) * 100
    }
}

/// One connection.
pub(crate) struct Connection {
    socket: Socket,
    pub(crate) serial: u32,
    /// When it is given up if nothing happens. Streams are when they don't take what is in hand for them; who takes none of it, by the
    /// kernel too (`TCP_USER_TIMEOUT`).
    deadline: Deadline,
    /// The socket took less than it was offered; mostly it says when there is room.
    blocked: bool,
    /// The socket has something that was not read.
    readable: bool,
    /// Another relay has said over it how many listen there.
    pub(crate) tells: bool,
    /// It stands in the worker's queue of those who go on by themselves.
    queued: bool,
    /// Somebody plays HLS over it.
    plays: bool,
    /// What was read and not understood yet.
    input: Vec<u8>,
    state: State,
}

enum State {
    Reading,
    Sending(Box<Sending>),
    Held(Box<Held>),
    Streaming(Box<Stream>),
    Copying(Box<Copying>),
    Lingering,
}

struct Sending {
    reply: Reply,
    head_sent: usize,
    /// What it is of.
    event: Option<EventId>,
    /// Bytes of a copy are missing that are being fetched.
    waits: bool,
}

/// Frames for another relay. It is driven like a held request, at every change of its event: cadence is for listeners.
struct Copying {
    opening: Vec<u8>,
    opening_sent: usize,
    copy: Copy,
}

struct Held {
    request: Request,
    address: Address,
    since: Deadline,
    /// Who plays HLS and waits for this.
    player: Option<Key>,
}

impl Connection {
    pub(crate) fn new(socket: Socket, serial: u32, deadline: Deadline) -> Self {
        let (blocked, readable, queued, tells) = (false, true, false, false);
        Self { socket, serial, deadline, blocked, readable, queued, tells, plays: false, input: Vec::new(), state: State::Reading }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The place of the stream that it carries.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.stream().map(|stream| &stream.place)
    }

    /// The stream that it carries.
    pub(crate) fn stream(&self) -> Option<&Stream> {
        if let State::Streaming(stream) = &self.state { Some(stream) } else { None }
    }

    /// The turn of the stream has come; false when it has to wait for the socket first.
    pub(crate) fn owe(&mut self) -> bool {
        if let State::Streaming(stream) = &mut self.state {
            stream.owe();
        }
        !self.blocked
    }

    /// What was asked for of the event that it waits for; nothing for who goes on at any change of it.
    pub(crate) fn waits_for(&self) -> Option<&What> {
        if let State::Held(held) = &self.state { Some(&held.address.what) } else { None }
    }

    /// The event that it waits for.
    pub(crate) fn waits_at(&self) -> Option<EventId> {
        match &self.state {
            State::Held(held) => Some(held.address.event),
            State::Copying(copying) => Some(copying.copy.event),
            State::Sending(sending) => sending.event.filter(|_| sending.waits),
            State::Streaming(stream) => stream.place.lacks.then_some(stream.place.event),
            State::Reading | State::Lingering => None,
        }
    }

    /// The private event whose stream or copy it carries, and the number of the ticket that it was let in with.
    pub(crate) fn admitted(&self) -> Option<(EventId, u64)> {
        match &self.state {
            State::Streaming(stream) => Some((stream.place.event, stream.ticket?.get())),
            State::Copying(copying) => Some((copying.copy.event, copying.copy.ticket?)),
            State::Held(_) | State::Sending(_) | State::Reading | State::Lingering => None,
        }
    }

    /// Whether it carries a copy to another relay.
    pub(crate) fn is_copy(&self) -> bool {
        matches!(self.state, State::Copying(_))
    }

    /// It closes: what its peer waits for is broken off.
    pub(crate) fn leaves(&self, house: &mut House) {
        if let State::Held(held) = &self.state {
            held.player.into_iter().for_each(|player| house.audience.broke_off(player, house.now));
        }
        if self.plays {
            house.audience.closed(self.serial, house.now);
        }
    }

    /// Joins the queue of those who go on by themselves; false when it stands there already.
    pub(crate) const fn queue(&mut self) -> bool {
        !std::mem::replace(&mut self.queued, true)
    }

    /// Has come to the front of that queue.
    pub(crate) const fn unqueue(&mut self) {
        self.queued = false;
    }

    /// Whether the socket took less than it was offered.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    pub(crate) fn is_overdue(&self, now: Deadline) -> bool {
        self.deadline <= now
    }

    /// The socket has room, as every new one has; false when that changes nothing.
    pub(crate) fn unblock(&mut self) -> bool {
        let is_new = matches!(self.state, State::Reading) && !self.socket.talks_besides();
        std::mem::replace(&mut self.blocked, false) || !is_new
    }

    /// The socket has something to read.
    pub(crate) fn hear(&mut self) {
        self.readable = true;
    }

    /// The peer sends nothing more. Who waits for something open-ended is gone; a finite answer is still delivered.
    pub(crate) fn is_over_when_peer_is_silent(&self) -> bool {
        matches!(self.state, State::Streaming(_) | State::Copying(_) | State::Held(_) | State::Lingering)
    }

    /// Says good bye to a peer that sends nothing more.
    pub(crate) fn part(&mut self) {
        // What it said last is read, or closing would take our last word from it.
        let _ = self.discard();
        self.socket.finish();
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) fn drive(&mut self, house: &mut House) -> io::Result<Fate> {
        match self.go_on(house) {
            // It has been told what is wrong with its bytes, and gets the time to read that.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                self.leave(house, false);
                Ok(if self.discard()? { Fate::Stays } else { Fate::Again })
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.socket.finish();
                Ok(Fate::Closes)
            }
            other => other,
        }
    }

    fn go_on(&mut self, house: &mut House) -> io::Result<Fate> {
        let before = house.metrics.bytes_sent;
        loop {
            let fate = match &mut self.state {
                State::Reading => self.read(house)?,
                State::Sending(_) => self.send(house)?,
                State::Held(_) => self.hold(house),
                State::Streaming(_) => self.pour(house)?,
                State::Copying(_) => self.copy(house)?,
                State::Lingering => return Ok(if self.discard()? { Fate::Stays } else { Fate::Again }),
            };
            match fate {
                Some(fate) => return Ok(fate),
                None if house.metrics.bytes_sent - before > TURN_BYTES_MAX as u64 => return Ok(Fate::Again),
                None => {}
            }
        }
    }

    /// Reads a request and answers it.
    fn read(&mut self, house: &mut House) -> io::Result<Option<Fate>> {
        while self.socket.shakes_hands() {
            if house.handshakes_left == 0 {
                return Ok(Some(Fate::Again));
            }
            match self.socket.shake() {
                Ok(0) => return Ok(Some(Fate::Closes)),
                Ok(_) => house.handshakes_left -= 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Some(Fate::Stays)),
                Err(error) => return Err(error),
            }
        }
        loop {
            match http::parse(&self.input) {
                Ok(Some((request, length))) => {
                    self.input.drain(..length);
                    self.input.shrink_to_fit();
                    house.metrics.requests += 1;
                    self.ask(house, request);
                    return Ok(None);
                }
                Ok(None) => {}
                Err(kind) => {
                    self.input = Vec::new();
                    self.reply(house, answer::garbage(kind), None);
                    return Ok(None);
                }
            }
            let mut bytes = [0; READ_BYTES];
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    if self.input.is_empty() {
                        self.deadline = house.deadline(limit::REQUEST_HEAD_MILLIS_MAX);
                    }
                    self.input.extend_from_slice(&bytes[..count]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Some(Fate::Stays)),
                Err(error) => return Err(error),
            }
        }
    }

    fn ask(&mut self, house: &mut House, request: Request) {
        match answer::route(&request) {
            Ok(address) => self.answer(house, Held { request, address, since: house.deadline(0), player: None }),
            Err(reply) => self.reply(house, reply, None),
        }
    }

    fn answer(&mut self, house: &mut House, mut held: Held) {
        let held_millis = house.deadline(0).millis_since(held.since);
        let is_playlist = matches!(held.address.what, What::Playlist { .. });
        match house.answer(&held.address, &held.request, held_millis) {
            Answer::Hold(millis) => {
                self.deadline = held.since.after(millis);
                if is_playlist && held.player.is_none() {
                    held.player = house.holds_playlist(&held.address, &held.request, self.socket.peer());
                }
                self.state = State::Held(Box::new(held));
            }
            Answer::Reply(reply) => {
                held.player.into_iter().for_each(|player| house.audience.released(player, house.now));
                if is_playlist && !reply.refused {
                    self.plays |= house.gives_playlist(&held.address, &held.request, self.socket.peer(), self.serial);
                }
                self.reply(house, reply, Some(held.address.event));
            }
            Answer::Copy(mut opening, copy) => {
                house.date.put(&mut opening);
                house.metrics.copies += 1;
                self.deadline = Deadline::NEVER;
                self.input = Vec::new();
                self.state = State::Copying(Box::new(Copying { opening, opening_sent: 0, copy }));
            }
            Answer::Listening(counts, reply) => {
                self.tells = true;
                house.shares.say(self.serial, held.address.event, counts, house.now);
                self.reply(house, reply, None);
            }
            Answer::Stream(stream) => {
                self.deadline = Deadline::NEVER;
                self.make_room(&stream.place);
                self.input = Vec::new();
                self.state = State::Streaming(Box::new(stream));
            }
        }
    }

    /// Gives the socket room for what is sent at once.
    fn make_room(&self, place: &Place) {
        // A system that refuses a smaller buffer only lets slow readers lag further behind.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(self.socket.fd(), buffer_bytes(place.rung, place.pace.now));
    }

    fn reply(&mut self, house: &mut House, mut reply: Reply, event: Option<EventId>) {
        house.date.put(&mut reply.head);
        house.metrics.refused += u64::from(reply.refused);
        self.deadline = house.deadline(limit::LISTENER_STALLED_MILLIS_MAX);
        self.state = State::Sending(Box::new(Sending { reply, head_sent: 0, event, waits: false }));
    }

    /// Looks again whether what is asked for is there.
    fn hold(&mut self, house: &mut House) -> Option<Fate> {
        let State::Held(held) = std::mem::replace(&mut self.state, State::Reading) else { return Some(Fate::Closes) };
        self.answer(house, *held);
        if matches!(self.state, State::Held(_)) { Some(Fate::Stays) } else { None }
    }

    /// Sends a reply; then reads the next request or takes leave.
    fn send(&mut self, house: &mut House) -> io::Result<Option<Fate>> {
        let State::Sending(sending) = &mut self.state else { return Ok(None) };
        let Sending { reply, head_sent, event, waits } = &mut **sending;
        let mut bytes = std::mem::take(&mut house.scratch);
        bytes.clear();
        bytes.extend_from_slice(&reply.head[*head_sent..]);
        let head = bytes.len();
        let read = if reply.range.is_empty() { Ok(()) } else { reply.body.read(reply.range.clone(), &mut house.span, &mut bytes) };
        *waits = read.as_ref().err().is_some_and(|error| Absent::of(error).is_some());
        if *waits && self.deadline > house.deadline(0) {
            house.scratch = bytes;
            if let (Err(error), Some(event)) = (read, event.and_then(|id| house.events.get_mut(&id))) {
                event.note_missing(error)?;
                return Ok(Some(Fate::Stays));
            }
            return Ok(Some(Fate::Closes));
        }
        let written = read.and_then(|()| write(&mut self.socket, &bytes, house));
        let is_empty = bytes.is_empty();
        house.scratch = bytes;
        let (count, blocked) = written?;
        *head_sent += count.min(head);
        reply.range.start += (count - count.min(head)) as u64;
        self.blocked = blocked;
        if count > 0 {
            self.deadline = house.deadline(limit::LISTENER_STALLED_MILLIS_MAX);
        }
        if blocked {
            return Ok(Some(Fate::Stays));
        }
        if is_empty {
            let keep_alive = reply.keep_alive;
            self.leave(house, keep_alive);
        }
        Ok(None)
    }

    /// Sends another relay what it has not been told.
    fn copy(&mut self, house: &mut House) -> io::Result<Option<Fate>> {
        if self.readable && self.socket.talks_besides() && !self.discard()? {
            return Ok(Some(Fate::Again));
        }
        let State::Copying(copying) = &mut self.state else { return Ok(None) };
        let Copying { opening, opening_sent, copy } = &mut **copying;
        if copy.counts {
            let mut counts = [0; 3];
            counts[copy.rung.place()] = 1;
            self.tells = true;
            house.shares.say(self.serial, copy.event, counts, house.now);
        }
        if *opening_sent < opening.len() {
            let (count, blocked) = write(&mut self.socket, &opening[*opening_sent..], house)?;
            *opening_sent += count;
            self.blocked = blocked;
            return Ok(blocked.then_some(Fate::Stays));
        }
        let Some(event) = house.events.get_mut(&copy.event) else { return Ok(Some(Fate::Closes)) };
        match copy.next(event)? {
            Next::Bytes(bytes, sent) => {
                let (count, blocked) = write(&mut self.socket, &bytes[sent..], house)?;
                copy.advance(count);
                self.blocked = blocked;
                Ok(blocked.then_some(Fate::Stays))
            }
            Next::Wait => {
                self.blocked = !flushed(&mut self.socket)?;
                Ok(Some(Fate::Stays))
            }
            Next::End if !flushed(&mut self.socket)? => {
                self.blocked = true;
                Ok(Some(Fate::Stays))
            }
            Next::End => {
                self.leave(house, false);
                Ok(None)
            }
        }
    }

    fn leave(&mut self, house: &House, keep_alive: bool) {
        let millis = if keep_alive { limit::CONNECTION_SILENT_MILLIS_MAX } else { LINGER_MILLIS_MAX };
        self.deadline = house.deadline(millis);
        if keep_alive {
            self.state = State::Reading;
        } else {
            self.socket.finish();
            self.state = State::Lingering;
        }
    }

    /// Sends what a stream has to send.
    fn pour(&mut self, house: &mut House) -> io::Result<Option<Fate>> {
        if self.readable && self.socket.talks_besides() && !self.discard()? {
            return Ok(Some(Fate::Again));
        }
        let State::Streaming(stream) = &mut self.state else { return Ok(None) };
        let Some(event) = house.events.get_mut(&stream.place.event) else { return Ok(Some(Fate::Closes)) };
        let cadence = stream.place.pace.now;
        let (bytes, sent) = match stream.next(event, house.governor.target(), &mut house.metrics.skips)? {
            Next::Bytes(bytes, sent) => (bytes, sent),
            Next::Wait => {
                // What TLS still holds goes out first.
                self.blocked = !flushed(&mut self.socket)?;
                return Ok(Some(Fate::Stays));
            }
            Next::End => {
                if !flushed(&mut self.socket)? {
                    self.blocked = true;
                    return Ok(Some(Fate::Stays));
                }
                self.leave(house, false);
                return Ok(None);
            }
        };
        let place = stream.place;
        if place.pace.now > cadence {
            self.make_room(&place);
        }
        let (count, blocked) = write(&mut self.socket, &bytes[sent..], house)?;
        self.blocked = blocked;
        if let State::Streaming(stream) = &mut self.state {
            // What is in hand for a listener stays in memory, whoever else has been sent it.
            self.deadline = match stream.advance(count) {
                true => Deadline::NEVER,
                false => self.deadline.min(house.deadline(limit::LISTENER_STALLED_MILLIS_MAX)),
            };
        }
        Ok(blocked.then_some(Fate::Stays))
    }

    /// Throws away what the peer sends; `false` when there is more of it than one turn takes.
    ///
    /// # Errors
    /// It has closed.
    fn discard(&mut self) -> io::Result<bool> {
        let mut bytes = [0; READ_BYTES];
        for _ in 0..READS_PER_TURN {
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Answers with our own fault when nothing was said yet; used behind a panic.
    pub(crate) fn fault(&mut self, date: &Date) {
        if let State::Held(_) | State::Reading = self.state {
            let mut bytes = answer::garbage(FaultKind::Internal).head;
            date.put(&mut bytes);
            bytes.extend_from_slice(http::problem(FaultKind::Internal).as_bytes());
            // It closes right behind this, delivered or not.
            let _ = self.socket.write(&bytes, &mut Vec::new());
            self.socket.finish();
        }
    }
}

/// Writes as much as goes: how much, and whether the socket is full.
fn write(socket: &mut Socket, bytes: &[u8], house: &mut House) -> io::Result<(usize, bool)> {
    let mut done = 0;
    let mut blocked = false;
    while done < bytes.len() && !blocked {
        house.metrics.sends += 1;
        match socket.write(&bytes[done..], &mut house.sealed) {
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => blocked = true,
            Err(error) => return Err(error),
        }
    }
    house.metrics.bytes_sent += done as u64;
    Ok((done, blocked || !flushed(socket)?))
}

/// Whether nothing is left in user space.
fn flushed(socket: &mut Socket) -> io::Result<bool> {
    match socket.flush() {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
