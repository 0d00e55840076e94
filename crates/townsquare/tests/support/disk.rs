//! A disk of a few megabytes that can be filled.

use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

/// A file system of a few megabytes below a server's data directory; gone with the value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with the reason printed, where nothing may be mounted.
    pub fn mount(at: PathBuf) -> Option<Self> {
        Self::mount_with(at, "size=4m")
    }

    /// The same with another limit, in `mount`'s words.
    pub fn mount_with(at: PathBuf, limit: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a directory");
        let said = Command::new("mount").args(["-t", "tmpfs", "-o", limit, "tmpfs"]).arg(&at).output().expect("mount is there");
        if !said.status.success() {
            eprintln!("skipped: no file system can be mounted here: {}", String::from_utf8_lossy(&said.stderr).trim());
            return None;
        }
        Some(Self(at))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves no byte free, however often something else is freed meanwhile.
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).expect("a file");
        for size in [64 * 1024, 4 * 1024, 1] {
            loop {
                match file.write(&vec![0; size]) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("filling the disk: {error}"),
                }
            }
        }
    }

    /// Leaves no room for one more file; gives those that fill it.
    pub fn fill_with_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        loop {
            let path = self.0.join(format!("file-{}", files.len()));
            match File::create(&path) {
                Ok(_) => files.push(path),
                Err(error) if error.kind() == ErrorKind::StorageFull => return files,
                Err(error) => panic!("filling the disk: {error}"),
            }
        }
    }

    /// Frees what was filled.
    pub fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        // A server that is killed behind the end of its event leaves what it kept in memory (docs/formats.md, "When the disk is full").
        let data = self.0.parent().expect("the data directory").as_os_str().as_encoded_bytes();
        let hash: String = Sha256::digest(data).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let _ = std::fs::remove_dir_all(format!("/dev/shm/townsquare-{}-{hash}", rustix::process::getuid().as_raw()));
    }
}
