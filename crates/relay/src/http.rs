//! HTTP/1.1 requests in, response heads out (RFC 9110, RFC 9112): as much of it as a listener needs.

use base::{FaultKind, UnixMillis, limit};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range;

/// Header fields of one request; more of them is answered like a head that is too large.
const HEADERS_MAX: usize = 64;

/// What is to be done with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Options,
    Post,
    Other,
}

/// One request, reduced to what the relay looks at. Cookies and the rest are never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) keep_alive: bool,
    pub(crate) range: Option<ByteRange>,
    pub(crate) if_range: Option<String>,
    pub(crate) if_none_match: Option<String>,
    /// The last hop's word for who asks; believed from a proxy on this machine alone.
    pub(crate) forwarded_for: Option<IpAddr>,
    pub(crate) user_agent: Vec<u8>,
    pub(crate) prefetch: bool,
    /// The ticket of who asks for more than to listen.
    pub(crate) bearer: Option<String>,
}

/// What one `Range` of bytes asks for (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From the first up to and including the last, where one is named.
    From(u64, Option<u64>),
    /// The last so many bytes.
    Last(u64),
}

impl ByteRange {
    /// The bytes of a body of `length` that are asked for; `None` when they lie outside.
    pub(crate) fn within(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, None) => first..length,
            Self::From(first, Some(last)) => first..length.min(last.saturating_add(1)),
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

/// Reads a request from the front of `buffer`: the request and its length in bytes, or `None` while more is needed.
///
/// # Errors
/// The bytes are no HTTP, or the head is too large.
pub(crate) fn parse(buffer: &[u8]) -> Result<Option<(Request, usize)>, FaultKind> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < limit::REQUEST_HEAD_BYTES_MAX => return Ok(None),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Err(FaultKind::HeadTooLarge),
        Err(_) => return Err(FaultKind::BadRequest),
    };
    let (Some(method), Some(target), Some(version)) = (head.method, head.path, head.version) else {
        return Err(FaultKind::BadRequest);
    };
    let mut request = Request {
        method: match method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "OPTIONS" => Method::Options,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        target: origin_form(target).to_owned(),
        keep_alive: version == 1,
        range: None,
        if_range: None,
        if_none_match: None,
        forwarded_for: None,
        user_agent: Vec::new(),
        prefetch: false,
        bearer: None,
    };
    for header in head.headers.iter() {
        take_header(&mut request, header);
    }
    Ok(Some((request, length)))
}

/// The path of a target in absolute form (RFC 9112, section 3.2.2), which a server must take too.
fn origin_form(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    }
}

fn take_header(request: &mut Request, header: &httparse::Header<'_>) {
    let text = std::str::from_utf8(header.value).unwrap_or_default().trim();
    let is = |name: &str| header.name.eq_ignore_ascii_case(name);
    if is("connection") {
        for option in text.split(',').map(str::trim) {
            if option.eq_ignore_ascii_case("close") {
                request.keep_alive = false;
            }
        }
    } else if is("content-length") || is("transfer-encoding") {
        // A body is never read, so what follows it can't be found.
        request.keep_alive &= text == "0";
    } else if is("range") {
        request.range = parse_range(text);
    } else if is("if-range") {
        request.if_range = Some(text.to_owned());
    } else if is("if-none-match") {
        request.if_none_match = Some(text.to_owned());
    } else if is("x-forwarded-for") {
        request.forwarded_for = text.rsplit(',').next().and_then(|hop| hop.trim().parse().ok());
    } else if is("user-agent") {
        request.user_agent = header.value.to_vec();
    } else if is("authorization") {
        let scheme = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        request.bearer = scheme.map(|(_, ticket)| ticket.trim().to_owned());
    } else if is("purpose") || is("sec-purpose") || is("x-moz") {
        request.prefetch |= text.to_ascii_lowercase().contains("prefetch");
    }
}

/// A single range of bytes; anything else is as if it had not been sent, which RFC 9110 (section 14.2) allows.
fn parse_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => digits(last).map(ByteRange::Last),
        (first, "") => digits(first).map(|first| ByteRange::From(first, None)),
        (first, last) => {
            let (first, last) = (digits(first)?, digits(last)?);
            (first <= last).then_some(ByteRange::From(first, Some(last)))
        }
    }
}

/// Decimal digits and nothing else: `parse` alone would take a sign.
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Whether a list of entity tags names `etag` (weak comparison, RFC 9110, section 8.8.3.2).
pub(crate) fn names_etag(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| entry == "*" || entry.trim_start_matches("W/") == etag)
}

/// A response head being written.
pub(crate) struct Head(String);

impl Head {
    /// The status line, and what every answer of the relay carries.
    pub(crate) fn new(status: u16) -> Self {
        let mut text = String::with_capacity(512);
        // Writing to a String can't fail.
        let _ = write!(text, "HTTP/1.1 {status} {}\r\nServer: Townsquare\r\n", reason(status));
        text.push_str("Access-Control-Allow-Origin: *\r\n");
        text.push_str(
            "Access-Control-Expose-Headers: Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After, Townsquare-Edge\r\n",
        );
        text.push_str("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
        Self(text)
    }

    /// Adds a field. Line ends never get in: values are the relay's own or come out of a parsed request head.
    pub(crate) fn field(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// Ends the head.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.push_str("\r\n");
        self.0.into_bytes()
    }
}

/// When an answer is sent (RFC 9110, section 6.6.1), formatted once a second.
#[derive(Debug, Default)]
pub(crate) struct Date {
    second: Option<i64>,
    line: String,
}

impl Date {
    /// It is this late on the wall clock.
    pub(crate) fn set(&mut self, wall: UnixMillis) {
        let second = wall.0.div_euclid(1_000);
        if self.second.replace(second) == Some(second) {
            return;
        }
        let date = Timestamp::from_second(second).and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at));
        // A clock that knows no such time says nothing.
        self.line = date.map_or_else(|_| String::new(), |date| format!("Date: {date}\r\n"));
    }

    /// Puts it behind the status line of a head.
    pub(crate) fn put(&self, head: &mut Vec<u8>) {
        let status_line = head.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        head.splice(status_line..status_line, self.line.bytes());
    }
}

/// The body of an error (RFC 9457).
pub(crate) fn problem(fault: FaultKind) -> String {
    let (status, code, text) = (fault.status(), fault.code(), fault.text());
    // Titles and texts are the house's own constants: they hold nothing that JSON escapes.
    format!(r#"{{"type":"about:blank","title":"{}","status":{status},"code":"{code}","detail":"{text}"}}"#, reason(status))
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests;
