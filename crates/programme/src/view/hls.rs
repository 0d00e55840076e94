//! LL-HLS (RFC 8216bis): playlists, and the parts and segments that they name, all of them ranges of the rungs' files.
//!
//! Media sequence number `m` is the segment of the slots from `30 m` on, for ever; a part is 3 slots (5 on rung 16) from a
//! multiple of that on. An address carries the epoch, so that what a cache holds never means something else.

use super::{Extent, Programme, SLOTS_PER_SECOND};
use base::limit::{SEGMENTS_PER_PLAYLIST, SLOTS_PER_SEGMENT};
use base::{Epoch, FragmentNumber, Place, Rung, UnixMillis};
use std::fmt::{self, Write as _};

/// Segments at the end whose parts are named.
const SEGMENTS_WITH_PARTS: u64 = 3;

/// Seconds of a segment.
const TARGET_SECONDS: u64 = SLOTS_PER_SEGMENT / SLOTS_PER_SECOND;

/// Seconds from the end behind which segments may be skipped: six target durations (RFC 8216bis, 4.4.3.8).
const SKIP_UNTIL_SECONDS: u64 = 6 * TARGET_SECONDS;

/// Whether an address names a segment or a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 30 slots.
    Segment,
    /// 3 slots, 5 on rung 16.
    Part,
}

/// The last piece of a segment's or part's address: `sEPOCH.NUMBER.m4s`, with `.REVISION` behind the number once there are cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Segment or part.
    pub kind: Kind,
    /// Its first fragment.
    pub place: Place,
    /// How many cuts it knows of.
    pub revision: usize,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            Kind::Segment => 's',
            Kind::Part => 'p',
        };
        write!(f, "{letter}{}.{}", self.place.epoch, self.place.number)?;
        if self.revision > 0 {
            write!(f, ".{}", self.revision)?;
        }
        f.write_str(".m4s")
    }
}

impl Address {
    /// Reads what [`fmt::Display`] gave; nothing else that would mean the same.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let kind = match name.bytes().next()? {
            b's' => Kind::Segment,
            b'p' => Kind::Part,
            _ => return None,
        };
        let mut numbers = name.get(1..)?.strip_suffix(".m4s")?.split('.');
        let epoch = Epoch(numbers.next()?.parse().ok()?);
        let number = FragmentNumber(numbers.next()?.parse().ok()?);
        let revision = numbers.next().map_or(Some(0), |revision| revision.parse().ok())?;
        let address = Self { kind, place: Place { epoch, number }, revision };
        // One thing, one address: a cache must not be filled with `s01.0.m4s`.
        (numbers.next().is_none() && address.to_string() == name).then_some(address)
    }

    const fn slots(&self, rung: Rung) -> u64 {
        match self.kind {
            Kind::Segment => SLOTS_PER_SEGMENT,
            Kind::Part => rung.slots_per_part(),
        }
    }
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Now.
    Yes,
    /// Soon: hold the request.
    NotYet,
    /// Never, or no longer.
    No,
}

/// The multivariant playlist: one variant per rung, addresses relative to it.
#[must_use]
pub fn multivariant() -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for rung in Rung::ALL {
        // Boxes and facts included, at most a quarter above the sound.
        let (peak, average) = (rung.bits_per_second() / 4 * 5, rung.bits_per_second() / 10 * 11);
        let _ = writeln!(text, "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"opus\"\n{rung}.m3u8");
    }
    text
}

/// Whether a playlist would contain this segment, or this part of it (`_HLS_msn`, `_HLS_part`): the request is held until it does.
#[must_use]
pub fn ready(programme: &Programme<'_>, rung: Rung, msn: u64, part: Option<u64>) -> Ready {
    let edge = edge(programme, rung);
    let parts = SLOTS_PER_SEGMENT / rung.slots_per_part();
    let segment = msn.saturating_mul(SLOTS_PER_SEGMENT);
    let wanted = match part {
        None => segment.saturating_add(SLOTS_PER_SEGMENT),
        // A part behind the segment's last is the next segment's first (RFC 8216bis, 6.2.5.2).
        Some(part) => segment.saturating_add((part.min(parts) + 1) * rung.slots_per_part()),
    };
    if programme.has_ended() || wanted <= edge.0 {
        Ready::Yes
    } else if segment <= edge.0 + 2 * SLOTS_PER_SEGMENT {
        Ready::NotYet
    } else {
        Ready::No
    }
}

/// The bytes of a segment or part.
///
/// # Errors
/// [`Ready::NotYet`] when the request is to be held, [`Ready::No`] when there is or will be no such thing.
pub fn extents(programme: &Programme<'_>, rung: Rung, address: &Address) -> Result<Vec<Extent>, Ready> {
    let slots = address.slots(rung);
    let from = address.place.number;
    let has_sense = from.0.is_multiple_of(slots) && address.revision == programme.cuts.revision() && from >= begin(programme);
    if !has_sense || address.place.epoch != programme.epoch_at(from) {
        return Err(Ready::No);
    }
    let to = FragmentNumber(from.0.checked_add(slots).ok_or(Ready::No)?);
    let (extents, reached) = programme.extents(rung, from, to);
    match (reached >= to, programme.has_ended()) {
        (true, _) => Ok(extents),
        (false, true) if !extents.is_empty() => Ok(extents),
        (false, true) => Err(Ready::No),
        // What a playlist hints at begins at the edge at the latest.
        (false, false) if from <= edge(programme, rung) => Err(Ready::NotYet),
        (false, false) => Err(Ready::No),
    }
}

/// The start of the first segment. A programme whose first fragments were lost begins within it, with silence before.
fn begin(programme: &Programme<'_>) -> FragmentNumber {
    FragmentNumber(programme.first().0 / SLOTS_PER_SEGMENT * SLOTS_PER_SEGMENT)
}

/// The number up to which the rung can be heard without a wait.
fn edge(programme: &Programme<'_>, rung: Rung) -> FragmentNumber {
    // Only the newest may be missing: a rung is never more than its own fragment and the grace behind the recording.
    let slots = rung.slots_per_fragment();
    let from = FragmentNumber(programme.published.0.saturating_sub(2 * slots + super::GRACE_SLOTS) / slots * slots);
    programme.extents(rung, from, programme.published).1
}

/// A media playlist under way.
struct Playlist<'a> {
    programme: &'a Programme<'a>,
    rung: Rung,
    edge: FragmentNumber,
    clock: &'a [(FragmentNumber, UnixMillis)],
    text: String,
}

/// The rung's media playlist. `clock` says when the fragments began that opened an epoch, by the wall clock; `skip` leaves
/// out what the client has (`_HLS_skip=YES`). `None`: nothing can be heard yet.
#[must_use]
pub fn media(programme: &Programme<'_>, rung: Rung, clock: &[(FragmentNumber, UnixMillis)], skip: bool) -> Option<String> {
    let edge = edge(programme, rung);
    if edge <= programme.first() {
        return None;
    }
    let mut playlist = Playlist { programme, rung, edge, clock, text: String::new() };
    playlist.write(skip);
    Some(playlist.text)
}

impl Playlist<'_> {
    fn write(&mut self, skip: bool) {
        let ended = self.programme.has_ended();
        // Segments are whole, but for the last one of an ended event.
        let closed = if ended { self.edge.0.div_ceil(SLOTS_PER_SEGMENT) } else { self.edge.0 / SLOTS_PER_SEGMENT };
        let oldest = begin(self.programme).0 / SLOTS_PER_SEGMENT;
        let first = closed.saturating_sub(SEGMENTS_PER_PLAYLIST).max(oldest);
        self.head(first);
        let skippable = closed.saturating_sub(SKIP_UNTIL_SECONDS / TARGET_SECONDS + 1);
        let from = if skip && skippable > first { skippable } else { first };
        if from > first {
            self.line(format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={}", from - first));
        }
        for msn in from..closed {
            self.date(msn, msn == from);
            if !ended && msn + SEGMENTS_WITH_PARTS >= closed {
                self.parts(msn);
            }
            let start = FragmentNumber(msn * SLOTS_PER_SEGMENT);
            let slots = SLOTS_PER_SEGMENT.min(self.edge.0 - start.0);
            let address = self.address(Kind::Segment, start);
            self.line(format_args!("#EXTINF:{},\n{address}", Seconds(slots)));
        }
        if ended {
            self.line(format_args!("#EXT-X-ENDLIST"));
            return;
        }
        if self.edge.0 % SLOTS_PER_SEGMENT >= self.rung.slots_per_part() {
            self.date(closed, from == closed);
        }
        let hinted = self.parts(closed);
        let address = self.address(Kind::Part, hinted);
        self.line(format_args!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{address}\""));
    }

    fn head(&mut self, first: u64) {
        let part = Seconds(self.rung.slots_per_part());
        let part_hold_back = Seconds(3 * self.rung.slots_per_part());
        self.line(format_args!("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{TARGET_SECONDS}"));
        self.line(format_args!(
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={SKIP_UNTIL_SECONDS}.0,HOLD-BACK={}.0,PART-HOLD-BACK={part_hold_back}",
            3 * TARGET_SECONDS
        ));
        self.line(format_args!("#EXT-X-PART-INF:PART-TARGET={part}\n#EXT-X-MEDIA-SEQUENCE:{first}"));
        self.line(format_args!("#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\""));
    }

    /// The sealed parts of a segment; gives the number at which the next part begins.
    fn parts(&mut self, msn: u64) -> FragmentNumber {
        let slots = self.rung.slots_per_part();
        let end = (msn + 1) * SLOTS_PER_SEGMENT;
        let mut start = msn * SLOTS_PER_SEGMENT;
        while start < end && start + slots <= self.edge.0 {
            let address = self.address(Kind::Part, FragmentNumber(start));
            self.line(format_args!("#EXT-X-PART:DURATION={},URI=\"{address}\",INDEPENDENT=YES", Seconds(slots)));
            start += slots;
        }
        FragmentNumber(start)
    }

    /// The wall clock of a segment: at the first one named, and where an epoch has begun since the one before.
    fn date(&mut self, msn: u64, is_first: bool) {
        let start = FragmentNumber(msn * SLOTS_PER_SEGMENT);
        let Some(&(opened, at)) = self.clock.iter().rev().find(|(opened, _)| *opened <= start) else { return };
        if is_first || opened.0 + SLOTS_PER_SEGMENT > start.0 {
            let millis = i64::try_from((start.0 - opened.0) * 1_000 / SLOTS_PER_SECOND).unwrap_or(i64::MAX);
            self.line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", Date(at.0.saturating_add(millis))));
        }
    }

    fn address(&self, kind: Kind, number: FragmentNumber) -> String {
        let place = Place { epoch: self.programme.epoch_at(number), number };
        format!("{}/{}", self.rung, Address { kind, place, revision: self.programme.cuts.revision() })
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// Slots as seconds with one decimal.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / SLOTS_PER_SECOND, self.0 % SLOTS_PER_SECOND * (10 / SLOTS_PER_SECOND))
    }
}

/// Milliseconds since 1970 as RFC 3339.
struct Date(i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        // Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", millis % 1_000)
    }
}

#[cfg(test)]
mod tests;
