//! Who asks: the door they came through, and their session.

use crate::app::App;
use crate::fault::Fault;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use square::{Actor, Secret, account};

/// The door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The public address: sessions say who asks.
    Public,
    /// The server's own socket: who can open it is the operator.
    Operator,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    /// The session they showed, when it is a good one.
    pub(crate) session: Option<Secret>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        if parts.extensions.get() == Some(&Door::Operator) {
            return Ok(Self { actor: Actor::Operator, session: None });
        }
        let Some(session) = session(&parts.headers, app) else { return Ok(Self::visitor()) };
        let account = account::whose(app.store(), &session, app.now()).await?;
        Ok(account.map_or_else(Self::visitor, |account| Self { actor: Actor::Account(account), session: Some(session) }))
    }
}

impl Caller {
    fn visitor() -> Self {
        Self { actor: Actor::Visitor, session: None }
    }
}

/// The `Set-Cookie` that opens a session, or ends it when there is none. Over https the name keeps other hosts and
/// plain http from setting it (RFC 6265bis, section 4.1.3.2).
pub(crate) fn set_cookie(app: &App, session: Option<&Secret>) -> String {
    let days = if session.is_some() { base::limit::SESSION_DAYS_MAX } else { 0 };
    let secure = if app.addresses().https() { "; Secure" } else { "" };
    let value = session.map_or("", Secret::text);
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", cookie_name(app), days * 24 * 3_600)
}

/// What the cookie is called that holds a session.
pub(crate) fn cookie_name(app: &App) -> &'static str {
    if app.addresses().https() { "__Host-townsquare" } else { "townsquare" }
}

fn session(headers: &HeaderMap, app: &App) -> Option<Secret> {
    cookie(headers, cookie_name(app))
}

/// The secret in the cookie of this name.
pub(crate) fn cookie(headers: &HeaderMap, wanted: &str) -> Option<Secret> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| if name == wanted { Secret::read(value) } else { None })
}
