//! The head of an answer: its status, and how long its body is.

/// Header fields of an answer; ours have ten.
const HEADERS_MAX: usize = 64;

/// What the head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of the body; `None` up to the end of the connection.
    pub(crate) length: Option<u64>,
    /// Bytes of the head itself.
    pub(crate) bytes: usize,
}

/// Reads a head at the front of `bytes`; `None` while it is not whole.
///
/// # Errors
/// The bytes are no answer of HTTP.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Head>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        length: value("content-length").and_then(|text| text.trim().parse().ok()),
        bytes: length,
    }))
}

#[cfg(test)]
mod tests;
