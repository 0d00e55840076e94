//! The data directory (docs/formats.md): its layout, its version, its locks and its keys.

use crate::link::RoleName;
use anyhow::{Context, bail};
use base::FaultKind;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt as _, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The layout that this binary writes and reads.
const VERSION: u32 = 1;

/// Bytes of a Unix socket's path, its terminating zero included (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 108;

/// Whether the end of an event's journal says that it is over. Most events are, and their journals may be long. When it doesn't, it may be.
pub(crate) fn says_over(event_dir: &Path) -> bool {
    let tail = || -> std::io::Result<Vec<u8>> {
        let file = File::open(event_dir.join("journal"))?;
        let length = file.metadata()?.len();
        let bytes = length.min(programme::journal::TAIL_BYTES);
        let mut tail = vec![0; usize::try_from(bytes).unwrap_or(0)];
        file.read_exact_at(&mut tail, length - bytes)?;
        Ok(tail)
    };
    tail().is_ok_and(|tail| programme::journal::is_over(&tail))
}

/// A lock on the data directory, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Makes the directory what docs/formats.md says, or finds that it is so; refuses one of a newer version.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    make_dir(data, 0o750)?;
    let longest = data.join("run/supervisor.sock");
    if longest.as_os_str().len() >= SOCKET_PATH_BYTES_MAX {
        bail!("the path {} is too long for sockets below it; choose a shorter --data", data.display());
    }
    check_version(data)?;
    for (name, mode) in [("keys", 0o700), ("run", 0o750), ("events", 0o750)] {
        make_dir(&data.join(name), mode)?;
    }
    make_ticket_keys(&data.join("keys"))
}

/// Notes whether a directory holds recordings or copies of them, and refuses to take one for the other: a copy is thrown away.
pub(crate) fn dedicate(data: &Path, copies: bool) -> anyhow::Result<()> {
    let mark = data.join("copies");
    let holds = data.join("square.db").exists() || std::fs::read_dir(data.join("events")).is_ok_and(|mut events| events.next().is_some());
    match (mark.exists(), copies) {
        (false, true) if holds => {
            bail!("{} is the data directory of a townsquare serve; choose another --data for the relay", data.display())
        }
        (true, false) => bail!("{} is the data directory of a townsquare relay; choose another --data", data.display()),
        (false, true) => write_whole(&mark, b"", 0o640),
        (true, true) | (false, false) => Ok(()),
    }
}

fn make_dir(path: &Path, mode: u32) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path).with_context(|| format!("can't make the directory {}", path.display()))
}

fn check_version(data: &Path) -> anyhow::Result<()> {
    let path = data.join("version");
    match std::fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(VERSION) => Ok(()),
            Ok(newer) if newer > VERSION => bail!(
                "the data directory {} has layout {newer}, this townsquare knows {VERSION}; start a newer townsquare or choose another --data",
                data.display()
            ),
            Ok(_) | Err(_) => {
                bail!("{} says {:?}, which is no version; is {} a data directory?", path.display(), text.trim(), data.display())
            }
        },
        Err(error) if error.kind() == ErrorKind::NotFound => write_whole(&path, format!("{VERSION}\n").as_bytes(), 0o640),
        Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
    }
}

/// One key of 32 random bytes, made once; nobody but the owner reads it.
fn make_ticket_keys(keys: &Path) -> anyhow::Result<()> {
    let path = keys.join("tickets");
    if path.exists() {
        return Ok(());
    }
    // Two commands may meet here: one key stands, whoever made it.
    let mut key = [0u8; gate::key::KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    put_whole(&path, gate::Keys::new(key).to_text().as_bytes(), 0o600, leave_first)
}

/// The keys that sign tickets.
pub(crate) fn read_keys(path: &Path) -> anyhow::Result<gate::Keys> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    gate::Keys::parse(&text).with_context(|| format!("{} is damaged; put its backup in its place", path.display()))
}

/// Writes a file so that it is there whole or not at all, even after a power loss.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    put_whole(path, bytes, mode, |temporary, path| std::fs::rename(temporary, path))
}

/// Writes a file beside its place and lets `put` move it there.
fn put_whole(path: &Path, bytes: &[u8], mode: u32, put: impl FnOnce(&Path, &Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let temporary = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        put(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    let written = write();
    if written.is_err() {
        // What is half written takes room that may be what is missing.
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("can't write {}", path.display()))
}

/// What who asked is told when something could not be written or read.
pub(crate) fn fault(error: &anyhow::Error) -> FaultKind {
    let takes_nothing =
        |error: &std::io::Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem);
    let full = error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(takes_nothing) || matches!(cause.downcast_ref::<store::Error>(), Some(store::Error::Full(_)))
    });
    if full { FaultKind::DiskFull } else { FaultKind::Internal }
}

/// Gives a file its name unless another has it already.
fn leave_first(temporary: &Path, path: &Path) -> std::io::Result<()> {
    let linked = std::fs::hard_link(temporary, path);
    std::fs::remove_file(temporary)?;
    linked.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
}

/// The lock of a running server's processes.
pub(crate) fn lock_shared(data: &Path) -> anyhow::Result<Lock> {
    lock(data, FlockOperation::NonBlockingLockShared)?
        .with_context(|| format!("another townsquare command is working in {}; try again in a moment", data.display()))
}

/// The lock of a command that works without a server; `None` while a server runs.
pub(crate) fn lock_exclusive(data: &Path) -> anyhow::Result<Option<Lock>> {
    lock(data, FlockOperation::NonBlockingLockExclusive)
}

fn lock(data: &Path, how: FlockOperation) -> anyhow::Result<Option<Lock>> {
    let path = data.join("lock");
    let file = open_lock(&path)?;
    match flock(&file, how) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't lock {}", path.display())),
    }
}

/// The one supervisor's own lock; the file says its process.
pub(crate) fn lock_supervisor(run: &Path) -> anyhow::Result<Option<Lock>> {
    let path = run.join("supervisor.pid");
    let file = open_lock(&path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| writeln!(&file, "{}", std::process::id()))
                .with_context(|| format!("can't write {}", path.display()))?;
            Ok(Some(Lock { _file: file }))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't lock {}", path.display())),
    }
}

fn open_lock(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o640);
    options.open(path).with_context(|| format!("can't open {}", path.display()))
}

/// Where a role's process file lies.
pub(crate) fn pid_file(run: &Path, role: RoleName, index: u32) -> PathBuf {
    run.join(match role {
        RoleName::Relay => format!("{}-{index}.pid", role.name()),
        RoleName::Stage | RoleName::Square | RoleName::Copy => format!("{}.pid", role.name()),
    })
}

/// Says in the process file that this process plays the role.
pub(crate) fn write_pid(run: &Path, role: RoleName, index: u32) -> anyhow::Result<()> {
    let path = pid_file(run, role, index);
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&temporary, format!("{}\n", std::process::id()))
        .and_then(|()| std::fs::rename(&temporary, &path))
        .with_context(|| format!("can't write {}", path.display()))
}

#[cfg(test)]
mod tests;
