//! Which thing an address names (docs/formats.md, "HTTP of the relay").

use crate::copy::{Bytes, Wanted};
use crate::http::digits;
use crate::stream::Wish;
use base::{Cadence, EventId, FaultKind, FragmentNumber, Rung, limit};
use programme::view::hls;
use programme::view::live::From;
use std::ops::Range;

/// An address: an event, the ticket in its path, and what of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) event: EventId,
    pub(crate) ticket: Option<String>,
    pub(crate) what: What,
}

/// What of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The endless stream.
    Stream(Wish),
    /// The multivariant playlist.
    Main,
    /// A rung's media playlist.
    Playlist { rung: Rung, until: Option<Until>, skip: bool },
    /// The init segment.
    Init,
    /// A piece of a rung that a playlist names.
    Piece { rung: Rung, address: hls::Address },
    /// The ended event, or a part of it, as one file. `cuts` is how many cuts the address knows of, `download` the file's name.
    Replay { of: Replayed, cuts: Option<u64>, download: Option<String> },
    /// The announcement, for another relay.
    Announcement,
    /// A rung for another relay.
    Copy(Wanted),
    /// How many listen at another relay, by rung: the one thing that is posted.
    Listening([u32; 3]),
}

/// What of an ended event is one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// All that is heard of it.
    Whole,
    /// These fragments of it.
    Clip(Range<FragmentNumber>),
    /// All of it in a form that every player knows.
    Mp3,
}

/// What a playlist must hold before it is sent (`_HLS_msn`, `_HLS_part`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    pub(crate) msn: u64,
    /// Without one: the whole segment.
    pub(crate) part: Option<u64>,
}

/// Reads a request's target.
///
/// # Errors
/// It names nothing here, or a parameter can't be read.
pub(crate) fn parse(target: &str) -> Result<Address, FaultKind> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut steps = path.strip_prefix('/').ok_or(FaultKind::BadRequest)?.split('/');
    match steps.next() {
        Some("live") => live(steps, Query(query)),
        Some("replay") => replay(steps, Query(query)),
        Some("copy") => copy(steps, Query(query)),
        _ => Err(FaultKind::NotFound),
    }
}

fn live<'a>(mut steps: impl Iterator<Item = &'a str>, query: Query<'_>) -> Result<Address, FaultKind> {
    let first = steps.next().ok_or(FaultKind::NotFound)?;
    let mut second = steps.next();
    if second.is_none() {
        let id = first.strip_suffix(".mp4").ok_or(FaultKind::NotFound)?;
        return Ok(Address { event: event(id)?, ticket: None, what: stream(query)? });
    }
    let event = event(first)?;
    let mut ticket = None;
    if second == Some("t") {
        let text = steps.next().ok_or(FaultKind::NotFound)?;
        second = steps.next();
        if second.is_none() {
            let text = text.strip_suffix(".mp4").ok_or(FaultKind::NotFound)?;
            return Ok(Address { event, ticket: Some(text.to_owned()), what: stream(query)? });
        }
        ticket = Some(text.to_owned());
    }
    let what = match (second, steps.next(), steps.next()) {
        (Some("main.m3u8"), None, _) => What::Main,
        (Some("init.mp4"), None, _) => What::Init,
        (Some(file), None, _) => playlist(file, query)?,
        (Some(rung), Some(file), None) => piece(rung, file).ok_or(FaultKind::NotFound)?,
        _ => return Err(FaultKind::NotFound),
    };
    Ok(Address { event, ticket, what })
}

fn replay<'a>(mut steps: impl Iterator<Item = &'a str>, query: Query<'_>) -> Result<Address, FaultKind> {
    let mut path = steps.next().ok_or(FaultKind::NotFound)?;
    let mut rest = [steps.next(), steps.next(), steps.next(), steps.next(), steps.next()];
    let (mut ticket, mut of) = (None, None);
    let mut whole = |file: &'a str| {
        let (name, replayed) = match file.rsplit_once('.') {
            Some((name, "m4a")) => (name, Replayed::Whole),
            Some((name, "mp3")) => (name, Replayed::Mp3),
            _ => return file,
        };
        of = Some(replayed);
        name
    };
    match rest {
        [None, ..] => path = whole(path),
        [Some("t"), Some(file), None, ..] => ticket = Some(whole(file)),
        [Some("t"), Some(text), Some("clip"), Some(_), None] => {
            ticket = Some(text);
            rest = [rest[2], rest[3], None, None, None];
        }
        _ => {}
    }
    if let [Some("clip"), Some(file), None, ..] = rest {
        of = Some(Replayed::Clip(clip(file).ok_or(FaultKind::NotFound)?));
    }
    let of = of.ok_or(FaultKind::NotFound)?;
    let cuts = query.get("cuts").map(|text| number(&text)).transpose()?;
    let ending = if of == Replayed::Mp3 { "mp3" } else { "m4a" };
    let download = query.get("download").map(|name| file_name(name, ending));
    Ok(Address { event: event(path)?, ticket: ticket.map(str::to_owned), what: What::Replay { of, cuts, download } })
}

/// `FROM-TO.m4a`, and nothing else that would mean the same.
fn clip(file: &str) -> Option<Range<FragmentNumber>> {
    let (from, to) = file.strip_suffix(".m4a")?.split_once('-')?;
    let (from, to) = (number(from).ok()?, number(to).ok()?);
    (from < to && file == format!("{from}-{to}.m4a")).then_some(FragmentNumber(from)..FragmentNumber(to))
}

fn copy<'a>(mut steps: impl Iterator<Item = &'a str>, query: Query<'_>) -> Result<Address, FaultKind> {
    let event = event(steps.next().ok_or(FaultKind::NotFound)?)?;
    let mut file = steps.next();
    let mut ticket = None;
    if file == Some("t") {
        ticket = Some(steps.next().ok_or(FaultKind::NotFound)?.to_owned());
        file = steps.next();
    }
    let what = match (file, steps.next()) {
        (Some("announcement"), None) => What::Announcement,
        (Some("listening"), None) => What::Listening(listening(&query)?),
        (Some(rung), None) => What::Copy(wanted(Rung::parse(rung).ok_or(FaultKind::NotFound)?, &query)?),
        _ => return Err(FaultKind::NotFound),
    };
    Ok(Address { event, ticket, what })
}

fn wanted(rung: Rung, query: &Query<'_>) -> Result<Wanted, FaultKind> {
    let ask = |name| query.get(name).map(|text| number(&text).map(FragmentNumber)).transpose();
    let bytes = match query.get("bytes").as_deref() {
        None | Some("all") => Bytes::All,
        Some("live") => Bytes::Live,
        Some("none") => Bytes::None,
        Some(_) => return Err(FaultKind::BadRequest),
    };
    Ok(Wanted { rung, from: ask("from")?.unwrap_or_default(), to: ask("to")?, bytes })
}

fn listening(query: &Query<'_>) -> Result<[u32; 3], FaultKind> {
    let mut counts = [0; 3];
    for rung in Rung::ALL {
        let count = query.get(rung.name()).map(|text| number(&text)).transpose()?.unwrap_or(0);
        counts[rung.place()] = u32::try_from(count).unwrap_or(u32::MAX).min(limit::LISTENING_MAX);
    }
    Ok(counts)
}

fn event(id: &str) -> Result<EventId, FaultKind> {
    id.parse().map_err(|_| FaultKind::EventUnknown)
}

fn stream(query: Query<'_>) -> Result<What, FaultKind> {
    let rung = match query.get("rung") {
        None => Rung::R64,
        Some(name) => Rung::parse(&name).ok_or(FaultKind::BadRequest)?,
    };
    let from = match query.get("from") {
        None => From::default(),
        Some(text) => From::parse(&text).ok_or(FaultKind::BadRequest)?,
    };
    let ready = match query.get("ready") {
        None => None,
        Some(text) => Some(Cadence::from_millis(number(&text)?).ok_or(FaultKind::BadRequest)?),
    };
    Ok(What::Stream(Wish { rung, from, ready, wait: query.get("wait").is_some_and(|wait| wait == "1") }))
}

fn playlist(file: &str, query: Query<'_>) -> Result<What, FaultKind> {
    let rung = file.strip_suffix(".m3u8").and_then(Rung::parse).ok_or(FaultKind::NotFound)?;
    let ask = |name| query.get(name).map(|text| number(&text)).transpose();
    let (msn, part) = (ask("_HLS_msn")?, ask("_HLS_part")?);
    if msn.is_none() && part.is_some() {
        // RFC 8216bis, section 6.2.5.2: a part without a media sequence number is a bad request.
        return Err(FaultKind::BadRequest);
    }
    Ok(What::Playlist { rung, until: msn.map(|msn| Until { msn, part }), skip: query.get("_HLS_skip").is_some() })
}

fn piece(rung: &str, file: &str) -> Option<What> {
    Some(What::Piece { rung: Rung::parse(rung)?, address: hls::Address::parse(file)? })
}

fn number(text: &str) -> Result<u64, FaultKind> {
    // Far beyond any event, and small enough that arithmetic on it can't overflow.
    digits(text).filter(|&number| !text.is_empty() && number < 1 << 40).ok_or(FaultKind::BadRequest)
}

/// The parameters of an address.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let pair = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).find(|(key, _)| *key == name)?;
        Some(percent_decoded(pair.1))
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match (first, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A name that is safe in a header and in every file system: letters, digits and a few marks, no path.
fn file_name(name: impl AsRef<str>, ending: &str) -> String {
    let kept =
        name.as_ref().chars().filter(|c| !c.is_control()).map(|c| if c.is_alphanumeric() || " -_.,()".contains(c) { c } else { '_' });
    let name: String = kept.take(base::limit::TITLE_CHARS_MAX).collect();
    let name = name.trim_matches([' ', '.']);
    let stem = name.strip_suffix(ending).and_then(|name| name.strip_suffix('.')).unwrap_or(name);
    format!("{}.{ending}", if stem.is_empty() { "replay" } else { stem })
}

#[cfg(test)]
mod tests;
