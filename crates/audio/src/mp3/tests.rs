//! The file's frames: as many as the sound is long, of one size, the first of them saying so.

use super::*;
use base::time::TICK_SAMPLES;

/// Samples of an MPEG-1 Layer III frame.
const FRAME_SAMPLES: usize = 1_152;

fn tone(tick: usize) -> Frame {
    std::array::from_fn(|nth| {
        let at = (tick * TICK_SAMPLES + nth) as f32 / SAMPLE_RATE_HZ as f32;
        0.3 * (at * 440.0 * std::f32::consts::TAU).sin()
    })
}

#[test]
fn a_minute_is_a_minute_of_whole_frames() {
    let mut encoder = Encoder::new().expect("memory");
    let mut file = Vec::new();
    let ticks = 60 * 50;
    for tick in 0..ticks {
        encoder.encode(&tone(tick), &mut file).expect("encodes");
    }
    let info = encoder.finish(&mut file).expect("ends");
    assert!(info.len() <= INFO_BYTES_MAX && file.len() > info.len());
    file[..info.len()].copy_from_slice(&info);
    // 64 kbit/s at 48 kHz: 192 bytes a frame, never padded. MPEG-1 Layer III, no CRC, mono.
    let frames = file.as_chunks::<192>();
    assert!(frames.1.is_empty(), "{} bytes behind the last frame", frames.1.len());
    for frame in frames.0 {
        assert_eq!((frame[0], frame[1], frame[2], frame[3] >> 6), (0xff, 0xfb, 0x54, 3));
    }
    assert!(frames.0[0].windows(4).any(|word| word == b"Info"), "the first frame tells how long it is");
    let samples = (frames.0.len() - 1) * FRAME_SAMPLES;
    let sound = ticks * TICK_SAMPLES;
    assert!((sound..sound + 4 * FRAME_SAMPLES).contains(&samples), "{samples} samples for {sound}");
}
