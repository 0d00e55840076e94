//! TCP of the stage: the first byte of a connection tells whether it is HTTP, TLS or ICE (docs/formats.md, "HTTP of the stage").

use super::network::{Network, ToNetwork};
use crate::visitors::{Visit, Visitors};
use axum::Router;
use base::limit::{
    DATAGRAM_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_MILLIS_MAX, SESSION_SILENT_MILLIS_MAX, STAGE_CONNECTIONS_MAX,
    STAGE_MEDIA_CONNECTIONS_MAX, TCP_QUEUE_FRAMES_MAX,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ingest::framing;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// First byte of a TLS record that begins a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepting goes on after this when the system has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection is served with.
#[derive(Clone)]
pub(super) struct Service {
    pub router: Router,
    pub tls: Option<TlsAcceptor>,
    pub network: Network,
    pub room: Room,
}

/// Who may connect. Media has its own room: who fills it takes no request's place.
#[derive(Clone)]
pub(super) struct Room {
    pub requests: Arc<Visitors>,
    pub media: Arc<Visitors>,
}

impl Default for Room {
    fn default() -> Self {
        Self { requests: Visitors::new("stage", STAGE_CONNECTIONS_MAX), media: Visitors::new("stage_media", STAGE_MEDIA_CONNECTIONS_MAX) }
    }
}

impl Room {
    /// For Prometheus.
    pub(super) fn metrics(&self) -> String {
        self.requests.metrics() + &self.media.metrics()
    }
}

/// Takes connections from everywhere.
pub(super) async fn serve_tcp(listener: TcpListener, service: Service) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(visit) = service.room.requests.enter(Some(peer.ip())) else { continue };
        // A peer's broken connection is its own affair.
        tokio::spawn(connection(stream, peer, service.clone(), visit));
    }
}

/// Takes connections from this machine.
pub(super) async fn serve_unix(listener: UnixListener, router: Router) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(http(stream, router.clone()));
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, service: Service, visit: Visit) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let patience = Duration::from_millis(REQUEST_HEAD_MILLIS_MAX);
    let mut first = [0];
    if tokio::time::timeout(patience, stream.peek(&mut first)).await?? == 0 {
        return Ok(());
    }
    match (first[0], service.tls) {
        (b'A'..=b'Z', _) => http(stream, service.router).await,
        (TLS_HANDSHAKE, Some(tls)) => http(tokio::time::timeout(patience, tls.accept(stream)).await??, service.router).await,
        (TLS_HANDSHAKE, None) => {}
        _ => {
            drop(visit);
            if let Some(_visit) = service.room.media.enter(Some(peer.ip())) {
                ice(stream, canonical(peer), &service.network).await?;
            }
        }
    }
    Ok(())
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new());
    server.header_read_timeout(Duration::from_millis(REQUEST_HEAD_MILLIS_MAX));
    server.max_buf_size(REQUEST_HEAD_BYTES_MAX);
    // What goes wrong on one connection is answered on it or is nobody's concern.
    let _ = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
}

/// Carries RFC 4571 frames between the connection and the network thread, which hangs up on who is nobody's.
async fn ice(stream: TcpStream, peer: SocketAddr, network: &Network) -> anyhow::Result<()> {
    let local = canonical(stream.local_addr()?);
    let (mut reader, mut writer) = stream.into_split();
    let (frames, mut outgoing) = mpsc::channel::<Vec<u8>>(TCP_QUEUE_FRAMES_MAX);
    network.media(ToNetwork::TcpOpened { peer, frames });
    let patience = Duration::from_millis(SESSION_SILENT_MILLIS_MAX);
    let write = async {
        let mut framed = Vec::with_capacity(DATAGRAM_BYTES_MAX + framing::PREFIX_BYTES);
        while let Some(datagram) = outgoing.recv().await {
            framed.clear();
            framing::frame(&datagram, &mut framed)?;
            tokio::time::timeout(patience, writer.write_all(&framed)).await??;
        }
        anyhow::Ok(())
    };
    let read = async {
        let mut decoder = framing::Decoder::default();
        let mut bytes = [0; 4 * DATAGRAM_BYTES_MAX];
        loop {
            let length = reader.read(&mut bytes).await?;
            if length == 0 {
                return anyhow::Ok(());
            }
            decoder.push(&bytes[..length]);
            while let Some(frame) = decoder.next_frame()? {
                network.media(ToNetwork::TcpFrame { peer, local, bytes: frame.to_vec() });
            }
        }
    };
    let done = tokio::select! { done = write => done, done = read => done };
    network.media(ToNetwork::TcpClosed(peer));
    done
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests;
