//! HTTP of the stage: WHIP, WHEP, the console's control stream and its actions (docs/formats.md, "HTTP of the stage").

use super::action;
use super::guests::{Guests, Standing};
use super::metrics::{Metrics, count};
use super::tickets::Tickets;
use super::words::{ConsoleLine, Done, Reply, Report, Request};
use ::stage::{MediaUse, SessionId, SessionKind, Who};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use base::journal::Role;
use base::limit::{BODY_BYTES_MAX, CLIENT_KEY_CHARS_MAX, CLIENT_KEY_CHARS_MIN, CONSOLE_QUEUE_LINES_MAX, SDP_BYTES_MAX};
use base::{EventId, FaultKind};
use gate::ticket::{Claims, Class};
use hyper::body::Frame;
use ingest::{Candidate, Purpose, Refusal, Session};
use serde::Deserialize;
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// What is said to who sent no ticket: nobody signs in here.
const NO_TICKET: &str = "There is no ticket with this. Send the stage link's token, the part behind /stage/, as the bearer token.";

/// The type of a fault's body.
const PROBLEM: &str = "application/problem+json";

/// What every request needs.
pub(super) struct Desk {
    /// Checks tickets.
    pub tickets: Tickets,
    /// Announced in every answer.
    pub candidates: Vec<Candidate>,
    /// The control thread.
    pub control: SyncSender<Report>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Listeners who may come on stage.
    pub guests: Arc<Guests>,
}

/// What a ticket makes of its bearer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer {
    role: Role,
    claims: Claims,
}

pub(super) type Here = State<Arc<Desk>>;

/// The routes, the same in public and on the machine's own socket.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/whip/{event}", post(whip))
        .route("/whep/{event}", post(whep))
        .route("/whip/{event}/{session}", delete(close).patch(trickle))
        .route("/whep/{event}/{session}", delete(close).patch(trickle))
        .route("/console/{event}", get(console).post(act))
        .route("/check/{event}", post(super::check::check))
        .fallback(any(|| async { Problem::from(FaultKind::NotFound) }))
        .method_not_allowed_fallback(|| async { Problem::from(FaultKind::MethodNotAllowed) })
        .layer(from_fn(cross_origin))
        .with_state(desk)
}

/// Any page may speak to the stage: what counts is the ticket, and no cookie is ever read.
async fn cross_origin(request: axum::extract::Request, next: Next) -> Response {
    let preflight = request.method() == axum::http::Method::OPTIONS;
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if response.status() == StatusCode::BAD_REQUEST {
        response = in_our_words(response);
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Location"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PATCH, DELETE, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, If-Match"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

/// An address or a query that was refused before a handler saw it says so as every other fault does.
fn in_our_words(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == PROBLEM) { response } else { Problem::from(FaultKind::BadRequest).into_response() }
}

/// A fault as problem+json (RFC 9457), and what is said about it.
#[derive(Debug)]
pub(super) struct Problem(FaultKind, Cow<'static, str>);

impl From<FaultKind> for Problem {
    fn from(fault: FaultKind) -> Self {
        Self(fault, if fault == FaultKind::NotSignedIn { NO_TICKET } else { fault.text() }.into())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if refusal.kind == FaultKind::BadSdp {
            return Self(FaultKind::BadSdp, format!("The offer can't be taken: {}.", refusal.cause).into());
        }
        refusal.kind.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": self.0.code(),
            "detail": self.1,
        });
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM)], body.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3: an error stands there only where a token came.
            let challenge = if self.0 == FaultKind::NotSignedIn { "Bearer" } else { "Bearer error=\"invalid_token\"" };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct WhoAsks {
    key: Option<String>,
    name: Option<String>,
    #[serde(default)]
    backstage: Option<String>,
}

impl WhoAsks {
    pub(super) fn with(self, Bearer { role, claims }: Bearer) -> Result<Who, FaultKind> {
        let usable = |key: &String| {
            (CLIENT_KEY_CHARS_MIN..=CLIENT_KEY_CHARS_MAX).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if self.key.as_ref().is_some_and(|key| !usable(key)) {
            return Err(FaultKind::BadRequest);
        }
        let backstage = match self.backstage.as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => return Err(FaultKind::BadRequest),
        };
        let by_hand = claims.class == Class::Listener;
        Ok(Who { key: self.key, name: self.name, role, ticket: claims.id, by_hand, backstage })
    }
}

impl Desk {
    /// The event at an address, and what the bearer's ticket lets them be there.
    pub(super) fn admit(&self, event: &str, headers: &HeaderMap) -> Result<(EventId, Bearer), FaultKind> {
        let event = event.parse().map_err(|_| FaultKind::EventUnknown)?;
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, ticket) = bearer.and_then(|value| value.split_once(' ')).ok_or(FaultKind::NotSignedIn)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(FaultKind::NotSignedIn);
        }
        let claims = self.tickets.admit(ticket.trim(), event)?;
        let role = match claims.class {
            Class::Host => Role::Host,
            Class::CoHost => Role::CoHost,
            Class::Speaker => Role::Speaker,
            Class::Listener => match self.guests.standing(event, claims.id) {
                Standing::Guest => Role::Speaker,
                Standing::Barred => return Err(FaultKind::Barred),
                Standing::Listener => return Err(FaultKind::Forbidden),
            },
            Class::Relay => return Err(FaultKind::Forbidden),
        };
        Ok((event, Bearer { role, claims }))
    }

    pub(super) async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, FaultKind> {
        let (reply, answer) = oneshot::channel();
        if self.control.try_send(Report::Request(request(reply))).is_err() {
            count(&self.metrics.reports_dropped);
            return Err(FaultKind::TooManyRequests);
        }
        answer.await.unwrap_or(Err(FaultKind::RoleDown))
    }
}

async fn whip(
    State(desk): Here,
    Path(event): Path<String>,
    Query(asks): Query<WhoAsks>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    call(&desk, &event, asks, &headers, body, Purpose::Whip).await
}

async fn whep(
    State(desk): Here,
    Path(event): Path<String>,
    Query(asks): Query<WhoAsks>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    call(&desk, &event, asks, &headers, body, Purpose::Whep).await
}

async fn call(desk: &Desk, event: &str, asks: WhoAsks, headers: &HeaderMap, body: Body, purpose: Purpose) -> Result<Response, Problem> {
    let (event, bearer) = desk.admit(event, headers)?;
    let secret = desk.tickets.session_secret(&bearer.claims)?;
    let who = asks.with(bearer)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("application/sdp");
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/sdp")) {
        return Err(FaultKind::WrongMediaType.into());
    }
    let offer = to_bytes(body, SDP_BYTES_MAX).await.map_err(|_| FaultKind::BodyTooLarge)?;
    let offer = std::str::from_utf8(&offer).map_err(|_| FaultKind::BadSdp)?;
    let (session, answer) = Session::accept(Instant::now(), purpose, offer, &desk.candidates, secret).map_err(|refusal| {
        tracing::info!(%event, %refusal, "an offer is refused");
        refusal
    })?;
    let (path, kind) = match purpose {
        Purpose::Whip if answer_receives(&answer) => ("whip", SessionKind::Media(MediaUse::SendsAndReceives)),
        Purpose::Whip => ("whip", SessionKind::Media(MediaUse::Sends)),
        Purpose::Whep => ("whep", SessionKind::Monitor),
    };
    let id = desk.ask(|reply| Request::Call { event, who, kind, session: Box::new(session), reply }).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/sdp".to_owned()),
        (header::LOCATION, format!("/{path}/{event}/{:016x}", id.0)),
        (header::ETAG, format!("\"{:016x}\"", id.0)),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// Whether the stage sends back, too: its answer to `sendrecv` is `sendrecv`.
fn answer_receives(answer: &str) -> bool {
    answer.lines().any(|line| line.trim_end() == "a=sendrecv")
}

async fn close(State(desk): Here, Path((event, session)): Path<(String, String)>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let (event, session) = session_at(&desk, &event, &session, &headers)?;
    desk.ask(|reply| Request::Close { event, session, reply }).await?;
    Ok(StatusCode::OK)
}

async fn trickle(State(desk): Here, Path((event, session)): Path<(String, String)>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let (event, session) = session_at(&desk, &event, &session, &headers)?;
    desk.ask(|reply| Request::Find { event, session, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn session_at(desk: &Desk, event: &str, session: &str, headers: &HeaderMap) -> Result<(EventId, SessionId), FaultKind> {
    let (event, _) = desk.admit(event, headers)?;
    let session = u64::from_str_radix(session, 16).map_err(|_| FaultKind::NotFound)?;
    Ok((event, SessionId(session)))
}

async fn console(
    State(desk): Here,
    Path(event): Path<String>,
    Query(asks): Query<WhoAsks>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (event, bearer) = desk.admit(&event, &headers)?;
    let who = asks.with(bearer)?;
    let (lines, stream) = mpsc::channel(CONSOLE_QUEUE_LINES_MAX);
    desk.ask(|reply| Request::Console { event, who, lines, reply }).await?;
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Body::new(Lines(stream))).into_response())
}

async fn act(
    State(desk): Here,
    Path(event): Path<String>,
    Query(asks): Query<WhoAsks>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (event, bearer) = desk.admit(&event, &headers)?;
    let who = asks.with(bearer)?;
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| FaultKind::BodyTooLarge)?;
    let action = action::read(&body)?;
    let said = match desk.ask(|reply| Request::Act { event, who, action, reply }).await? {
        Done::Done => serde_json::json!({}),
        Done::Cut { cut_ms, heard_ms } => serde_json::json!({"cut_ms": cut_ms, "heard_ms": heard_ms}),
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], said.to_string()).into_response())
}

/// A control stream as a body: it ends when the control thread drops its end.
struct Lines(mpsc::Receiver<ConsoleLine>);

impl hyper::body::Body for Lines {
    type Data = ConsoleLine;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<ConsoleLine>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
