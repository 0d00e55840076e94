//! Who hears whom: the stage, the people behind it, and the listeners, who hear the hold sound until it begins.

mod support;

use std::sync::{Arc, Mutex};
use support::event::Event;
use support::people::{Listener, console};
use support::sound::{RATE, amplitude, share_with, tone};
use support::voice::{Speak, Voice};
use support::{Server, until};

/// Far from each other and from the bells of the hold sound.
const ADA_HZ: f32 = 1_000.0;
const BEN_HZ: f32 = 1_900.0;

/// What somebody hears, from the newest second on.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<f32>>>);

impl Ear {
    fn hears(&self, hertz: f32) -> bool {
        let heard = self.0.lock().expect("an ear");
        heard.last_chunk::<RATE>().is_some_and(|second| share_with(second, hertz, 0.1) > 0.9)
    }

    fn heard_ever(&self, hertz: f32) -> bool {
        share_with(&self.0.lock().expect("an ear"), hertz, 0.05) > 0.0
    }
}

/// Somebody who says a tone without end, with their query besides the name.
fn call(event: &Event, name: &str, hertz: f32) -> (Voice, Ear) {
    let second = tone(hertz, 0.4, RATE);
    let mut ticks = second.chunks_exact(RATE / 50).map(<[f32]>::to_vec).collect::<Vec<_>>().into_iter().cycle();
    let speak: Speak = Box::new(move |_, frame| frame.copy_from_slice(&ticks.next().expect("a tone")));
    let ear = Ear::default();
    let kept = ear.clone();
    let hear = Box::new(move |_, sound: &[f32]| kept.0.lock().expect("an ear").extend_from_slice(sound));
    let ticket = event.stage.rsplit('/').next().expect("a ticket");
    (Voice::call(&event.whip, ticket, name, speak, hear), ear)
}

/// Waits until the stage hears so many people.
fn until_loud(server: &Server, event: &Event, people: usize) {
    let loud = |line: &serde_json::Value| {
        let levels = line["levels"].as_array()?;
        (levels.iter().filter(|level| level[1].as_u64().is_some_and(|below| below < 40)).count() >= people).then_some(())
    };
    console(server, event).find_map(|line| loud(&line)).expect("the stage hears them");
}

/// Waits until listeners hear a tone.
fn until_heard(event: &Event, hertz: f32) {
    until("the tone is heard", || {
        let (success, _, sound) = Listener::new(&format!("{}?from=-1", event.stream), &["--seconds", "1"]).heard();
        (success && share_with(&sound, hertz, 0.1) > 0.9).then_some(())
    });
}

#[test]
fn nobody_on_air_hears_backstage_and_backstage_hears_all() {
    let server = Server::start();
    let event = server.create_event("Buses");
    server.go_live(&event);
    let (_ada, ada) = call(&event, "Ada", ADA_HZ);
    let (_ben, ben) = call(&event, "Ben&backstage=1", BEN_HZ);
    let (_eve, eve) = call(&event, "Eve&backstage=1", 0.0);
    until_loud(&server, &event, 2);
    until_heard(&event, ADA_HZ);
    until("backstage hears the stage", || ben.hears(ADA_HZ).then_some(()));
    until("backstage hears backstage", || (eve.hears(ADA_HZ) && eve.hears(BEN_HZ)).then_some(()));
    let (success, report, sound) = Listener::new(&format!("{}?from=0", event.stream), &["--seconds", "3"]).heard();
    assert!(success, "{report}");
    assert_eq!(share_with(&sound, BEN_HZ, 0.02), 0.0, "listeners hear the stage alone");
    assert!(!ada.heard_ever(BEN_HZ), "the stage hears the stage alone");
    assert!(!ada.heard_ever(ADA_HZ) && !ben.heard_ever(BEN_HZ), "nobody hears themselves");
}

#[test]
fn the_doors_have_the_hold_sound_and_the_event_begins_in_the_same_stream() {
    let server = Server::start();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
    let event = server.create_event_with("Doors", &["--record-tracks", "--start-at", &format!("{soon:.0}")]);
    until("the doors are open", || ureq::head(&event.stream).call().ok());
    let (_ada, ada) = call(&event, "Ada", ADA_HZ);
    let (_ben, _) = call(&event, "Ben", BEN_HZ);
    until_loud(&server, &event, 2);
    until("they hear each other", || ada.hears(BEN_HZ).then_some(()));
    let listener = Listener::new(&format!("{}?from=0", event.stream), &[]);
    let (success, report, sound) = Listener::new(&format!("{}?from=-2", event.stream), &["--seconds", "2"]).heard();
    assert!(success, "{report}");
    assert!(loud(&sound[RATE..]), "the line is alive");
    server.succeeds(&["event", "go-live", &event.id]);
    until_heard(&event, ADA_HZ);
    server.end(&event);
    let (success, report, sound) = listener.heard();
    assert!(success && report["gaps"] == 0, "{report}");
    let second = |from: usize| &sound[from..from + RATE / 50];
    let begun = (0..sound.len() - RATE).step_by(RATE / 50).find(|from| amplitude(second(*from), ADA_HZ) > 0.1).expect("it began");
    let (before, after) = sound.split_at(begun - RATE / 50);
    assert!(loud(before) && share_with(before, ADA_HZ, 0.05) == 0.0 && share_with(before, BEN_HZ, 0.05) == 0.0);
    // An event's last fragment is filled up with silence.
    let after = &after[RATE / 10..after.len() - RATE / 4];
    for hertz in [ADA_HZ, BEN_HZ] {
        assert!(share_with(after, hertz, 0.1) > 0.95, "the voices are there from the beginning on");
    }
    for track in ["1.mp4", "2.mp4"] {
        let track = std::fs::read(server.data().join("events").join(&event.id).join("tracks").join(track)).expect("a track");
        let length = track_samples(&track);
        assert!(length.abs_diff(sound.len() - begun) < RATE, "a track is as long as the event itself: {length} of {}", sound.len());
    }
}

/// How long a speaker's track is.
fn track_samples(track: &[u8]) -> usize {
    let mut bytes = track.strip_prefix(programme::init::segment()).expect("an init segment");
    let mut samples = 0;
    while !bytes.is_empty() {
        let found = programme::fragment::find(bytes).expect("whole fragments");
        samples += found.payload.len() / found.frame_bytes * (RATE / 50);
        bytes = &bytes[found.length()..];
    }
    samples
}

/// Whether there is something to hear, quiet as it may be: more than -50 dB.
fn loud(sound: &[f32]) -> bool {
    sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32 > 1e-5
}
