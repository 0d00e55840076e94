//! The sound check: what comes back is the microphone as listeners would hear it.

use super::speaker::Speaker;
use super::world::{Answer, World, post};
use super::{ADA_HZ, seconds_of};
use audio::opus::{Decoder, PACKET_SAMPLES_MAX};
use base::limit::CHECK_MILLIS;
use base::{FragmentNumber, Rung};
use programme::{fragment, init};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const KEY: &str = "a-key-that-nobody-guesses";

fn check(world: &World, stage: SocketAddr, key: &str) -> Answer {
    post(stage, &format!("/check/{}?key={key}", world.event), &world.ticket("speaker"), "application/json", "")
}

/// The sound in a file of the stage's own making.
fn decoded(file: &[u8]) -> Vec<f32> {
    let fragments = file.strip_prefix(init::segment()).unwrap();
    let length = fragment::silent(Rung::R64, FragmentNumber(0)).len();
    assert!(fragments.len().is_multiple_of(length));
    let mut decoder = Decoder::new().unwrap();
    let mut sound = Vec::new();
    for (fragment, number) in fragments.chunks_exact(length).zip(0..) {
        assert!(fragment::is_whole(Rung::R64, FragmentNumber(number), fragment));
        for packet in fragment[length - fragment::payload_bytes(Rung::R64)..].chunks_exact(Rung::R64.frame_bytes()) {
            let mut samples = [0.0; PACKET_SAMPLES_MAX];
            let count = decoder.decode(packet, &mut samples).unwrap();
            sound.extend_from_slice(&samples[..count]);
        }
    }
    sound
}

#[test]
fn a_sound_check_plays_back_the_next_seconds_of_one_microphone() {
    let world = World::new();
    let role = world.start();
    let stage = role.address;
    assert_eq!((check(&world, stage, KEY).status, check(&world, stage, "").code().as_str()), (404, "bad-request"));
    let mut ada = Speaker::call_as(&role, "speaker", &format!("?key={KEY}&name=Ada"), ADA_HZ, false, ingest::Wish::Both);
    role.act_as("speaker", &format!("?key={KEY}"), r#"{"do":"mute","participant":1,"muted":true}"#);
    let is_over = AtomicBool::new(false);
    let answers = std::thread::scope(|scope| {
        let (world, is_over) = (&world, &is_over);
        scope.spawn(move || {
            while !is_over.load(Relaxed) {
                ada = ada.speak_on(10);
            }
        });
        let checks = [(); 2].map(|()| scope.spawn(move || check(world, stage, KEY)));
        let answers = checks.map(|check| check.join().unwrap());
        is_over.store(true, Relaxed);
        answers
    });
    role.stop();
    let [done, refused] = if answers[0].status == 200 { [&answers[0], &answers[1]] } else { [&answers[1], &answers[0]] };
    assert_eq!((refused.status, refused.code().as_str()), (409, "check-running"), "one at a time");
    assert_eq!((done.status, done.header("content-type")), (200, Some("audio/mp4")));
    let sound = decoded(&done.bytes);
    assert_eq!(sound.len() as u64, CHECK_MILLIS * 48);
    let tone = seconds_of(ADA_HZ, &sound);
    assert!(tone > 3.5, "{tone} s of the tone, muted or not");
}
