//! One sealed fragment as bytes: `[emsg] moof mdat`.

use crate::init::{TRACK, four, put};
use crate::silence;
use base::time::{FRAGMENT_SAMPLES, SAMPLE_RATE_HZ};
use base::{Cadence, FragmentNumber, Rung};
use mp4_atom::{Emsg, EmsgTimestamp, Mfhd, Moof, Tfdt, Tfhd, Traf, Trun, TrunSamples};
use std::ops::Range;

/// The scheme of the live facts' `emsg` boxes.
pub const FACTS_SCHEME: &str = "urn:townsquare:facts";

/// Bytes of every `moof`.
pub const MOOF_BYTES: usize = 92;

/// Bytes of the `mdat` header.
pub const MDAT_HEADER_BYTES: usize = 8;

/// Bytes of an `emsg` box without its data.
pub const EMSG_BYTES: usize = 54;

/// Bytes of sound in every fragment of a rung.
#[must_use]
pub const fn payload_bytes(rung: Rung) -> usize {
    rung.frame_bytes() * rung.frames_per_fragment()
}

/// Seals one fragment: `payload` is all its frames, `facts` the JSON of what listeners are told.
///
/// # Panics
/// When `payload` has not exactly [`payload_bytes`]: the writer has filled it.
#[must_use]
pub fn seal(rung: Rung, number: FragmentNumber, facts: Option<&str>, payload: &[u8]) -> Vec<u8> {
    assert_eq!(payload.len(), payload_bytes(rung), "a fragment is full");
    let mut bytes = Vec::with_capacity(MOOF_BYTES + MDAT_HEADER_BYTES + payload.len() + facts.map_or(0, |facts| EMSG_BYTES + facts.len()));
    if let Some(facts) = facts {
        put(&emsg(number, facts), &mut bytes);
    }
    put_sound(number, rung.frame_bytes(), payload, &mut bytes);
    bytes
}

/// One fragment that is longer than any other and silent: `count` fragments' time from `number` on, in as few bytes as can be.
#[must_use]
pub(crate) fn pause(number: FragmentNumber, count: u64) -> Vec<u8> {
    let frames = usize::try_from(count).unwrap_or(usize::MAX) * Rung::R64.frames_per_fragment();
    let mut bytes = Vec::new();
    put_sound(number, silence::SHORTEST.len(), &silence::SHORTEST.repeat(frames), &mut bytes);
    bytes
}

/// `moof mdat` with frames of one size.
fn put_sound(number: FragmentNumber, frame_bytes: usize, payload: &[u8], bytes: &mut Vec<u8>) {
    put(&moof(number, frame_bytes, payload.len() / frame_bytes), bytes);
    bytes.extend_from_slice(&u32_of(MDAT_HEADER_BYTES + payload.len()).to_be_bytes());
    bytes.extend_from_slice(b"mdat");
    bytes.extend_from_slice(payload);
}

/// What stands at the front of these bytes, of which only the beginning need be there: the number after a fragment without facts, and its bytes.
pub(crate) fn head(bytes: &[u8]) -> Result<(FragmentNumber, usize), NoFragment> {
    let (kind, length) = box_at(bytes)?;
    let Head { number, frame_bytes, frames } = match &kind {
        b"moof" => Head::read(bytes.get(8..length).ok_or(NoFragment::Short)?)?,
        _ => return Err(NoFragment::Foreign),
    };
    let (kind, sound) = box_at(&bytes[length..])?;
    let whole =
        frames.is_multiple_of(Rung::R64.frames_per_fragment()) && frame_bytes.checked_mul(frames) == Some(sound - MDAT_HEADER_BYTES);
    if kind != *b"mdat" || !whole {
        return Err(NoFragment::Foreign);
    }
    Ok((FragmentNumber(number.0 + (frames / Rung::R64.frames_per_fragment()) as u64), length + sound))
}

/// The fragment that every view plays where there is a cut or a hole.
#[must_use]
pub fn silent(rung: Rung, number: FragmentNumber) -> Vec<u8> {
    seal(rung, number, None, &silence::frames(rung, rung.frames_per_fragment()))
}

/// Set in the id of an `emsg` that a relay adds, so that it never is the id of one that the writer made.
const RELAYED: u32 = 1 << 31;

/// The `emsg` box with which a relay announces a listener's cadence in front of fragment `number`: a box of its own, with nothing
/// else in it.
#[must_use]
pub fn cadence(number: FragmentNumber, cadence: Cadence) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut announcement = emsg(number, &format!("{{\"c\":{cadence}}}"));
    announcement.id |= RELAYED;
    put(&announcement, &mut bytes);
    bytes
}

#[expect(clippy::cast_possible_truncation, reason = "ids and sequence numbers may wrap: 2^31 fragments are 13 years")]
fn emsg(number: FragmentNumber, facts: &str) -> Emsg {
    Emsg {
        timescale: SAMPLE_RATE_HZ,
        presentation_time: EmsgTimestamp::Absolute(number.start().0),
        event_duration: 0,
        id: number.0 as u32 & !RELAYED,
        scheme_id_uri: FACTS_SCHEME.into(),
        value: String::new(),
        message_data: facts.as_bytes().to_vec(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "sequence numbers may wrap: 2^32 fragments are 27 years")]
fn moof(number: FragmentNumber, frame_bytes: usize, frames: usize) -> Moof {
    let tfhd = Tfhd { track_id: TRACK, default_sample_size: Some(u32_of(frame_bytes)), default_base_is_moof: true, ..Tfhd::default() };
    let trun = Trun {
        data_offset: i32::try_from(MOOF_BYTES + MDAT_HEADER_BYTES).ok(),
        samples: TrunSamples::Inherited { count: u32_of(frames), first_flags: None },
    };
    let tfdt = Tfdt { base_media_decode_time: number.start().0 };
    Moof {
        mfhd: Mfhd { sequence_number: (number.0 as u32).wrapping_add(1) },
        traf: vec![Traf { tfhd, tfdt: Some(tfdt), trun: vec![trun], ..Traf::default() }],
    }
}

fn u32_of(value: usize) -> u32 {
    u32::try_from(value).expect("a fragment is small")
}

/// A whole fragment found at the front of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number, from the decode time.
    pub number: FragmentNumber,
    /// Bytes of a frame.
    pub frame_bytes: usize,
    /// Where in the bytes its frames are: the last bytes of the fragment.
    pub payload: Range<usize>,
    /// Where in the bytes the live facts are, one range per `emsg` of ours.
    pub facts: Vec<Range<usize>>,
}

impl Found {
    /// Bytes of the whole fragment.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.payload.end
    }

    /// Whether every frame begins as one of ours does: 20 ms of one channel. Bytes that never reached the disk read as zero and don't.
    #[must_use]
    pub fn sounds(&self, bytes: &[u8]) -> bool {
        bytes.get(self.payload.clone()).is_some_and(|payload| {
            !payload.is_empty() && payload.chunks(self.frame_bytes).all(|frame| frame.first().is_some_and(|&toc| is_ours(toc)))
        })
    }
}

/// Whether `bytes` are exactly the fragment of that number of a rung, and every frame of it looks like one.
#[must_use]
pub fn is_whole(rung: Rung, number: FragmentNumber, bytes: &[u8]) -> bool {
    find(bytes).is_ok_and(|found| {
        found.number == number
            && found.length() == bytes.len()
            && found.frame_bytes == rung.frame_bytes()
            && found.payload.len() == payload_bytes(rung)
            && found.sounds(bytes)
    })
}

/// Mono and 20 ms long, by the TOC byte (RFC 6716, 3.1).
const fn is_ours(toc: u8) -> bool {
    let config = toc >> 3;
    let is_20_ms = match config {
        0..12 => config % 4 == 1,
        12..16 => config % 2 == 1,
        16.. => config % 4 == 3,
    };
    is_20_ms && toc & 4 == 0
}

/// Why no fragment stands at the front of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFragment {
    /// The bytes end before the fragment does.
    #[error("the fragment is not whole yet")]
    Short,
    /// The bytes are no fragment of a programme.
    #[error("these bytes are no fragment of a programme")]
    Foreign,
}

/// Most bytes of one box that a fragment may have: far more than any of ours.
const BOX_BYTES_MAX: usize = 1 << 20;

/// Finds the fragment at the front of `bytes`, whichever rung it is of. Other boxes before the `moof` are passed over.
///
/// # Errors
/// [`NoFragment::Short`] when more bytes may complete it, [`NoFragment::Foreign`] when nothing can.
pub fn find(bytes: &[u8]) -> Result<Found, NoFragment> {
    let mut at = 0;
    let mut facts = Vec::new();
    let mut head: Option<Head> = None;
    loop {
        let (kind, length) = box_at(&bytes[at..])?;
        let end = at + length;
        let body = bytes.get(at + 8..end).ok_or(NoFragment::Short)?;
        match (&kind, &head) {
            (b"moof", None) => head = Some(Head::read(body)?),
            (b"mdat", Some(head)) => {
                let Head { number, frame_bytes, frames } = *head;
                if frame_bytes.checked_mul(frames) != Some(body.len()) {
                    return Err(NoFragment::Foreign);
                }
                return Ok(Found { number, frame_bytes, payload: at + 8..end, facts });
            }
            (b"moof", Some(_)) | (b"mdat", None) => return Err(NoFragment::Foreign),
            (b"emsg", _) => facts.extend(facts_at(body).map(|inner| at + 8 + inner..end)),
            _ => {}
        }
        at = end;
    }
}

/// What a `moof` says about its `mdat`.
#[derive(Clone, Copy)]
struct Head {
    number: FragmentNumber,
    frame_bytes: usize,
    frames: usize,
}

impl Head {
    /// Reads a `moof` body as the writer makes it: one track, sizes constant.
    fn read(moof: &[u8]) -> Result<Self, NoFragment> {
        let traf = child(moof, b"traf")?;
        let tfhd = child(traf, b"tfhd")?;
        let tfdt = child(traf, b"tfdt")?;
        let trun = child(traf, b"trun")?;
        // tfhd with default-base-is-moof and a default size, and nothing else.
        if u32_at(tfhd, 0)? != 0x02_0010 || tfdt.first() != Some(&1) {
            return Err(NoFragment::Foreign);
        }
        let time = u64::from(u32_at(tfdt, 4)?) << 32 | u64::from(u32_at(tfdt, 8)?);
        let (frame_bytes, frames) = (u32_at(tfhd, 8)? as usize, u32_at(trun, 4)? as usize);
        if time % FRAGMENT_SAMPLES != 0 || frame_bytes == 0 || frames == 0 {
            return Err(NoFragment::Foreign);
        }
        Ok(Self { number: FragmentNumber(time / FRAGMENT_SAMPLES), frame_bytes, frames })
    }
}

/// Where in an `emsg` version 1 body the data of our scheme begin.
fn facts_at(body: &[u8]) -> Option<usize> {
    let after_times = 24;
    let rest = body.get(after_times..)?;
    let strings = rest.strip_prefix(FACTS_SCHEME.as_bytes())?;
    (body.first() == Some(&1) && strings.starts_with(&[0, 0])).then_some(after_times + FACTS_SCHEME.len() + 2)
}

/// Kind and length of the box that begins `bytes`.
fn box_at(bytes: &[u8]) -> Result<([u8; 4], usize), NoFragment> {
    let head = bytes.first_chunk::<8>().ok_or(NoFragment::Short)?;
    let [a, b, c, d, kind @ ..] = *head;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    let printable = kind.iter().all(u8::is_ascii_graphic);
    if printable && (8..=BOX_BYTES_MAX).contains(&length) { Ok((kind, length)) } else { Err(NoFragment::Foreign) }
}

/// The body of the first child of that kind. A `moof` is read whole, so what is missing in it never comes.
fn child<'a>(mut bytes: &'a [u8], wanted: &[u8; 4]) -> Result<&'a [u8], NoFragment> {
    loop {
        let (kind, length) = box_at(bytes).map_err(|_| NoFragment::Foreign)?;
        let body = bytes.get(8..length).ok_or(NoFragment::Foreign)?;
        if kind == *wanted {
            return Ok(body);
        }
        bytes = &bytes[length..];
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, NoFragment> {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).ok_or(NoFragment::Foreign)?;
    Ok(u32::from_be_bytes(*word))
}

/// Bytes of the init segment at the front of `bytes`: everything before the first fragment.
///
/// # Errors
/// As [`find`].
pub fn init_length(bytes: &[u8]) -> Result<usize, NoFragment> {
    let mut at = 0;
    loop {
        let (kind, length) = box_at(&bytes[at..])?;
        if at == 0 && four(&kind) != four(b"ftyp") {
            return Err(NoFragment::Foreign);
        }
        at += length;
        if bytes.len() < at {
            return Err(NoFragment::Short);
        }
        if kind == *b"moov" {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests;
