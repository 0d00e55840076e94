//! The files of web/ that browsers get, held in the binary.
//!
//! All of them stand under one prefix with a hash of the whole: an address never changes what it means, so it is kept
//! for ever, and modules import each other by relative path.

use crate::fault::Fault;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base::FaultKind;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// Sorted by path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `/assets/HASH`, without a slash at the end.
pub(crate) fn prefix() -> &'static str {
    static PREFIX: LazyLock<String> = LazyLock::new(|| {
        let hash = FILES.iter().fold(Sha256::new(), |hash, (path, bytes)| {
            hash.chain_update(path).chain_update([0]).chain_update(bytes.len().to_be_bytes()).chain_update(bytes)
        });
        let hash = hash.finalize();
        format!("/assets/{}", hash[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    });
    &PREFIX
}

/// `GET /assets/{version}/{*path}`.
pub(crate) async fn get(Path((version, path)): Path<(String, String)>) -> Result<Response, Fault> {
    let place = FILES.binary_search_by(|(known, _)| (*known).cmp(&path)).map_err(|_| FaultKind::NotFound)?;
    let kind = media_type(&path).ok_or(FaultKind::NotFound)?;
    // A page from before an upgrade still gets its file, but nothing keeps it under that address.
    let kept = if prefix().strip_prefix("/assets/") == Some(&version) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut answer = FILES[place].1.into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    Ok(answer)
}

fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
