//! Headers that every answer carries.

use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Half a year: long enough to matter, short enough to take back (RFC 6797).
const HSTS: &str = "max-age=15552000";

/// Adds what every answer carries; what a handler said itself stays.
pub(crate) async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let on_stage = request.uri().path().starts_with("/stage/");
    let mut answer = next.run(request).await;
    let is_for_one = !answer.headers().contains_key(header::CACHE_CONTROL);
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().entry(name).or_insert(value);
        }
    };
    say(header::CONTENT_SECURITY_POLICY, &policy(&app));
    say(header::REFERRER_POLICY, "no-referrer");
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    say(HeaderName::from_static("permissions-policy"), permissions(on_stage));
    // Pages differ by who asks; they are asked for again each time, which also keeps the back button's own cache alive.
    // What says itself how long it may be kept is the same for everybody.
    if is_for_one {
        say(header::CACHE_CONTROL, "private, no-cache");
        say(header::VARY, "Accept, Cookie");
    }
    if app.addresses().https() {
        say(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    answer
}

fn permissions(on_stage: bool) -> &'static str {
    if on_stage {
        "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()"
    } else {
        "microphone=(), camera=(), geolocation=(), display-capture=(), payment=(), usb=()"
    }
}

/// One policy for all pages: a document keeps its first one while its content is swapped for other pages'.
fn policy(app: &App) -> String {
    let (relay, stage) = app.addresses().media_origins();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         media-src 'self' blob: {relay}; connect-src 'self' {relay} {stage}; manifest-src 'self'; frame-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}
