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

    /// The key that a program names. Nothing tells programs apart that show neither session nor ticket nor a browser's mark: theirs
    /// is no key, for what one was answered is not the other's.
    pub(crate) fn of_program(app: &App, path: &str, headers: &HeaderMap) -> Option<Self> {
        let key = headers.get(HEADER).filter(|_| shown(app, headers).iter().any(|shown| !shown.is_empty()))?;
        Some(Self(asked(app, path, headers, key.as_bytes()).finalize().into()))
    }
}

fn asked(app: &App, path: &str, headers: &HeaderMap, token: &[u8]) -> Sha256 {
    let shown = shown(app, headers);
    [path.as_bytes(), token].into_iter().chain(shown.iter().map(Vec::as_slice)).fold(Sha256::new(), with)
}

/// By what who asks is known: a ticket, a session, a browser's mark; each empty when it is not there.
fn shown(app: &App, headers: &HeaderMap) -> [Vec<u8>; 3] {
    let cookie = |name| caller::cookie(headers, name).map(|secret| secret.text().as_bytes().to_vec()).unwrap_or_default();
    let bearer = headers.get(header::AUTHORIZATION).map(|bearer| bearer.as_bytes().to_vec()).unwrap_or_default();
    [bearer, cookie(caller::cookie_name(app)), cookie(guest::cookie_name(app))]
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

    /// Nothing was kept in this slot: it makes no others forgotten, unless somebody waits for it.
    fn leave(&self, key: Key, slot: &Slot) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Here and there; a third has whoever waits, and clones are made under the lock alone.
        if Arc::strong_count(slot) == 2 && answers.get(&key).is_some_and(|(_, kept)| Arc::ptr_eq(kept, slot)) {
            answers.remove(&key);
        }
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
    let here = app.clone();
    let answered = app.shell().see_through(Box::pin(async move {
        let mut kept = slot.lock().await;
        let answered = answer(&mut kept, work).await;
        let is_kept = kept.is_some();
        drop(kept);
        if !is_kept {
            here.answers().leave(key, &slot);
        }
        answered
    }));
    Ok(answered.await?)
}

/// The answer that was kept, else that of `work`, which is kept unless it failed.
async fn answer(kept: &mut Option<Answer>, work: impl Future<Output = Result<Response, Fault>>) -> Result<Response, FaultKind> {
    if let Some(answer) = kept {
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
    Ok(kept.insert(Answer { status: parts.status, headers: parts.headers, body }).response())
}

#[cfg(test)]
mod tests;
