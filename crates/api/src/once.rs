//! What is sent twice is done once: a form that somebody presses twice, a program that asks again because it heard no answer. The second
//! request gets the first one's answer. A form carries a token for that, a program the header `Idempotency-Key`.

use crate::app::App;
use crate::caller;
use crate::fault::Fault;
use crate::guest;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base::limit::{ANSWER_KEPT_BYTES_MAX, ANSWERS_KEPT_MAX, ANSWERS_KEPT_MILLIS};
use base::{FaultKind, UnixMillis};
use sha2::{Digest as _, Sha256};
use square::Secret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use tokio::sync::Mutex;

/// The field in which a form carries its token.
pub(crate) const FIELD: &str = "once";

/// The header in which a program does, as Mastodon's API has it.
const HEADER: &str = "idempotency-key";

/// What makes two requests the same: who asks, where, under which token, and what a form says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key([u8; 32]);

/// A new token for the forms of a page.
pub(crate) fn token(app: &App) -> String {
    Secret::new(&app.chance()).text().to_owned()
}

impl Key {
    /// The key that a form's token makes, over everything that was typed: who goes back and changes it wants another thing.
    pub(crate) fn of_form(
        app: &App,
        path: &str,
        headers: &HeaderMap,
        fields: &BTreeMap<String, String>,
        file: Option<&[u8]>,
    ) -> Option<Self> {
        let token = fields.get(FIELD).filter(|token| !token.is_empty())?;
        let typed = fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let all = typed.chain(file).fold(asked(app, path, headers, token.as_bytes()), with);
        Some(Self(all.finalize().into()))
    }

    /// The key that a program names.
    pub(crate) fn of_program(app: &App, path: &str, headers: &HeaderMap) -> Option<Self> {
        headers.get(HEADER).map(|key| Self(asked(app, path, headers, key.as_bytes()).finalize().into()))
    }
}

fn asked(app: &App, path: &str, headers: &HeaderMap, token: &[u8]) -> Sha256 {
    let cookies = [caller::cookie_name(app), guest::cookie_name(app)].map(|name| caller::cookie(headers, name));
    let cookies = cookies.iter().map(|cookie| cookie.as_ref().map_or(&b""[..], |secret| secret.text().as_bytes()));
    let bearer = headers.get(header::AUTHORIZATION).map_or(&b""[..], |bearer| bearer.as_bytes());
    [path.as_bytes(), token, bearer].into_iter().chain(cookies).fold(Sha256::new(), with)
}

/// The hash with one part more; its length keeps it apart from the next.
fn with(hash: Sha256, part: &[u8]) -> Sha256 {
    hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
}

/// Answers that were given, for who asks the same again.
#[derive(Debug, Default)]
pub(crate) struct Answers(Lock<BTreeMap<Key, (UnixMillis, Slot)>>);

/// Who comes while the first is at it waits for its answer.
type Slot = Arc<Mutex<Option<Answer>>>;

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        (*response.status_mut(), *response.headers_mut()) = (self.status, self.headers.clone());
        response
    }
}

impl Answers {
    fn slot(&self, key: Key, now: UnixMillis) -> Slot {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_KEPT_MAX {
            answers.retain(|_, (at, _)| now.0 - at.0 < ANSWERS_KEPT_MILLIS);
        }
        if answers.len() >= ANSWERS_KEPT_MAX
            && let Some(oldest) = answers.iter().min_by_key(|(_, (at, _))| at.0).map(|(key, _)| *key)
        {
            answers.remove(&oldest);
        }
        let (at, slot) = answers.entry(key).or_insert_with(|| (now, Slot::default()));
        if now.0 - at.0 >= ANSWERS_KEPT_MILLIS {
            (*at, *slot) = (now, Slot::default());
        }
        Arc::clone(slot)
    }
}

/// Does what is asked, unless it was done under this key before: then the answer is the same. It is done to its end although who asked
/// goes away, as a browser does whose button is pressed twice. What failed is not kept.
///
/// # Errors
/// Those of `work`.
pub(crate) async fn once(
    app: &App,
    key: Option<Key>,
    work: impl Future<Output = Result<Response, Fault>> + Send + 'static,
) -> Result<Response, Fault> {
    let Some(key) = key else { return work.await };
    let slot = app.answers().slot(key, app.now());
    let answered = app.shell().see_through(Box::pin(async move {
        let mut kept = slot.lock().await;
        if let Some(answer) = &*kept {
            return Ok(answer.response());
        }
        let response = match work.await {
            Ok(response) if response.status().is_success() || response.status().is_redirection() => response,
            Ok(response) => return Ok(response),
            Err(fault) => return Ok(axum::response::IntoResponse::into_response(fault)),
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_KEPT_BYTES_MAX).await.map_err(|error| {
            tracing::error!(%error, "an answer is too long to be given again");
            FaultKind::Internal
        })?;
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        let response = answer.response();
        *kept = Some(answer);
        Ok(response)
    }));
    Ok(answered.await?)
}
