//! What lies in an event's directory, as its host is shown it.

use super::{Track, list, path};
use crate::role::square::tests::Data;
use base::journal::{Entry, Role, What};
use base::{FragmentNumber, MediaTime, ParticipantId, Rung, UnixMillis};
use programme::init;

fn joined(number: u16, name: &str) -> What {
    let (key, name) = (format!("the key of number {number}"), name.to_owned());
    What::Joined { participant: ParticipantId(number), key, name, role: Role::Speaker, ticket: 0, backstage: false }
}

/// Somebody who speaks from one second to another.
fn spoken(from: u64, to: u64) -> Vec<u8> {
    let mut track = programme::track::Track::new(FragmentNumber(0));
    let mut file = init::segment().to_vec();
    let packet = [0xfc; Rung::R64.frame_bytes()];
    (from * 50..to * 50).for_each(|tick| file.extend(track.push(MediaTime::from_millis(tick * 20), &packet)));
    file.extend(track.stop());
    file
}

#[test]
fn tracks_have_names_and_lengths() {
    let data = Data::new();
    let dir = data.0.data.join("event");
    std::fs::create_dir_all(&dir).expect("made");
    assert_eq!(list(&dir).expect("nothing is there"), []);
    let renamed = What::Renamed { participant: ParticipantId(2), name: "Benedict".into() };
    let said = [joined(1, "Ada"), joined(2, "Ben"), renamed, joined(10, "Ada")];
    let journal: Vec<u8> = said.into_iter().flat_map(|what| programme::journal::record(&Entry { at: UnixMillis(1), what })).collect();
    std::fs::write(dir.join("journal"), journal).expect("written");
    std::fs::create_dir(dir.join("tracks")).expect("made");
    // Of the third nothing was ever heard, of the eleventh no name is known; the other file is nobody's.
    for (number, file) in [(1, spoken(0, 3)), (2, spoken(25, 26)), (3, init::segment().to_vec()), (10, spoken(7, 8)), (11, spoken(0, 1))] {
        std::fs::write(path(&dir, ParticipantId(number)), file).expect("written");
    }
    std::fs::write(dir.join("tracks/notes.txt"), "not a track").expect("written");
    let track = |number: u16, name: &str, first_ms: u64, end_ms: u64| {
        let bytes = std::fs::metadata(path(&dir, ParticipantId(number))).expect("is there").len();
        Track { participant: ParticipantId(number), name: name.into(), bytes, first_ms, end_ms }
    };
    let wanted = [track(1, "Ada", 0, 3_000), track(2, "Benedict", 25_000, 26_000), track(10, "Ada", 7_000, 8_000), track(11, "", 0, 1_000)];
    assert_eq!(list(&dir).expect("reads"), wanted);
}
