//! What a listener makes of an answer: the head, then sound, or playlists and parts in turn.

use super::Shared;
use super::listener::{Listener, Playing, Stage};
use crate::boxes::Passed;
use crate::head;
use crate::hls::Asked;
use crate::plan::Order;
use crate::sound::Found;
use base::limit::REQUEST_HEAD_BYTES_MAX;
use base::{Cadence, Rung};
use std::fmt::Write as _;

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Goes,
    /// Nobody was let in.
    Refused,
    /// What came is no stream of a town square.
    Foreign,
    /// The event is over.
    Over,
}

/// Where players of HLS find their playlists.
#[derive(Debug, Clone)]
pub(super) struct Playlists {
    /// The directory, with a slash at its end.
    directory: String,
    pub(super) rung: Rung,
}

impl Playlists {
    /// The playlists beside the stream at this path.
    pub(super) fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let rung = query.split('&').find_map(|pair| Rung::parse(pair.strip_prefix("rung=")?)).unwrap_or(Rung::R64);
        Self { directory: format!("{}/", path.strip_suffix(".mp4").unwrap_or(path)), rung }
    }

    pub(super) fn request(&self, order: &Order, playing: &mut Playing) -> String {
        let (directory, ask) = (&self.directory, playing.player.ask());
        let (host, number) = (&order.host, playing.number);
        format!("GET {directory}{ask} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: townsquare-rehearse/{number}\r\n\r\n")
    }
}

/// The host without its port and the brackets of IPv6.
pub(super) fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        Some(_) | None => host,
    };
    name.trim_matches(['[', ']']).to_owned()
}

/// The request for the stream, from this number on when something was heard before, with a store for the cadence `ready`. HTTP/1.0, for the body ends with the connection
/// whoever stands in between.
pub(super) fn stream_request(order: &Order, next: Option<u64>, ready: Cadence) -> String {
    let mut request = format!("GET {}", order.target);
    if let Some(next) = next.filter(|_| !order.raw) {
        let (path, query) = order.target.split_once('?').unwrap_or((&order.target, ""));
        request = format!("GET {path}?");
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("from=") && !pair.starts_with("ready=")) {
            let _ = write!(request, "{pair}&");
        }
        let _ = write!(request, "from={next}&ready={ready}");
    }
    let _ = write!(request, " HTTP/1.0\r\nHost: {}\r\nUser-Agent: townsquare-rehearse\r\n\r\n", order.host);
    request
}

/// Takes bytes of whatever the listener waits for.
pub(super) fn take(listener: &mut Listener, mut bytes: &[u8], shared: &mut Shared) -> Fate {
    while !bytes.is_empty() {
        let fate = match listener.stage {
            Stage::Head => take_head(listener, &mut bytes, shared),
            Stage::Sound if is_playing(listener) => take_body(listener, &mut bytes, shared),
            Stage::Sound => take_sound(listener, &mut bytes, shared),
            Stage::Connecting | Stage::Lost | Stage::Away | Stage::Ended => return Fate::Goes,
        };
        if fate != Fate::Goes {
            return fate;
        }
    }
    Fate::Goes
}

fn is_playing(listener: &Listener) -> bool {
    listener.extra.as_ref().is_some_and(|extra| extra.player.is_some())
}

fn take_head(listener: &mut Listener, bytes: &mut &[u8], shared: &mut Shared) -> Fate {
    let partial = listener.extra.as_mut().filter(|extra| !extra.head.is_empty());
    let before = partial.as_ref().map_or(0, |extra| extra.head.len());
    let read = match partial {
        Some(extra) => {
            extra.head.extend_from_slice(&bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)]);
            head::read(&extra.head)
        }
        None => head::read(bytes),
    };
    let head = match read {
        Ok(Some(head)) => head,
        Ok(None) if before + bytes.len() < REQUEST_HEAD_BYTES_MAX => {
            if before == 0 {
                listener.extra.get_or_insert_default().head.extend_from_slice(bytes);
            }
            *bytes = &[];
            return Fate::Goes;
        }
        Ok(None) | Err(_) => return Fate::Foreign,
    };
    *bytes = bytes.get(head.bytes.saturating_sub(before)..).unwrap_or_default();
    if let Some(extra) = &mut listener.extra {
        extra.head.clear();
    }
    match head.status {
        410 => return Fate::Over,
        200 => {}
        // A part that is gone is asked for no more; the playlist is.
        404 | 503 if is_playing(listener) && listener.joined => {}
        _ => return Fate::Refused,
    }
    listener.stage = Stage::Sound;
    (listener.broke, listener.tries) = (false, 0);
    if !std::mem::replace(&mut listener.joined, true) {
        shared.tally.joined += 1;
        shared.tally.join_ms.note(shared.now.saturating_sub(listener.since));
    }
    let Some(playing) = listener.extra.as_mut().and_then(|extra| extra.player.as_mut()) else { return Fate::Goes };
    (playing.left, playing.is_fault) = (head.length.unwrap_or_default(), head.status != 200);
    if head.length.is_none() { Fate::Foreign } else { Fate::Goes }
}

/// Takes bytes of a stream without an end.
fn take_sound(listener: &mut Listener, bytes: &mut &[u8], shared: &mut Shared) -> Fate {
    let all = std::mem::take(bytes);
    if shared.order.raw {
        // Any bytes are sound, each read the next number.
        let passed = Passed { number: listener.hearing.next().unwrap_or_default(), slots: 1 };
        note(listener, passed, shared);
        return Fate::Goes;
    }
    hear(listener, all, shared)
}

/// Takes bytes of a playlist or a part, and asks for the next when it is whole.
fn take_body(listener: &mut Listener, bytes: &mut &[u8], shared: &mut Shared) -> Fate {
    let Some(playing) = listener.extra.as_mut().and_then(|extra| extra.player.as_mut()) else { return Fate::Foreign };
    let (body, rest) = bytes.split_at(bytes.len().min(usize::try_from(playing.left).unwrap_or(usize::MAX)));
    *bytes = rest;
    playing.left -= body.len() as u64;
    let is_whole = playing.left == 0;
    if playing.is_fault {
        playing.player.lost();
    } else if playing.player.asked == Asked::Playlist {
        playing.player.read(body);
        if is_whole {
            playing.player.read_all(!std::mem::replace(&mut playing.has_list, true));
        }
    } else if hear(listener, body, shared) == Fate::Foreign {
        return Fate::Foreign;
    }
    if !is_whole {
        return Fate::Goes;
    }
    let Some(playing) = listener.extra.as_mut().and_then(|extra| extra.player.as_mut()) else { return Fate::Foreign };
    let request = shared.hls.request(&shared.order, playing);
    if playing.player.has_ended && playing.player.asked == Asked::Playlist {
        return Fate::Over;
    }
    listener.stage = Stage::Head;
    // A connection that takes nothing more says so when it is read next.
    let _ = listener.send(request.as_bytes());
    Fate::Goes
}

/// Follows the boxes in some bytes.
fn hear(listener: &mut Listener, bytes: &[u8], shared: &mut Shared) -> Fate {
    let mut rest = bytes;
    loop {
        let Ok(passed) = listener.boxes.next(&mut rest) else { return Fate::Foreign };
        if let Some(millis) = listener.boxes.take_cadence() {
            listener.hearing.announced(shared.now, millis);
        }
        match passed {
            Some(passed) => note(listener, passed, shared),
            None => break,
        }
    }
    if let Some(sound) = listener.extra.as_mut().and_then(|extra| extra.sound.as_mut()) {
        let Found { fragments, bad, loud } = sound.hear(bytes);
        shared.tally.decoded += fragments;
        shared.tally.unsound += bad;
        shared.tally.loud += loud;
    }
    Fate::Goes
}

fn note(listener: &mut Listener, passed: Passed, shared: &mut Shared) {
    let noted = listener.hearing.note(shared.now, shared.order.buffer_ms, passed);
    let tally = &mut shared.tally;
    if noted.is_first {
        tally.heard += 1;
        tally.first_audio_ms.note(shared.now.saturating_sub(listener.since));
    }
    if listener.slow {
        // It fell behind by its own will and was moved on, as it should be.
        tally.skips += u64::from(noted.is_gap);
        return;
    }
    tally.gaps += u64::from(noted.is_gap);
    tally.repeats += u64::from(noted.is_repeat);
    tally.stalls += u64::from(noted.ends_stall && !shared.order.raw);
    if let Some(cadence_ms) = noted.cadence_ms {
        tally.cadence_ms.note(cadence_ms);
    }
}

#[cfg(test)]
mod tests;
