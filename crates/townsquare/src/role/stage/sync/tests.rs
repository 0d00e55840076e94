use super::*;
use std::sync::mpsc::sync_channel;

#[test]
fn a_disk_that_does_not_sync_is_told_once_for_each_programme() {
    let sync = Sync::default();
    // What can't be synced at all gives the same error as a disk that fails.
    let (pipe, other) = rustix::pipe::pipe().unwrap();
    let desks = [DeskId { slot: 0, serial: 1 }, DeskId { slot: 1, serial: 2 }];
    sync.dirty(desks[1], [Arc::new(File::open("Cargo.toml").unwrap())]);
    sync.dirty(desks[0], [Arc::new(pipe.into()), Arc::new(other.into())]);
    sync.stop();
    let ((recorder, told), (reports, _reported)) = (sync_channel(8), sync_channel(8));
    sync.run(&recorder, &reports, &Metrics::default());
    let told: Vec<_> = told.try_iter().collect();
    assert!(matches!(told.as_slice(), [ToRecorder::DiskFailed(desk)] if *desk == desks[0]));
}
