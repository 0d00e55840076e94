//! A player of LL-HLS (RFC 8216bis): a blocking playlist, the parts that it names, the next blocking playlist.

use base::Rung;
use base::limit::SLOTS_PER_SEGMENT;
use std::collections::VecDeque;

/// Parts that a player begins behind the newest: PART-HOLD-BACK is three.
const BEHIND_PARTS: usize = 3;

/// Parts that a playlist names at most: three segments of ten and the one that grows.
const PARTS_MAX: usize = 64;

/// Bytes of a line that are looked at; ours have 80.
const LINE_BYTES_MAX: usize = 256;

/// What a player asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Playlist,
    Part,
}

/// One player.
#[derive(Debug)]
pub(crate) struct Player {
    rung: Rung,
    /// Parts to get, each as it stands in the playlist with its first slot.
    parts: VecDeque<(u64, String)>,
    /// The first slot of the part after the newest that is known.
    next: Option<u64>,
    /// A line that is not whole yet.
    line: Vec<u8>,
    pub(crate) asked: Asked,
    pub(crate) has_ended: bool,
}

impl Player {
    pub(crate) fn new(rung: Rung) -> Self {
        Self { rung, parts: VecDeque::new(), next: None, line: Vec::new(), asked: Asked::Playlist, has_ended: false }
    }

    /// What to ask for next, relative to the directory of playlists.
    pub(crate) fn ask(&mut self) -> String {
        if let Some((_, part)) = self.parts.pop_front() {
            self.asked = Asked::Part;
            return part;
        }
        self.asked = Asked::Playlist;
        match self.next {
            None => format!("{}.m3u8", self.rung),
            Some(next) => {
                let part = next % SLOTS_PER_SEGMENT / self.rung.slots_per_part();
                format!("{}.m3u8?_HLS_msn={}&_HLS_part={part}&_HLS_skip=YES", self.rung, next / SLOTS_PER_SEGMENT)
            }
        }
    }

    /// Takes bytes of a playlist.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.read_line(&line);
                self.line = line;
                self.line.clear();
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            }
        }
    }

    /// The playlist is whole. The first one says where to begin.
    pub(crate) fn read_all(&mut self, is_first: bool) {
        if is_first {
            while self.parts.len() > BEHIND_PARTS {
                self.parts.pop_front();
            }
        }
    }

    /// A part that was named is gone: the playlist says what is there.
    pub(crate) fn lost(&mut self) {
        self.parts.clear();
    }

    fn read_line(&mut self, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        if line.starts_with("#EXT-X-ENDLIST") {
            self.has_ended = true;
        }
        let Some(attributes) = line.strip_prefix("#EXT-X-PART:") else { return };
        let Some(address) = attributes.split_once("URI=\"").and_then(|(_, rest)| rest.split('"').next()) else { return };
        let number = address.rsplit('/').next().and_then(|name| name.split('.').nth(1));
        let Some(start) = number.and_then(|number| number.parse::<u64>().ok()) else { return };
        let is_new = self.next.is_none_or(|next| start >= next);
        if is_new && self.parts.len() < PARTS_MAX {
            self.next = Some(start.saturating_add(self.rung.slots_per_part()));
            self.parts.push_back((start, address.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests;
