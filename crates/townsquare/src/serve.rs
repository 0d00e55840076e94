//! HTTP on a listening socket: a public address, with TLS when there is a certificate, or the server's own.

use crate::visitors::Visitors;
use anyhow::Context as _;
use api::Peer;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use base::limit::{CONNECTION_SILENT_MILLIS_MAX, REQUEST_HEAD_MILLIS_MAX, SQUARE_REQUEST_MILLIS_MAX};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

/// How long a listener rests when the system has no descriptor for it.
const REST: Duration = Duration::from_millis(100);

/// Listens on the server's own socket, which its owner alone may open. The place of a dead one is taken.
pub(crate) fn bind_own(path: &Path) -> anyhow::Result<UnixListener> {
    let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
    let bind = || -> std::io::Result<UnixListener> {
        let _ = std::fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&fresh, path)?;
        Ok(listener)
    };
    bind().with_context(|| format!("can't listen on {}", path.display()))
}

/// Serves a public address until it is stopped, then until its requests are answered.
pub(crate) async fn public(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    visitors: Arc<Visitors>,
    stopped: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            visitors.room().await;
            listener.accept().await
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = until_stopped(stopped.clone()) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                rest(&error).await;
                continue;
            }
        };
        let Some(visit) = visitors.enter(Some(peer.ip())) else { continue };
        let _ = stream.set_nodelay(true);
        let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
        tokio::spawn(async move {
            let _visit = visit;
            let peer = Some(Peer(peer.ip()));
            match tls {
                None => converse(stream, Protocol::Http1, router, peer, stopped, PATIENCE).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE.head, tls.accept(stream)).await {
                        let protocol = agreed(&stream);
                        converse(stream, protocol, router, peer, stopped, PATIENCE).await;
                    }
                }
            }
        });
    }
    visitors.gone().await;
}

/// Serves the server's own socket until it is stopped, then until its requests are answered.
pub(crate) async fn own(listener: UnixListener, router: Router, visitors: Arc<Visitors>, stopped: watch::Receiver<bool>) {
    loop {
        let next = async {
            visitors.room().await;
            listener.accept().await
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = until_stopped(stopped.clone()) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let Some(visit) = visitors.enter(None) else { continue };
                let (router, stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    let _visit = visit;
                    converse(stream, Protocol::Http1, router, None, stopped, PATIENCE).await;
                });
            }
            Err(error) => rest(&error).await,
        }
    }
    visitors.gone().await;
}

async fn rest(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(REST).await;
}

async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What both sides speak. It is known beforehand: who looked at the first bytes would wait for them without end.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

/// What was agreed upon in the handshake.
fn agreed(stream: &TlsStream<TcpStream>) -> Protocol {
    if stream.get_ref().1.alpn_protocol() == Some(b"h2".as_slice()) { Protocol::Http2 } else { Protocol::Http1 }
}

/// How long a connection may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// For the handshake, and for a request's head over HTTP/1.1.
    head: Duration,
    /// Without a request that is being answered.
    silent: Duration,
    /// For what is being said when it is to close.
    last: Duration,
}

const PATIENCE: Patience = Patience {
    head: Duration::from_millis(REQUEST_HEAD_MILLIS_MAX),
    silent: Duration::from_millis(CONNECTION_SILENT_MILLIS_MAX),
    last: Duration::from_millis(SQUARE_REQUEST_MILLIS_MAX),
};

async fn converse<S>(stream: S, protocol: Protocol, router: Router, peer: Option<Peer>, stopped: watch::Receiver<bool>, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(32).keep_alive_interval(Duration::from_secs(20));
    let (open, requests) = watch::channel(0);
    let service = hyper::service::service_fn(move |request| {
        let (answered, open) = (answer(router.clone(), peer, request, Open::new(open.clone())), open.clone());
        async move { answered.await.map(|answer| answer.map(|body| followed(body, open))) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = until_stopped(stopped) => {}
        () = silence(requests, patience.silent) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(patience.last, connection).await;
}

/// Returns once no request has been open for as long as that, and nothing was taken of an answer.
async fn silence(mut requests: watch::Receiver<usize>, patience: Duration) {
    loop {
        let _ = requests.wait_for(|open| *open == 0).await;
        match tokio::time::timeout(patience, requests.changed()).await {
            Ok(Ok(())) => {}
            // Nobody will ask any more: the connection ends by itself.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}

/// A body of which every piece that is taken is a word from who reads: a long answer takes as long as their line needs.
fn followed(body: Body, open: watch::Sender<usize>) -> Body {
    Body::new(body.map_frame(move |frame| {
        open.send_modify(|_| {});
        frame
    }))
}

/// A request that is being answered.
struct Open(watch::Sender<usize>);

impl Open {
    fn new(open: watch::Sender<usize>) -> Self {
        open.send_modify(|open| *open += 1);
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn answer(
    router: Router,
    peer: Option<Peer>,
    mut request: Request<Incoming>,
    _open: Open,
) -> Result<hyper::Response<Body>, Infallible> {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    let patience = Duration::from_millis(SQUARE_REQUEST_MILLIS_MAX);
    match tokio::time::timeout(patience, router.oneshot(request.map(Body::new))).await {
        Ok(answer) => answer,
        Err(_) => Ok((StatusCode::REQUEST_TIMEOUT, [("connection", "close")]).into_response()),
    }
}

#[cfg(test)]
mod tests;
