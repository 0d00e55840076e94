//! Files of every kind give the same tone at the right speed; files that are no sound say so.

#![expect(clippy::cast_possible_truncation, reason = "small numbers, chosen here")]

use super::*;
use crate::command::speak::tests::scratch;
use hound::WavSpec;

const SECONDS: f64 = 1.5;
const TONE_HZ: f64 = 440.0;

fn tone(at: f64) -> f64 {
    (at * TONE_HZ * std::f64::consts::TAU).sin() * 0.5
}

fn wav(path: &Path, spec: WavSpec) {
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let full = f64::from(2_u32.pow(u32::from(spec.bits_per_sample) - 1) - 1);
    for number in 0..(f64::from(spec.sample_rate) * SECONDS) as u32 {
        let sample = tone(f64::from(number) / f64::from(spec.sample_rate));
        for _ in 0..spec.channels {
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(sample as f32).unwrap(),
                SampleFormat::Int => writer.write_sample((sample * full) as i32).unwrap(),
            }
        }
    }
    writer.finalize().unwrap();
}

fn all(sound: &mut Sound) -> Vec<f32> {
    std::iter::from_fn(|| sound.frame().unwrap()).flatten().collect()
}

/// How much of the tone is in the sound: its amplitude by correlation, over the part away from the ends.
fn amplitude(sound: &[f32]) -> f64 {
    let part = &sound[4_800..sound.len() - 9_600];
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (place, sample) in part.iter().enumerate() {
        let angle = place as f64 / 48_000.0 * TONE_HZ * std::f64::consts::TAU;
        sine += angle.sin() * f64::from(*sample);
        cosine += angle.cos() * f64::from(*sample);
    }
    2.0 * sine.hypot(cosine) / part.len() as f64
}

#[test]
fn wav_of_any_shape_is_the_same_tone() {
    let dir = scratch("wav");
    let check = |channels, sample_rate, bits_per_sample, sample_format| {
        let path = dir.join(format!("{sample_rate}-{channels}-{bits_per_sample}.wav"));
        wav(&path, WavSpec { channels, sample_rate, bits_per_sample, sample_format });
        let mut sound = Sound::open(&path, false).unwrap();
        assert_eq!(sound.seconds(), Some(SECONDS));
        let sound = all(&mut sound);
        assert_eq!(sound.len(), 72_000, "{}", path.display());
        assert!((amplitude(&sound) - 0.5).abs() < 0.01, "{} in {}", amplitude(&sound), path.display());
    };
    check(1, 48_000, 16, SampleFormat::Int);
    check(2, 44_100, 16, SampleFormat::Int);
    check(1, 8_000, 8, SampleFormat::Int);
    check(6, 96_000, 24, SampleFormat::Int);
    check(1, 16_000, 32, SampleFormat::Float);
    check(1, 22_050, 16, SampleFormat::Int);
}

#[test]
fn ogg_opus_is_the_same_tone_without_its_padding() {
    let path = scratch("ogg").join("tone.opus");
    let mut writer = ogg::PacketWriter::new(File::create(&path).unwrap());
    let skip = u16::try_from(audio::opus::LOOKAHEAD_SAMPLES).unwrap();
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(skip.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    let mut write = |data: Vec<u8>, end, granule| writer.write_packet(data, 7, end, granule).unwrap();
    write(head, ogg::PacketWriteEndInfo::EndPage, 0);
    write(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), ogg::PacketWriteEndInfo::EndPage, 0);
    let mut encoder = audio::opus::Encoder::programme(base::Rung::R64).unwrap();
    let mut packet = [0; audio::opus::PACKET_BYTES_MAX];
    // Its end lies within the last frame.
    let (frames, samples) = (76_usize, 72_000_u64);
    for number in 0..frames {
        let frame: Frame = std::array::from_fn(|place| tone((number * TICK_SAMPLES + place) as f64 / 48_000.0) as f32);
        let bytes = encoder.encode(&frame, &mut packet).unwrap();
        let last = number + 1 == frames;
        let end = if last { ogg::PacketWriteEndInfo::EndStream } else { ogg::PacketWriteEndInfo::NormalPacket };
        let granule = if last { u64::from(skip) + samples } else { ((number + 1) * TICK_SAMPLES) as u64 };
        write(packet[..bytes].to_vec(), end, granule);
    }
    let mut sound = Sound::open(&path, false).unwrap();
    assert_eq!(sound.seconds(), None);
    let sound = all(&mut sound);
    assert_eq!(sound.len() as u64, samples);
    assert!((amplitude(&sound) - 0.5).abs() < 0.05, "{}", amplitude(&sound));
}

#[test]
fn a_loop_has_no_end() {
    let path = scratch("loop").join("short.wav");
    let spec = WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (0..1_000).for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    let mut sound = Sound::open(&path, true).unwrap();
    assert_eq!(sound.seconds(), None);
    let frames: Vec<f32> = (0..5).flat_map(|_| sound.frame().unwrap().unwrap()).collect();
    for (place, sample) in frames.iter().enumerate() {
        assert_eq!((sample * 32_768.0).round() as usize, place % 1_000, "without a gap at {place}");
    }
}

#[test]
fn what_is_no_sound_is_said_in_one_line() {
    let dir = scratch("bad");
    let check = |name: &str, bytes: &[u8], wanted: &str| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        let Err(error) = Sound::open(&path, false) else { panic!("{name} is a sound") };
        let text = format!("{error:#}");
        assert!(text.contains(wanted) && text.contains(name) && !text.contains('\n'), "{text}");
    };
    check("empty.wav", b"", "neither WAV nor Ogg");
    check("text.wav", b"This is no sound.", "neither WAV nor Ogg");
    check("head.wav", b"RIFF\x10\0\0\0WAVEnonsense", "no sound");
    check("head.opus", b"OggSnonsense", "no sound");
    let mut silent = Vec::new();
    let spec = WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    hound::WavWriter::new(std::io::Cursor::new(&mut silent), spec).unwrap().finalize().unwrap();
    check("silent.wav", &silent, "holds no sound");
    let missing = dir.join("missing.wav");
    assert!(Sound::open(&missing, false).is_err_and(|error| error.to_string().contains("can't be read")));
}

#[test]
fn the_chimes_go_on_and_are_never_silent() {
    let mut sound = Sound::chimes();
    let heard: Vec<f32> = (0..500).flat_map(|_| sound.frame().unwrap().unwrap()).collect();
    for second in heard.chunks(48_000) {
        let power = second.iter().map(|sample| sample * sample).sum::<f32>() / second.len() as f32;
        assert!((0.001..0.1).contains(&power), "{power}");
    }
    assert!(heard.iter().all(|sample| sample.abs() <= 0.2));
}
