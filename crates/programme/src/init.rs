//! The init segment: `ftyp moov`, the same bytes for every rung of every event, and the track that it shares with the replay.

use base::time::{SAMPLE_RATE_HZ, TICK_SAMPLES};
use mp4_atom::{
    Audio, Dinf, Dops, Dref, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Minf, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stco, Stsd, Tkhd, Trak,
    Trex, Url,
};
use std::sync::LazyLock;

/// Samples that a decoder throws away at the very start: the lookahead of libopus at 48 kHz.
pub const PRE_SKIP_SAMPLES: u16 = 312;

/// The one track's id.
pub(crate) const TRACK: u32 = 1;

/// Samples of one Opus frame.
#[expect(clippy::cast_possible_truncation, reason = "960 fits")]
pub(crate) const FRAME_SAMPLES: u32 = TICK_SAMPLES as u32;

/// The init segment's bytes. They never change: a listener may keep them for ever.
#[must_use]
pub fn segment() -> &'static [u8] {
    static SEGMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let ftyp = Ftyp { major_brand: four(b"iso6"), minor_version: 0, compatible_brands: [b"iso6", b"cmfc", b"mp41"].map(four).to_vec() };
        let trex = Trex {
            track_id: TRACK,
            default_sample_description_index: 1,
            default_sample_duration: FRAME_SAMPLES,
            default_sample_size: 0,
            // ISO/IEC 14496-12 8.8.3: depends on no other sample, so that every frame is a place to start.
            default_sample_flags: 0x0200_0000,
        };
        // An empty chunk table too: the standard asks for one, and Firefox opens no file without it (ISO 14496-12, 8.7.5).
        let mut moov = movie(Stbl { stsd: description(), stco: Some(Stco::default()), ..Stbl::default() }, 0);
        moov.mvex = Some(Mvex { mehd: None, trex: vec![trex] });
        let mut bytes = Vec::new();
        put(&ftyp, &mut bytes);
        put(&moov, &mut bytes);
        bytes
    });
    &SEGMENT
}

/// A movie of one mono Opus track; `samples` is the duration of the media on the 48 kHz timescale, 0 when it is not known yet.
pub(crate) fn movie(stbl: Stbl, samples: u64) -> Moov {
    let trak = Trak {
        tkhd: Tkhd { track_id: TRACK, duration: samples, enabled: true, in_movie: true, volume: 1.into(), ..Tkhd::default() },
        mdia: Mdia {
            mdhd: Mdhd { timescale: SAMPLE_RATE_HZ, duration: samples, language: "und".into(), ..Mdhd::default() },
            hdlr: Hdlr { handler: four(b"soun"), name: "Townsquare".into() },
            minf: Minf {
                smhd: Some(Smhd::default()),
                dinf: Dinf { dref: Dref { entries: vec![Url::default().into()] } },
                stbl,
                ..Minf::default()
            },
        },
        ..Trak::default()
    };
    let mvhd = Mvhd {
        timescale: SAMPLE_RATE_HZ,
        duration: samples,
        rate: 1.into(),
        volume: 1.into(),
        next_track_id: TRACK + 1,
        ..Mvhd::default()
    };
    Moov { mvhd, trak: vec![trak], ..Moov::default() }
}

/// The sample description: mono Opus at 48 kHz (Opus in ISOBMFF, 4.3).
#[expect(clippy::cast_possible_truncation, reason = "the rate is written as 16.16 fixed point and 48000 fits 16 bits")]
pub(crate) fn description() -> Stsd {
    let audio = Audio { data_reference_index: 1, channel_count: 1, sample_size: 16, sample_rate: (SAMPLE_RATE_HZ as u16).into() };
    let dops = Dops {
        output_channel_count: 1,
        pre_skip: PRE_SKIP_SAMPLES,
        input_sample_rate: SAMPLE_RATE_HZ,
        output_gain: 0,
        channel_mapping: None,
    };
    Stsd { codecs: vec![Opus { audio, dops, btrt: None }.into()] }
}

/// Appends a box. Encoding to memory fails only for values that no caller builds.
pub(crate) fn put(atom: &impl Encode, into: &mut Vec<u8>) {
    atom.encode(into).expect("a box of our own encodes");
}

/// A four-character code.
pub(crate) fn four(code: &[u8; 4]) -> FourCC {
    FourCC::new(code)
}

#[cfg(test)]
mod tests;
