//! The init segment: what it says, and that it never changes.

use super::*;
use mp4_atom::{Codec, Decode};

#[test]
fn says_mono_opus_in_fragments() {
    let mut bytes = segment();
    let ftyp = Ftyp::decode(&mut bytes).unwrap();
    assert!(ftyp.compatible_brands.contains(&four(b"cmfc")));
    let moov = Moov::decode(&mut bytes).unwrap();
    assert!(bytes.is_empty());
    let Codec::Opus(opus) = &moov.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!("no Opus") };
    assert_eq!((opus.dops.pre_skip, opus.dops.output_channel_count, opus.audio.channel_count), (312, 1, 1));
    assert!(moov.trak[0].mdia.minf.stbl.stco.is_some(), "Firefox opens no file without a chunk table");
    assert_eq!(moov.mvex.unwrap().trex[0].default_sample_duration, 960);
}

#[test]
fn never_changes() {
    // Listeners, caches and every recording hold these bytes.
    assert_eq!((segment().len(), crc32fast::hash(segment())), (INIT_BYTES, INIT_CRC));
    assert_eq!(crate::fragment::init_length(segment()), Ok(INIT_BYTES));
}

const INIT_BYTES: usize = 610;
const INIT_CRC: u32 = 3_295_110_213;
