//! Offers as they come, narrowed to the one line that the stage takes, and the answer widened to all of them again (RFC 8866, 8829).
//!
//! Encoders and browsers offer much that has no place here: video, data, retransmission, simulcast, other codecs, names in candidates.
//! str0m is shown a minimal offer with one Opus line; whatever else was offered is declined in the answer. So a new browser's new
//! attribute can't keep anybody from speaking.

use crate::wire::{Candidate, Purpose, Refusal, Transport};
use base::FaultKind;
use base::limit::SDP_BYTES_MAX;
use std::fmt::Write as _;
use std::net::IpAddr;
use str0m::media::{Mid, Pt};

/// `m=` lines that an offer may have; a browser has one per track.
const LINES_MAX: usize = 64;

/// The audio line's name inside; the peer's own may be longer than str0m holds.
const MID_INSIDE: &str = "0";

const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// An offer that was read.
#[derive(Debug)]
pub(crate) struct Offer {
    narrowed: String,
    payload_type: u8,
    /// Position of the line that is taken.
    taken: usize,
    bundled: bool,
    lines: Vec<Line>,
}

/// What the answer must repeat of an offered `m=` line.
#[derive(Debug)]
struct Line {
    kind: String,
    protocol: String,
    mid: Option<String>,
}

impl Offer {
    /// Finds the first line with Opus that fits the purpose.
    pub(crate) fn read(text: &str, purpose: Purpose) -> Result<Self, Refusal> {
        if text.len() > SDP_BYTES_MAX {
            return Err(Refusal { kind: FaultKind::BodyTooLarge, cause: format!("an offer of {} bytes", text.len()) });
        }
        let sections = split(text)?;
        let (session, media) = sections.split_first().ok_or_else(|| Refusal::bad_sdp("it is empty"))?;
        let lines = media.iter().map(|section| Line::read(section)).collect::<Result<Vec<_>, _>>()?;
        let (taken, payload_type) = choose(session, media, purpose)?;
        let bundled = attributes(session, "group").any(|group| group.split(' ').next() == Some("BUNDLE"));
        let narrowed = narrow(session, media, taken, payload_type, purpose)?;
        Ok(Self { narrowed, payload_type, taken, bundled, lines })
    }

    /// The offer as str0m is shown it.
    pub(crate) fn narrowed(&self) -> &str {
        &self.narrowed
    }

    pub(crate) fn payload_type(&self) -> Pt {
        self.payload_type.into()
    }

    #[expect(clippy::unused_self, reason = "the name belongs to the narrowed offer")]
    pub(crate) fn mid_inside(&self) -> Mid {
        MID_INSIDE.into()
    }

    /// The answer to the whole offer, from str0m's answer to the narrowed one.
    pub(crate) fn widen(&self, answer: &str) -> String {
        let mut head = String::with_capacity(answer.len());
        let mut audio = String::with_capacity(answer.len());
        let mid = self.lines[self.taken].mid.as_deref();
        for line in answer.lines() {
            let part = if audio.is_empty() && !line.starts_with("m=") { &mut head } else { &mut audio };
            let line = if line.starts_with("a=group:BUNDLE") {
                self.bundled.then(|| format!("a=group:BUNDLE {}", mid.unwrap_or(MID_INSIDE)))
            } else if line.starts_with("a=mid:") {
                mid.map(|mid| format!("a=mid:{mid}"))
            } else {
                Some(line.to_owned())
            };
            if let Some(line) = line {
                part.push_str(&line);
                part.push_str("\r\n");
            }
        }
        for (place, line) in self.lines.iter().enumerate() {
            head.push_str(&if place == self.taken { std::mem::take(&mut audio) } else { line.declined() });
        }
        head
    }
}

impl Line {
    fn read(section: &[&str]) -> Result<Self, Refusal> {
        let media = section.first().and_then(|line| Media::read(line)).ok_or_else(|| Refusal::bad_sdp("an m= line is not whole"))?;
        let mid = attribute(section, "mid").map(str::to_owned);
        Ok(Self { kind: media.kind.to_owned(), protocol: media.protocol.to_owned(), mid })
    }

    /// Port 0 declines a line; its format says nothing then, but there must be one (RFC 3264, 6).
    fn declined(&self) -> String {
        let format = if self.protocol.contains("RTP") { "0" } else { "webrtc-datachannel" };
        let mid = self.mid.as_ref().map(|mid| format!("a=mid:{mid}\r\n")).unwrap_or_default();
        format!("m={} 0 {} {format}\r\nc=IN IP4 0.0.0.0\r\n{mid}a=inactive\r\n", self.kind, self.protocol)
    }
}

/// An `m=` line: `m=audio 9 UDP/TLS/RTP/SAVPF 111 63`.
struct Media<'a> {
    kind: &'a str,
    port: &'a str,
    protocol: &'a str,
    formats: Vec<&'a str>,
}

impl<'a> Media<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.strip_prefix("m=")?.split_ascii_whitespace();
        Some(Self { kind: words.next()?, port: words.next()?, protocol: words.next()?, formats: words.collect() })
    }
}

/// Cuts a description at its `m=` lines; the first part is the session's.
fn split(text: &str) -> Result<Vec<Vec<&str>>, Refusal> {
    let mut sections = vec![Vec::new()];
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(Refusal::bad_sdp("it does not begin with v=0"));
    }
    for line in lines {
        if line.as_bytes().get(1).is_none_or(|&byte| byte != b'=') || line.chars().any(char::is_control) {
            return Err(Refusal::bad_sdp("a line has not the form x=…"));
        }
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
    }
    if sections.len() > LINES_MAX {
        return Err(Refusal::bad_sdp("it has too many m= lines"));
    }
    Ok(sections)
}

/// The line to take and its payload type for Opus.
fn choose(session: &[&str], media: &[Vec<&str>], purpose: Purpose) -> Result<(usize, u8), Refusal> {
    let mut cause = Refusal::bad_sdp("it has no audio line");
    if !media.is_empty() && !media.iter().any(|section| section.first().is_some_and(|line| line.starts_with("m=audio "))) {
        cause = Refusal { kind: FaultKind::NoCommonCodec, cause: "it offers no audio".into() };
    }
    for (place, section) in media.iter().enumerate() {
        let Some(line) = section.first().and_then(|line| Media::read(line)) else { continue };
        let secure = line.protocol.ends_with("RTP/SAVPF") || line.protocol.ends_with("RTP/SAVP");
        let rejected = line.port == "0" && !section.contains(&"a=bundle-only");
        if line.kind != "audio" || !secure || rejected {
            continue;
        }
        let flows = direction(session, section);
        let (fits, wanted) = match purpose {
            Purpose::Whip => (flows.sends(), "sendonly or a=sendrecv"),
            Purpose::Whep => (flows.receives(), "recvonly or a=sendrecv"),
        };
        match (fits, opus(section, &line.formats)) {
            (true, Some(payload_type)) => return Ok((place, payload_type)),
            (true, None) => cause = Refusal::no_opus("its audio line has no opus/48000/2"),
            (false, _) if cause.kind == FaultKind::BadSdp => {
                cause = Refusal::bad_sdp(format!("its audio line says a={}, and a={wanted} is needed", flows.0));
            }
            (false, _) => {}
        }
    }
    Err(cause)
}

/// Which way the offerer's sound flows, as it says itself.
#[derive(Clone, Copy)]
struct Direction(&'static str);

impl Direction {
    const ALL: [&'static str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

    fn sends(self) -> bool {
        matches!(self.0, "sendrecv" | "sendonly")
    }

    fn receives(self) -> bool {
        matches!(self.0, "sendrecv" | "recvonly")
    }
}

/// Which way a line's sound flows (RFC 8866: both ways unless it says otherwise).
fn direction(session: &[&str], section: &[&str]) -> Direction {
    let named = |line: &str| Direction::ALL.into_iter().find(|name| line.strip_prefix("a=") == Some(*name));
    let said = |lines: &[&str]| lines.iter().find_map(|line| named(line));
    Direction(said(section).or_else(|| said(session)).unwrap_or("sendrecv"))
}

/// The payload type that stands for Opus (RFC 7587).
fn opus(section: &[&str], formats: &[&str]) -> Option<u8> {
    let number = |text: &str| text.parse::<u8>().ok().filter(|number| *number < 128);
    formats.iter().filter_map(|format| number(format)).find(|wanted| {
        attributes(section, "rtpmap").any(|map| {
            let Some((format, codec)) = map.split_once(' ') else { return false };
            number(format) == Some(*wanted) && codec.trim().eq_ignore_ascii_case("opus/48000/2")
        })
    })
}

/// Writes the minimal offer.
fn narrow(session: &[&str], media: &[Vec<&str>], taken: usize, payload_type: u8, purpose: Purpose) -> Result<String, Refusal> {
    let section = &media[taken];
    // Lines in one bundle share the transport that one of them describes.
    let everywhere = || [section.as_slice(), session].into_iter().chain(media.iter().map(Vec::as_slice));
    let find = |name: &str| everywhere().find_map(|lines| attribute(lines, name));
    let need = |name: &str| find(name).ok_or_else(|| Refusal::bad_sdp(format!("it has no a={name}")));
    let fingerprint = everywhere().flat_map(|lines| attributes(lines, "fingerprint")).find(|value| {
        // Several may be given, one per hash function.
        value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("sha-256 "))
    });
    let direction = match purpose {
        Purpose::Whip if direction(session, section).receives() => "sendrecv",
        Purpose::Whip => "sendonly",
        Purpose::Whep => "recvonly",
    };
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {MID_INSIDE}\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\na=mid:{MID_INSIDE}\r\n\
         a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:{}\r\na=setup:{}\r\na={direction}\r\na=rtcp-mux\r\n\
         a=rtpmap:{payload_type} opus/48000/2\r\na=fmtp:{payload_type} minptime=10;useinbandfec=1\r\n",
        need("ice-ufrag")?,
        need("ice-pwd")?,
        fingerprint.map_or_else(|| need("fingerprint"), Ok)?,
        find("setup").unwrap_or("actpass"),
    );
    if let Some(id) = attributes(section, "extmap").find_map(audio_level) {
        let _ = write!(text, "a=extmap:{id} {AUDIO_LEVEL}\r\n");
    }
    if session.contains(&"a=ice-lite") {
        return Err(Refusal::bad_sdp("both sides are ICE-lite"));
    }
    Ok(text)
}

/// The header extension's number when it is the audio level: `14 urn:…`, or `14/sendonly urn:…`.
fn audio_level(extension: &str) -> Option<u8> {
    let (number, uri) = extension.split_once(' ')?;
    let number = number.split('/').next()?.parse().ok()?;
    (uri.split(' ').next() == Some(AUDIO_LEVEL) && (1..=14).contains(&number)).then_some(number)
}

fn attributes<'a>(lines: &[&'a str], name: &str) -> impl Iterator<Item = &'a str> {
    lines.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

fn attribute<'a>(lines: &[&'a str], name: &str) -> Option<&'a str> {
    attributes(lines, name).next()
}

/// The host candidates of a description, for a caller that must open its sockets itself.
pub(crate) fn candidates(text: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some(words) = line.trim_end().strip_prefix("a=candidate:") else { continue };
        let words: Vec<_> = words.split(' ').collect();
        let [_, "1", transport, _, address, port, ..] = words.as_slice() else { continue };
        let transport = match transport.to_ascii_lowercase().as_str() {
            "udp" => Transport::Udp,
            "tcp" if words.windows(2).any(|pair| pair == ["tcptype", "passive"]) => Transport::Tcp,
            _ => continue,
        };
        let (Ok(ip), Ok(port)) = (address.parse::<IpAddr>(), port.parse()) else { continue };
        let candidate = Candidate { transport, address: (ip, port).into() };
        if !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

#[cfg(test)]
mod tests;
