//! Faults as answers: a page for people, problem+json (RFC 9457) for programs.

use crate::app::App;
use crate::page;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::FaultKind;
use std::error::Error as _;

/// A request that was not done. It becomes an answer in [`render`], which knows whether a person or a program asked.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: FaultKind,
    /// What the browser is to keep all the same.
    cookie: Option<HeaderValue>,
}

impl Fault {
    /// What the one who asked is told.
    pub(crate) const fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The same, with something for the browser to keep.
    pub(crate) fn keeping(kind: FaultKind, cookie: Option<HeaderValue>) -> Self {
        Self { kind, cookie }
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self { kind, cookie: None }
    }
}

impl From<square::Fault> for Fault {
    fn from(fault: square::Fault) -> Self {
        if let Some(cause) = &fault.cause {
            tracing::error!(code = fault.kind.code(), cause = %cause, detail = ?cause.source(), "a request failed");
        }
        Self { kind: fault.kind, cookie: None }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut answer = status(self.kind).into_response();
        answer.extensions_mut().insert(self.kind);
        if let Some(cookie) = self.cookie {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// Writes the body of an answer that is a fault.
pub(crate) async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let for_program = is_program(request.uri(), request.headers());
    let answer = next.run(request).await;
    app.counts().answered(answer.status().as_u16());
    let Some(kind) = answer.extensions().get::<FaultKind>().copied().or_else(|| unreadable(&answer)) else { return answer };
    let mut body = if for_program { problem(kind) } else { page::fault(kind) };
    *body.status_mut() = status(kind);
    for (name, value) in answer.headers() {
        if [header::ALLOW, header::SET_COOKIE, header::RETRY_AFTER].contains(name) {
            body.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(seconds) = retry_after(kind) {
        body.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static(seconds));
    }
    body.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    body
}

/// After how many seconds it may be done, where waiting helps.
fn retry_after(kind: FaultKind) -> Option<&'static str> {
    if matches!(kind, FaultKind::RoleDown | FaultKind::EventsFull) {
        return Some("2");
    }
    if kind == FaultKind::VisitorsFull {
        return Some("3600");
    }
    (kind.status() == 429).then_some("60")
}

/// The fault of an address or a query that was refused before a handler saw it.
fn unreadable(answer: &Response) -> Option<FaultKind> {
    (answer.status() == StatusCode::BAD_REQUEST).then_some(FaultKind::BadRequest)
}

/// What a handler that panicked answers.
pub(crate) fn panicked(app: &App) -> Response {
    app.counts().panicked();
    tracing::error!("a request handler panicked");
    Fault::from(FaultKind::Internal).into_response()
}

/// Whether an answer in JSON is wanted: on the API always, elsewhere when it is asked for and HTML is not.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = |kind: &str| headers.get_all(header::ACCEPT).iter().any(|line| line.to_str().is_ok_and(|line| line.contains(kind)));
    accepts("json") && !accepts("text/html")
}

fn is_program(uri: &Uri, headers: &HeaderMap) -> bool {
    uri.path().starts_with("/api/") || uri.path() == "/openapi.json" || wants_json(headers)
}

fn problem(kind: FaultKind) -> Response {
    let status = kind.status();
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let body = serde_json::json!({
        "type": "about:blank", "title": title, "status": status, "code": kind.code(), "detail": kind.text(),
    });
    let mut answer = body.to_string().into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    answer
}

fn status(kind: FaultKind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
