//! One listener: a descriptor and a few words; what only few need stands apart.

use super::answer;
use super::wire::{self, Secure};
use super::{Fate, Shared};
use crate::boxes::Boxes;
use crate::hearing::Hearing;
use crate::hls::Player;
use crate::sound::Sound;
use base::Rung;
use rustix::net::sockopt;
use rustls::ClientConnection;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// What a listener is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection is being made.
    Connecting,
    /// The answer's head is awaited.
    Head,
    /// The answer's body comes.
    Sound,
    /// The connection is gone; another try follows.
    Lost,
    /// Left for a while.
    Away,
    /// The event is over.
    Ended,
}

/// One listener.
pub(super) struct Listener {
    fd: Option<OwnedFd>,
    pub(super) stage: Stage,
    pub(super) tries: u8,
    pub(super) slow: bool,
    /// Whether this listener was ever let in.
    pub(super) joined: bool,
    /// Whether the last connection broke while sound came.
    pub(super) broke: bool,
    /// When the connection was begun.
    pub(super) since: u32,
    pub(super) hearing: Hearing,
    pub(super) boxes: Boxes,
    pub(super) extra: Option<Box<Extra>>,
}

/// What only some listeners have.
#[derive(Default)]
pub(super) struct Extra {
    secure: Option<Secure>,
    /// A head that is not whole yet.
    pub(super) head: Vec<u8>,
    pub(super) player: Option<Playing>,
    pub(super) sound: Option<Sound>,
}

/// A player of HLS on a kept connection.
pub(super) struct Playing {
    pub(super) player: Player,
    /// Which listener this is: servers tell players apart by what they call themselves.
    pub(super) number: usize,
    /// Bytes of the answer that are still to come.
    pub(super) left: u64,
    pub(super) is_fault: bool,
    pub(super) has_list: bool,
}

impl Listener {
    /// A listener who has not set out; a player of `hls` has a rung and a number.
    pub(super) fn new(slow: bool, hls: Option<(Rung, usize)>, samples: bool) -> Self {
        let player = hls.map(|(rung, number)| Playing { player: Player::new(rung), number, left: 0, is_fault: false, has_list: false });
        // Without a decoder a sample is a listener like the others.
        let sound = if samples { Sound::new(player.is_none()).ok() } else { None };
        let is_plain = player.is_none() && sound.is_none();
        Self {
            fd: None,
            stage: Stage::Lost,
            tries: 0,
            slow,
            joined: false,
            broke: false,
            since: 0,
            hearing: Hearing::default(),
            boxes: Boxes::new(),
            extra: (!is_plain).then(|| Box::new(Extra { player, sound, ..Extra::default() })),
        }
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.fd.is_some()
    }

    /// A connection was begun.
    pub(super) fn connecting(&mut self, fd: OwnedFd, now: u32) {
        self.fd = Some(fd);
        self.stage = Stage::Connecting;
        self.since = now;
        self.boxes = Boxes::new();
        self.hearing.connected(now);
        if let Some(extra) = &mut self.extra {
            extra.secure = None;
            extra.head.clear();
            let is_stream = extra.player.is_none();
            if let Some(sound) = &mut extra.sound {
                sound.connected(is_stream);
            }
            if let Some(playing) = &mut extra.player {
                playing.player.lost();
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.fd = None;
    }

    /// Whether the connection could not be made.
    pub(super) fn has_failed(&self) -> bool {
        self.fd.as_ref().is_none_or(|fd| !matches!(sockopt::socket_error(fd), Ok(Ok(()))))
    }

    /// The connection stands: asks for what this listener came for.
    pub(super) fn greet(&mut self, shared: &Shared) -> io::Result<()> {
        if let Some((config, name)) = &shared.tls {
            let session = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
            self.extra.get_or_insert_default().secure = Some(Secure(session));
        }
        let request = match self.extra.as_mut().and_then(|extra| extra.player.as_mut()) {
            Some(playing) => shared.hls.request(&shared.order, playing),
            None => answer::stream_request(&shared.order, self.hearing.next(), self.hearing.ready(shared.now)),
        };
        self.stage = Stage::Head;
        self.send(request.as_bytes())
    }

    /// Sends a request. It is far smaller than what an idle socket takes: less is a connection that failed.
    pub(super) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        let fd = self.fd.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match self.extra.as_mut().and_then(|extra| extra.secure.as_mut()) {
            Some(secure) => secure.send(fd, request),
            None if wire::send(fd, request)? == request.len() => Ok(()),
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Brings out what TLS still has to say.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match (&self.fd, self.extra.as_mut().and_then(|extra| extra.secure.as_mut())) {
            (Some(fd), Some(secure)) => secure.flush(fd),
            _ => Ok(()),
        }
    }

    pub(super) fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let fd = self.fd.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match self.extra.as_mut().and_then(|extra| extra.secure.as_mut()) {
            Some(secure) => secure.receive(fd, into),
            None => wire::receive(fd, into),
        }
    }

    /// Takes bytes of an answer.
    pub(super) fn take(&mut self, bytes: &[u8], shared: &mut Shared) -> Fate {
        answer::take(self, bytes, shared)
    }
}
