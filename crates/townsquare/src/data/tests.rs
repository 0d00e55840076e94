use super::*;
use std::os::unix::fs::PermissionsExt;

/// A directory below the system's temporary one that goes away with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).expect("randomness");
        Self(std::env::temp_dir().join(format!("ts-{name}-{:x}", u64::from_le_bytes(random))))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_new_directory_gets_its_layout_and_keeps_its_key() {
    let scratch = Scratch::new("layout");
    prepare(&scratch.0).expect("made");
    let keys = scratch.0.join("keys/tickets");
    let key = std::fs::read_to_string(&keys).expect("key");
    assert_eq!(key.trim_end().len(), 64);
    assert_eq!(std::fs::metadata(&keys).expect("key").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(scratch.0.join("version")).expect("version"), "1\n");
    prepare(&scratch.0).expect("found");
    assert_eq!(std::fs::read_to_string(&keys).expect("key"), key);
}

#[test]
fn whoever_comes_first_makes_the_key() {
    let scratch = Scratch::new("race");
    let gate = std::sync::Barrier::new(8);
    let keys: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            gate.wait();
            prepare(&scratch.0).expect("made");
            std::fs::read_to_string(scratch.0.join("keys/tickets")).expect("key")
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]), "everybody has the same key");
    // One that comes too late finds the first and leaves nothing behind.
    let path = scratch.0.join("keys/tickets");
    put_whole(&path, b"another", 0o600, leave_first).expect("left");
    assert_eq!(std::fs::read_to_string(&path).expect("key"), keys[0]);
    assert_eq!(std::fs::read_dir(scratch.0.join("keys")).expect("there").count(), 1);
}

#[test]
fn a_version_that_is_not_ours_is_refused_in_one_line() {
    for (said, expected) in [("2\n", "layout 2"), ("0\n", "no version"), ("hello\n", "no version")] {
        let scratch = Scratch::new("version");
        std::fs::create_dir_all(&scratch.0).expect("dir");
        std::fs::write(scratch.0.join("version"), said).expect("version");
        let error = prepare(&scratch.0).expect_err("refused").to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        assert!(!scratch.0.join("keys").exists(), "nothing is made in a directory that is refused");
    }
}

#[test]
fn a_server_and_a_command_without_one_exclude_each_other() {
    let scratch = Scratch::new("lock");
    prepare(&scratch.0).expect("made");
    let one = lock_shared(&scratch.0).expect("shared");
    let two = lock_shared(&scratch.0).expect("shared twice");
    assert!(lock_exclusive(&scratch.0).expect("tried").is_none());
    drop((one, two));
    let alone = lock_exclusive(&scratch.0).expect("tried").expect("free");
    assert!(lock_shared(&scratch.0).is_err());
    drop(alone);
    let supervisor = lock_supervisor(&scratch.0.join("run")).expect("tried");
    assert!(supervisor.is_some());
    assert!(lock_supervisor(&scratch.0.join("run")).expect("tried").is_none());
}

#[test]
fn a_disk_that_takes_nothing_is_named() {
    use std::io::Error;
    for (code, kind) in [
        (rustix::io::Errno::NOSPC, FaultKind::DiskFull),
        (rustix::io::Errno::DQUOT, FaultKind::DiskFull),
        (rustix::io::Errno::ROFS, FaultKind::DiskFull),
        (rustix::io::Errno::ACCESS, FaultKind::Internal),
    ] {
        let error = anyhow::Error::from(Error::from_raw_os_error(code.raw_os_error())).context("can't write");
        assert_eq!(fault(&error), kind, "{error:#}");
    }
}

#[test]
fn what_could_not_be_written_leaves_nothing() {
    let scratch = Scratch::new("unwritten");
    std::fs::create_dir_all(scratch.0.join("taken")).expect("a directory");
    assert!(write_whole(&scratch.0.join("taken"), b"text", 0o600).is_err(), "a directory is in the way");
    assert_eq!(std::fs::read_dir(&scratch.0).expect("read").count(), 1);
}

#[test]
fn damaged_keys_are_named() {
    let scratch = Scratch::new("damaged");
    prepare(&scratch.0).expect("made");
    let path = scratch.0.join("keys/tickets");
    assert!(read_keys(&path).is_ok());
    std::fs::write(&path, "no key\n").expect("written");
    let error = read_keys(&path).expect_err("damaged").to_string();
    assert!(error.contains(&path.display().to_string()) && error.contains("damaged"), "{error}");
}
