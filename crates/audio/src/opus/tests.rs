//! Sound through the real codec.

use super::{Decoder, Encoder, Error, LOOKAHEAD_SAMPLES, PACKET_BYTES_MAX, PACKET_SAMPLES_MAX, packet_samples};
use crate::SILENCE;
use crate::sample::{Chance, decibels, frames, speech, tone};
use ::opus::{Application, Channels};
use base::Rung;
use proptest::prelude::*;

fn encode_all(encoder: &mut Encoder, sound: &[f32]) -> Vec<Vec<u8>> {
    let packet = |frame| {
        let mut packet = vec![0; PACKET_BYTES_MAX];
        let bytes = encoder.encode(&frame, &mut packet).unwrap();
        packet.truncate(bytes);
        packet
    };
    frames(sound).map(packet).collect()
}

fn decode_all(packets: &[Vec<u8>]) -> Vec<f32> {
    let mut decoder = Decoder::new().unwrap();
    let mut sound = vec![0.0; packets.len() * 960];
    for (packet, room) in packets.iter().zip(sound.chunks_mut(960)) {
        assert_eq!(decoder.decode(packet, room), Ok(960));
    }
    sound
}

/// By how many samples `heard` is behind `said`.
fn behind(said: &[f32], heard: &[f32]) -> usize {
    let likeness = |lag: usize| said.iter().zip(&heard[lag..]).map(|(a, b)| a * b).sum::<f32>();
    (0..1_000).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap()
}

#[test]
fn every_rung_has_packets_of_its_size_on_one_timeline() {
    let said = speech(140.0, 48_000);
    for rung in Rung::ALL {
        let mut encoder = Encoder::programme(rung).unwrap();
        assert_eq!(encoder.lookahead(), Ok(LOOKAHEAD_SAMPLES));
        let packets = encode_all(&mut encoder, &said);
        assert!(packets.iter().all(|packet| packet.len() == rung.frame_bytes()), "{rung}");
        let heard = decode_all(&packets);
        let lag = behind(&said[..40_000], &heard);
        assert!(lag.abs_diff(LOOKAHEAD_SAMPLES) <= 4, "rung {rung} is {lag} behind");
        assert!((decibels(&heard) - decibels(&said)).abs() < 2.0, "{rung}");
    }
}

#[test]
fn silence_is_sent_like_any_sound() {
    for rung in Rung::ALL {
        let packets = encode_all(&mut Encoder::programme(rung).unwrap(), &[0.0; 48_000]);
        assert!(packets.iter().all(|packet| packet.len() == rung.frame_bytes()), "{rung}");
    }
    assert!(encode_all(&mut Encoder::stage().unwrap(), &[0.0; 48_000]).iter().all(|packet| packet.len() > 2));
}

#[test]
fn a_padded_packet_is_silence_on_every_rung() {
    for rung in Rung::ALL {
        // RFC 6716, section 3.2.5: code 3, one frame, padding; the frame is CELT's for silence (full band, 20 ms, mono).
        let mut packet = vec![0xfb, 0x41, u8::try_from(rung.frame_bytes() - 5).unwrap(), 0xff, 0xfe];
        packet.resize(rung.frame_bytes(), 0);
        let mut decoder = Decoder::new().unwrap();
        let mut sound = SILENCE;
        for loud in encode_all(&mut Encoder::programme(rung).unwrap(), &speech(140.0, 9_600)) {
            decoder.decode(&loud, &mut sound).unwrap();
        }
        assert!(decibels(&sound) > -40.0);
        for _ in 0..3 {
            assert_eq!(decoder.decode(&packet, &mut sound), Ok(960), "{rung}");
        }
        assert!(decibels(&sound) < -90.0, "{rung}: {}", decibels(&sound));
    }
}

#[test]
fn a_lost_packet_is_recovered_better_than_it_is_concealed() {
    let packets = encode_all(&mut Encoder::stage().unwrap(), &speech(140.0, 96_000));
    let whole = decode_all(&packets);
    let error = |recover: bool| {
        let mut decoder = Decoder::new().unwrap();
        let mut error = 0.0;
        let mut frame = SILENCE;
        for (index, packet) in packets.iter().enumerate() {
            match packets.get(index + 1) {
                Some(next) if index % 10 == 9 && recover => decoder.recover(next, &mut frame).unwrap(),
                Some(_) if index % 10 == 9 => decoder.conceal(&mut frame).unwrap(),
                Some(_) | None => assert_eq!(decoder.decode(packet, &mut frame), Ok(960)),
            }
            let good = &whole[index * 960..][..960];
            error += frame.iter().zip(good).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        }
        error
    };
    assert!(error(true) < 0.5 * error(false), "{} against {}", error(true), error(false));
}

#[test]
fn the_rate_to_the_stage_is_what_it_says() {
    let packets = encode_all(&mut Encoder::stage().unwrap(), &speech(140.0, 480_000));
    let bits_per_second = packets.iter().map(Vec::len).sum::<usize>() * 8 / 10;
    assert!((24_000..48_000).contains(&bits_per_second), "{bits_per_second}");
}

#[test]
fn stereo_and_every_duration_come_out_mono() {
    for channels in [Channels::Mono, Channels::Stereo] {
        for samples in [120usize, 240, 480, 960, 1_920, 2_880, 3_840, 4_800, 5_760] {
            let mut encoder = ::opus::Encoder::new(48_000, channels, Application::Audio).unwrap();
            let sound: Vec<f32> = speech(140.0, samples).into_iter().flat_map(|sample| [sample].repeat(channels as usize)).collect();
            let packet = encoder.encode_vec_float(&sound, 4_000).unwrap();
            let mut room = [0.0; PACKET_SAMPLES_MAX];
            assert_eq!(packet_samples(&packet), Ok(samples));
            assert_eq!(Decoder::new().unwrap().decode(&packet, &mut room), Ok(samples));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut encoder = Encoder::programme(Rung::R64).unwrap();
    assert_eq!(encoder.encode(&tone(440.0, 0.5, 0), &mut [0; 159]), Err(Error::BadBuffer));
    let mut packet = [0; 160];
    assert_eq!(encoder.encode(&tone(440.0, 0.5, 0), &mut packet), Ok(160));
    let mut decoder = Decoder::new().unwrap();
    assert_eq!(decoder.decode(&[], &mut [0.0; 960]), Err(Error::BadPacket));
    assert_eq!(decoder.decode(&packet, &mut [0.0; 480]), Err(Error::BadBuffer));
    assert_eq!(decoder.conceal(&mut []), Err(Error::BadBuffer));
    assert_eq!(decoder.conceal(&mut [0.0; 100]), Err(Error::BadBuffer));
    assert_eq!(decoder.conceal(&mut [0.0; 7_200]), Ok(()));
    assert_eq!(packet_samples(&[]), Err(Error::BadPacket));
    assert_eq!(packet_samples(&[0xfb, 0x3f]), Err(Error::BadPacket));
}

proptest! {
    #[test]
    fn any_bytes_are_a_packet_or_an_error(seed in 1u64.., bytes in 0usize..400) {
        let mut chance = Chance(seed);
        let packet: Vec<u8> = (0..bytes).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
        let mut decoder = Decoder::new().unwrap();
        let mut room = [0.0; PACKET_SAMPLES_MAX];
        if let Ok(samples) = decoder.decode(&packet, &mut room) {
            prop_assert_eq!(packet_samples(&packet), Ok(samples));
        }
        let _ = decoder.recover(&packet, &mut room[..960]);
        prop_assert!(decoder.conceal(&mut room[..960]).is_ok());
    }
}
