//! What was decided, and a disk without room for it.

use super::*;
use base::UnixMillis;
use programme::announcement::Visibility;

#[test]
fn what_was_decided_on_a_full_disk_is_kept_once_there_is_room() {
    let dir = std::env::temp_dir().join(format!("townsquare-event-{:016x}", getrandom::u64().unwrap()));
    std::fs::create_dir_all(&dir).unwrap();
    let id = EventId::from_random(7);
    std::fs::write(dir.join("event.json"), Announcement::new(id, "A test", Visibility::Public, UnixMillis(1)).text()).unwrap();
    let now = Now { instant: Instant::now(), wall: UnixMillis(2) };
    let mut event = Event::load(&dir, id, DeskId { slot: 0, serial: 1 }, now).unwrap_or_else(|fault| panic!("{}", fault.code()));
    let entry = |what| Entry { at: UnixMillis(3), what };
    let [locked, unlocked] = [true, false].map(|locked| entry(What::Locked { locked }));
    let talked = entry(What::Spoken { totals: vec![(ParticipantId(1), 2_000)] });
    let banned = entry(What::Banned { ticket: 9 });
    event.write_down(id, &[&locked]);
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let disk = std::mem::replace(&mut event.journal, full);
    event.write_down(id, &[&talked, &banned]);
    event.write_down(id, &[&unlocked]);
    assert!(event.is_behind());
    event.journal = disk;
    event.write_down(id, &[]);
    assert!(!event.is_behind());
    let kept = Journal::read(&std::fs::read(dir.join("journal")).unwrap()).entries;
    assert_eq!(kept, [locked, banned, unlocked]);
    std::fs::remove_dir_all(dir).unwrap();
}
