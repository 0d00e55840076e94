//! Speakers' own tracks: each has one voice, where the programme has it.

use super::speaker::{Speaker, share_of};
use super::world::World;
use super::{ADA_HZ, GRACE_HZ, seconds_of};
use audio::opus::{Decoder, PACKET_SAMPLES_MAX};
use base::plan::Plan;
use programme::{fragment, init};

fn decoded(file: &[u8]) -> Vec<f32> {
    let mut bytes = file.strip_prefix(init::segment()).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut sound = Vec::new();
    while !bytes.is_empty() {
        let found = fragment::find(bytes).unwrap();
        for packet in bytes[found.payload.clone()].chunks_exact(found.frame_bytes) {
            let mut samples = [0.0; PACKET_SAMPLES_MAX];
            let count = decoder.decode(packet, &mut samples).unwrap();
            sound.extend_from_slice(&samples[..count]);
        }
        bytes = &bytes[found.length()..];
    }
    sound
}

/// In which 20 ms a tone begins.
fn onset(hz: f32, sound: &[f32]) -> usize {
    sound.chunks_exact(960).position(|window| share_of(hz, window) > 0.8).unwrap()
}

#[test]
fn each_speaker_has_a_track_that_lines_up_with_the_programme() {
    let world = World::with(Plan { record_tracks: true, ..Plan::default() });
    let role = world.start();
    let ada = Speaker::call(&role, "speaker", ADA_HZ, false, ingest::Wish::Send).speak_on(25);
    role.act("host", r#"{"do":"go-live"}"#);
    ada.speak(75);
    Speaker::call(&role, "speaker", GRACE_HZ, false, ingest::Wish::Send).speak(75);
    role.act("host", r#"{"do":"end"}"#);
    role.stop();
    let programme = world.kept().sound;
    for (track, hz, other) in [("tracks/1.mp4", ADA_HZ, GRACE_HZ), ("tracks/2.mp4", GRACE_HZ, ADA_HZ)] {
        let track = decoded(&world.file(track));
        assert!(track.len() <= programme.len());
        assert!(seconds_of(hz, &track) > 0.9 && seconds_of(other, &track) < 0.05);
        let apart = onset(hz, &track).abs_diff(onset(hz, &programme));
        assert!(apart <= 1, "{apart} ticks");
    }
}
