//! The door: where roles connect. One task for each connection; what it hears goes to the supervisor's one loop.

use super::Event;
use crate::link::wire::{self, FromRole};
use base::limit::{LINK_LINE_BYTES_MAX, LINK_LINES_MAX};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{Error, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

/// A role's first words.
#[derive(Debug)]
pub(crate) struct Hello {
    pub(crate) role: crate::link::RoleName,
    pub(crate) index: u32,
    /// Its process, as the system says it.
    pub(crate) pid: i32,
    pub(crate) version: String,
    pub(crate) sockets: Vec<OwnedFd>,
    /// Takes lines for it.
    pub(crate) lines: mpsc::Sender<String>,
}

/// Lets roles in for as long as the supervisor lives.
pub(crate) async fn open(listener: UnixListener, events: mpsc::Sender<Event>) {
    for connection in 0.. {
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(error) => {
                    tracing::warn!("a role can't connect: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        };
        let events = events.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(connection, &stream, &events).await {
                tracing::debug!("a link ended: {error}");
            }
            let _ = events.send(Event::Closed { connection }).await;
        });
    }
}

async fn converse(connection: u64, stream: &UnixStream, events: &mpsc::Sender<Event>) -> std::io::Result<()> {
    let pid = stream.peer_cred()?.pid().ok_or_else(|| Error::other("a peer without a process"))?;
    let (lines, mut outbox) = mpsc::channel::<String>(LINK_LINES_MAX);
    let mut lines = Some(lines);
    let mut inbox = Vec::new();
    let mut sockets = Vec::new();
    loop {
        let count = tokio::select! {
            line = outbox.recv() => match line {
                Some(line) => { write(stream, line.as_bytes()).await?; continue; }
                None => return Ok(()),
            },
            count = stream.async_io(Interest::READABLE, || receive(stream, &mut inbox, &mut sockets)) => count?,
        };
        for line in wire::lines(&mut inbox, LINK_LINE_BYTES_MAX)? {
            let event = match (FromRole::read(&line)?, lines.take()) {
                (FromRole::Hello { role, index, version, .. }, Some(lines)) => {
                    Event::Hello { connection, hello: Hello { role, index, pid, version, sockets: std::mem::take(&mut sockets), lines } }
                }
                (FromRole::Hello { .. }, None) | (_, Some(_)) => return Err(Error::other("a link begins with one hello")),
                (said, None) => Event::Said { connection, said },
            };
            events.send(event).await.map_err(Error::other)?;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// Reads what is there, the sockets that ride with it included.
fn receive(stream: &UnixStream, inbox: &mut Vec<u8>, sockets: &mut Vec<OwnedFd>) -> std::io::Result<usize> {
    let mut bytes = [0u8; 16 * 1024];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            sockets.extend(received);
        }
    }
    inbox.extend_from_slice(&bytes[..got.bytes]);
    Ok(got.bytes)
}

async fn write(stream: &UnixStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
