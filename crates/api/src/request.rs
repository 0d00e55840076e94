//! Bodies. Whatever changes something arrives through one of these, so none is forgotten at the [`guard`].

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guard;
use crate::once::Key;
use axum::body::{Bytes, to_bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts as _, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use base::FaultKind;
use base::limit::{BODY_BYTES_MAX, PICTURE_BYTES_MAX, PICTURE_UPLOAD_BYTES_MAX};
use serde::de::DeserializeOwned;
use square::Actor;
use std::collections::BTreeMap;

/// The field in which a form carries the session's word.
const WORD_FIELD: &str = "csrf";

/// What a field of an upload counts for besides its name and what was typed into it, about what it takes in memory.
const FIELD_BYTES: usize = 64;

/// A form that came from a page of ours.
pub(crate) struct Submitted {
    pub(crate) caller: Caller,
    /// What makes it the same form when it comes again.
    pub(crate) once: Option<Key>,
    fields: BTreeMap<String, String>,
}

impl Submitted {
    /// [`Submitted::field`], to keep.
    pub(crate) fn text(&self, name: &str) -> String {
        self.field(name).to_owned()
    }

    /// What was typed; nothing when the field is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl FromRequest<App> for Submitted {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let path = request.uri().path().to_owned();
        let (caller, headers, body) = take(request, app).await?;
        if !body.is_empty() && !is_type(&headers, "application/x-www-form-urlencoded") {
            return Err(FaultKind::WrongMediaType.into());
        }
        let fields: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        guard::check(app, &caller, &headers, fields.get(WORD_FIELD).map(String::as_str))?;
        let once = Key::of_form(app, &path, &headers, &fields, None);
        Ok(Self { caller, once, fields })
    }
}

/// A form with a picture, from somebody who is signed in: nobody else may send so much.
pub(crate) struct Uploaded {
    pub(crate) form: Submitted,
    /// The file's bytes, when one was chosen.
    pub(crate) picture: Option<Vec<u8>>,
}

impl FromRequest<App> for Uploaded {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        if !is_type(request.headers(), "multipart/form-data") {
            return Ok(Self { form: Submitted::from_request(request, app).await?, picture: None });
        }
        let path = request.uri().path().to_owned();
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        if caller.actor == Actor::Visitor {
            return Err(FaultKind::NotSignedIn.into());
        }
        let headers = parts.headers.clone();
        let mut whole = Request::from_parts(parts, body);
        DefaultBodyLimit::max(PICTURE_UPLOAD_BYTES_MAX).apply(&mut whole);
        let mut form = Multipart::from_request(whole, app).await.map_err(|_| FaultKind::BadRequest)?;
        let (mut fields, mut picture, mut typed) = (BTreeMap::new(), None, 0);
        while let Some(field) = form.next_field().await.map_err(unread)? {
            let name = field.name().unwrap_or_default().to_owned();
            typed += FIELD_BYTES + name.len();
            if field.file_name().is_some() {
                // A form in which no file was chosen sends an empty one. One byte too many is enough to tell that it is too large.
                let (bytes, _) = beginning(field, PICTURE_BYTES_MAX + 1).await?;
                picture = Some(bytes).filter(|bytes| !bytes.is_empty());
            } else {
                let (bytes, length) = beginning(field, BODY_BYTES_MAX).await?;
                typed += length;
                fields.insert(name, String::from_utf8(bytes).map_err(|_| FaultKind::BadRequest)?);
            }
            if typed > BODY_BYTES_MAX {
                return Err(FaultKind::BodyTooLarge.into());
            }
        }
        guard::check(app, &caller, &headers, fields.get(WORD_FIELD).map(String::as_str))?;
        let once = Key::of_form(app, &path, &headers, &fields, picture.as_deref());
        Ok(Self { form: Submitted { caller, once, fields }, picture })
    }
}

/// The first bytes of a field, and how many it has in all: it is read to its end.
async fn beginning(mut field: Field<'_>, most: usize) -> Result<(Vec<u8>, usize), Fault> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(chunk) = field.chunk().await.map_err(unread)? {
        length += chunk.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(most - bytes.len())]);
    }
    Ok((bytes, length))
}

fn unread(error: MultipartError) -> FaultKind {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { FaultKind::BodyTooLarge } else { FaultKind::BadRequest }
}

/// JSON that came from a page of ours or from the operator.
pub(crate) struct Posted<T> {
    pub(crate) caller: Caller,
    /// What makes it the same request when it comes again.
    pub(crate) once: Option<Key>,
    pub(crate) body: T,
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let path = request.uri().path().to_owned();
        let (caller, headers, body) = take(request, app).await?;
        guard::check(app, &caller, &headers, None)?;
        if !body.is_empty() && !is_type(&headers, "application/json") {
            return Err(FaultKind::WrongMediaType.into());
        }
        // What has nothing to say may say nothing.
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        let body = serde_json::from_slice(text).map_err(|_| FaultKind::BadRequest)?;
        Ok(Self { caller, once: Key::of_program(app, &path, &headers), body })
    }
}

async fn take(request: Request, app: &App) -> Result<(Caller, HeaderMap, Bytes), Fault> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| too_large_or_broken(&error))?;
    Ok((caller, parts.headers, body))
}

fn too_large_or_broken(error: &axum::Error) -> FaultKind {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<http_body_util::LengthLimitError>() {
            return FaultKind::BodyTooLarge;
        }
        cause = inner.source();
    }
    FaultKind::BadRequest
}

fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}
