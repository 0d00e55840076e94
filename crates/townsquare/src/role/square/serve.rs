//! Connections: the public address, with TLS when there is a certificate, and the server's own socket.

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use base::limit::{REQUEST_HEAD_MILLIS_MAX, SQUARE_CONNECTIONS_MAX, SQUARE_REQUEST_MILLIS_MAX};
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
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
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

/// Serves the public address until it is stopped, then until its requests are answered.
pub(crate) async fn public(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(SQUARE_CONNECTIONS_MAX));
    loop {
        let Some(place) = place(&places, &stopped).await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until_stopped(stopped.clone()) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                rest(&error).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
        tokio::spawn(async move {
            let _place = place;
            match tls {
                None => converse(stream, router, stopped).await,
                Some(tls) => {
                    let patience = Duration::from_millis(REQUEST_HEAD_MILLIS_MAX);
                    if let Ok(Ok(stream)) = tokio::time::timeout(patience, tls.accept(stream)).await {
                        converse(stream, router, stopped).await;
                    }
                }
            }
        });
    }
    drain(&places).await;
}

/// Serves the server's own socket until it is stopped, then until its requests are answered.
pub(crate) async fn own(listener: UnixListener, router: Router, stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(SQUARE_CONNECTIONS_MAX));
    loop {
        let Some(place) = place(&places, &stopped).await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until_stopped(stopped.clone()) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    let _place = place;
                    converse(stream, router, stopped).await;
                });
            }
            Err(error) => rest(&error).await,
        }
    }
    drain(&places).await;
}

async fn place(places: &Arc<Semaphore>, stopped: &watch::Receiver<bool>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        place = Arc::clone(places).acquire_owned() => place.ok(),
        () = until_stopped(stopped.clone()) => None,
    }
}

/// Waits until every connection has given its place back.
async fn drain(places: &Semaphore) {
    let all = u32::try_from(SQUARE_CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let _ = places.acquire_many(all).await;
}

async fn rest(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(REST).await;
}

async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn converse<S>(stream: S, router: Router, stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(REQUEST_HEAD_MILLIS_MAX));
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(32).keep_alive_interval(Duration::from_secs(20));
    let service = hyper::service::service_fn(move |request| answer(router.clone(), request));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = until_stopped(stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<hyper::Response<Body>, Infallible> {
    let patience = Duration::from_millis(SQUARE_REQUEST_MILLIS_MAX);
    match tokio::time::timeout(patience, router.oneshot(request.map(Body::new))).await {
        Ok(answer) => answer,
        Err(_) => Ok((StatusCode::REQUEST_TIMEOUT, [("connection", "close")]).into_response()),
    }
}
