//! A disk that fills up while somebody speaks: the recording stops with an alarm, the live sound does not, and what was kept is a
//! good replay.

mod support;

use rustix::process::Signal;
use std::path::Path;
use support::disk::SmallDisk;
use support::event::Event;
use support::people::{Listener, TONE_HZ, console, speaks, wait_for_tone};
use support::sound::{RATE, share_with};
use support::{Server, until};

/// Samples of one fragment of the recording.
const FRAGMENT_SAMPLES: usize = RATE / 5;

/// How many fragments the recording on disk has.
fn recorded(events: &Path, event: &Event) -> usize {
    let bytes = std::fs::read(events.join(&event.id).join("64.idx")).unwrap_or_default();
    programme::index::records(&bytes).filter(|record| matches!(record, programme::index::Record::Fragment(_))).count()
}

/// Speaks until the disk is full and the console has said so.
fn until_the_alarm(server: &Server, event: &Event, disk: &SmallDisk) {
    let mut lines = console(server, event);
    assert!(lines.any(|line| line["state"]["alarms"].as_array().is_some_and(Vec::is_empty)), "no alarm while all is well");
    disk.fill();
    assert!(lines.any(|line| line["state"]["alarms"][0] == "recording-stopped"), "the console says it");
}

/// The replay, which is there and has a tone without any other sound in it, but for its very beginning.
fn replay(event: &Event) -> Vec<f32> {
    let sound = until("the replay is there", || {
        let (success, _, sound) = Listener::new(&event.replay(), &[]).heard();
        success.then_some(sound)
    });
    let from = sound.chunks(RATE / 50).position(|window| share_with(window, TONE_HZ, 0.1) > 0.0).expect("the tone");
    sound[from * (RATE / 50)..].to_vec()
}

#[test]
fn a_full_disk_stops_the_recording_and_not_the_sound() {
    let mut server = Server::prepared(&[]);
    let events = server.data().join("events");
    let Some(disk) = SmallDisk::mount(events.clone()) else { return };
    server.start_supervisor();
    server.wait_ready();
    let event = server.create_event("Full");
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let throughout = Listener::new(&format!("{}?from=-1", event.stream), &[]);
    until_the_alarm(&server, &event, &disk);
    let kept = recorded(&events, &event);
    // Who comes only now hears it as well.
    Listener::new(&format!("{}?from=-1", event.stream), &["--seconds", "4"]).heard_only_the_tone();
    assert_eq!(recorded(&events, &event), kept, "nothing is written any more");
    server.end(&event);
    throughout.heard_only_the_tone();
    let sound = replay(&event);
    assert!(sound.len() <= kept * FRAGMENT_SAMPLES && sound.len() > FRAGMENT_SAMPLES, "{} samples of {kept} fragments", sound.len());
    let share = share_with(&sound, TONE_HZ, 0.1);
    assert!(share > 0.97, "the tone is in {:.1} % of the replay", share * 100.0);
}

#[test]
fn room_that_comes_back_corrupts_nothing() {
    let mut server = Server::prepared(&[]);
    let events = server.data().join("events");
    let Some(disk) = SmallDisk::mount(events.clone()) else { return };
    server.start_supervisor();
    server.wait_ready();
    let event = server.create_event("Room again");
    let _speaking = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let throughout = Listener::new(&format!("{}?from=-1", event.stream), &[]);
    until_the_alarm(&server, &event, &disk);
    let kept = recorded(&events, &event);
    disk.empty();
    // A stage that starts anew finds room: it goes on behind all that was heard, and records again.
    let old = server.signal("stage", Signal::KILL);
    server.wait_replaced("stage", old);
    until("the recording goes on", || (recorded(&events, &event) > kept + 10).then_some(()));
    wait_for_tone(&event, &[]);
    server.end(&event);
    let (success, report, _) = throughout.heard();
    assert!(success && report["gaps"] == 0, "{report}");
    let sound = replay(&event);
    assert!(sound.len() > (kept + 10) * FRAGMENT_SAMPLES / 2, "{} samples", sound.len());
    assert!(share_with(&sound[..FRAGMENT_SAMPLES], TONE_HZ, 0.1) > 0.97 && share_with(&sound, TONE_HZ, 0.1) > 0.5);
}

#[test]
fn who_goes_live_where_no_file_can_be_made_is_told_what_to_do() {
    let mut server = Server::prepared(&[]);
    let Some(disk) = SmallDisk::mount_with(server.data().join("events"), "nr_inodes=32") else { return };
    server.start_supervisor();
    server.wait_ready();
    let event = server.create_event("No room");
    let files = disk.fill_with_files();
    let said = server.run(&["event", "go-live", &event.id]);
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && text.contains("disk is full") && text.contains("Free space"), "{text}");
    for file in files {
        std::fs::remove_file(file).expect("removed");
    }
    server.go_live(&event);
    server.end(&event);
}

#[test]
fn a_command_on_a_full_disk_says_so() {
    let server = Server::prepared(&[]);
    let Some(disk) = SmallDisk::mount(server.data()) else { return };
    assert!(server.run(&["event", "create", "--title", "Room"]).status.success());
    disk.fill();
    for words in [&["event", "create", "--title", "No room"][..], &["account", "create", "ada"]] {
        let said = server.run(words);
        let text = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{words:?}: {text}");
        assert!(text.lines().last().is_some_and(|line| line.contains("disk is full")), "{words:?}: {text}");
    }
    disk.empty();
    assert!(server.run(&["event", "create", "--title", "Room again"]).status.success());
}
