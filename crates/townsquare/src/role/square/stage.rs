//! A word to the stage over its own socket (docs/formats.md, "HTTP of the stage").

use api::Order;
use base::limit::{BODY_BYTES_MAX, STAGE_ORDER_MILLIS_MAX};
use base::{EventId, FaultKind};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;

/// Tells the stage what to do with an event; done once it is in the journal.
pub(crate) async fn order(socket: &Path, event: EventId, ticket: &str, order: Order) -> Result<(), FaultKind> {
    let patience = Duration::from_millis(STAGE_ORDER_MILLIS_MAX);
    match tokio::time::timeout(patience, post(socket, event, ticket, order)).await {
        Ok(Ok((StatusCode::OK, _))) => Ok(()),
        Ok(Ok((status, body))) => Err(refusal(event, status, &body)),
        Ok(Err(error)) => {
            tracing::warn!(%event, error = format!("{error:#}"), "the stage can't be reached");
            Err(FaultKind::RoleDown)
        }
        Err(_) => {
            tracing::warn!(%event, "the stage does not answer");
            Err(FaultKind::RoleDown)
        }
    }
}

async fn post(socket: &Path, event: EventId, ticket: &str, order: Order) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let body = match order {
        Order::GoLive => r#"{"do":"go-live","yes":true}"#.to_owned(),
        Order::End => r#"{"do":"end"}"#.to_owned(),
        Order::Bar(ticket) => format!(r#"{{"do":"bar","ticket":"{ticket:016x}"}}"#),
    };
    let request = Request::post(format!("/console/{event}"))
        .header(header::HOST, "stage")
        .header(header::AUTHORIZATION, format!("Bearer {ticket}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    connection.abort();
    Ok((status, body))
}

/// What the stage refused, in our own words; what it says and we don't know is our own fault.
fn refusal(event: EventId, status: StatusCode, body: &[u8]) -> FaultKind {
    const KNOWN: [FaultKind; 9] = [
        FaultKind::EventUnknown,
        FaultKind::EventNotLive,
        FaultKind::EventEnded,
        FaultKind::EventsFull,
        FaultKind::StageFull,
        FaultKind::DiskFull,
        FaultKind::BanFull,
        FaultKind::TooManyRequests,
        FaultKind::RoleDown,
    ];
    let code = serde_json::from_slice::<serde_json::Value>(body).ok();
    let code = code.as_ref().and_then(|problem| problem["code"].as_str()).unwrap_or_default();
    KNOWN.into_iter().find(|kind| kind.code() == code).unwrap_or_else(|| {
        tracing::error!(%event, status = status.as_u16(), code, "the stage refused the square");
        FaultKind::Internal
    })
}
