//! Processes: starting a role, finding the ones that outlived a supervisor, ending them.

use super::roster::RoleId;
use crate::data::pid_file;
use crate::link::RoleName;
use crate::settings::Settings;
use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The first descriptor that a role inherits.
const FIRST: RawFd = 3;

/// The stage's sound is in real time: it goes before the rest when the system allows it.
const STAGE_NICE: i32 = -10;

/// A running role: our own child, or one that an earlier supervisor started.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Names this very process, whoever gets its number later.
    pub(crate) handle: Arc<OwnedFd>,
    child: Option<Child>,
}

/// Descriptors 3 to 6 of the supervisor, kept occupied so that a role's inherited sockets, which are put there after the
/// fork, never land on a descriptor that the fork itself still needs.
#[derive(Debug)]
pub(crate) struct Reserved {
    _held: Vec<OwnedFd>,
}

impl Reserved {
    /// Occupies them; to be called before anything else is opened.
    pub(crate) fn take() -> anyhow::Result<Self> {
        let null = std::fs::File::open("/dev/null").context("can't open /dev/null")?;
        let mut held = vec![OwnedFd::from(null)];
        while held.last().is_some_and(|last| last.as_raw_fd() < FIRST + 3) {
            held.push(rustix::io::fcntl_dupfd_cloexec(&held[0], FIRST)?);
        }
        Ok(Self { _held: held })
    }
}

impl Process {
    /// Starts a role with its sockets.
    pub(crate) fn start(id: RoleId, settings: &Settings, log: &[(&'static str, String)], sockets: &[OwnedFd]) -> anyhow::Result<Self> {
        // Above every place they are put at, so that no one overwrites the next.
        let sources: Vec<OwnedFd> = sockets.iter().map(|socket| rustix::io::fcntl_dupfd_cloexec(socket, 64)).collect::<Result<_, _>>()?;
        let raised = id.role == RoleName::Stage;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("townsquare").arg("role").arg(id.role.name()).arg(id.index.to_string());
        command.env("TOWNSQUARE_SETTINGS", serde_json::to_string(settings)?).envs(log.iter().map(|(key, value)| (key, value)));
        for key in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"] {
            command.env_remove(key);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let place = move || {
            rustix::process::setsid()?;
            if raised {
                let _ = rustix::process::setpriority_process(None, STAGE_NICE);
            }
            for (target, source) in (FIRST..).zip(&sources) {
                put(source.as_fd(), target)?;
            }
            Ok(())
        };
        #[expect(unsafe_code, reason = "between fork and exec only system calls are made: no allocation, no lock")]
        let command = unsafe { command.pre_exec(place) };
        let child = command.spawn().with_context(|| format!("can't start the {id}"))?;
        let pid = Pid::from_child(&child);
        let handle = Arc::new(pidfd_open(pid, PidfdFlags::NONBLOCK)?);
        Ok(Self { pid, handle, child: Some(child) })
    }

    /// Takes over a process that somebody else started.
    pub(crate) fn adopt(pid: i32) -> Option<Self> {
        let pid = Pid::from_raw(pid)?;
        let handle = Arc::new(pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?);
        Some(Self { pid, handle, child: None })
    }

    /// Sends a signal to exactly this process.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&*self.handle, signal);
    }

    /// After its end: reaps it if it is ours, and says how it ended.
    pub(crate) fn reap(mut self) -> String {
        match self.child.as_mut().map(Child::wait) {
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => "not a child of this supervisor".to_owned(),
        }
    }

    fn ended_within(&self, time: Duration) -> bool {
        let timeout = rustix::time::Timespec::try_from(time).ok();
        poll(&mut [PollFd::new(&*self.handle, PollFlags::IN)], timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

/// Waits until a process has ended: all of it, so that its files and locks are free.
pub(crate) fn wait(handle: &OwnedFd) {
    while let Err(rustix::io::Errno::INTR) = poll(&mut [PollFd::new(handle, PollFlags::IN)], None) {}
}

/// Makes `target` the same socket as `source`, to be inherited.
fn put(source: BorrowedFd<'_>, target: RawFd) -> rustix::io::Result<()> {
    use std::os::fd::FromRawFd;
    #[expect(unsafe_code, reason = "the reserved descriptor is named by its number; it is not closed here")]
    let mut target = std::mem::ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(target) });
    rustix::io::dup2(source, &mut target)
}

/// The roles that outlived an earlier supervisor and have the same settings. Those with other settings are ended first.
pub(crate) fn survivors(settings: &Settings) -> anyhow::Result<Vec<(RoleId, Process)>> {
    let ours = serde_json::to_string(settings)?;
    let run = settings.run_dir();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&run).with_context(|| format!("can't read {}", run.display()))?.flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(role_of) else { continue };
        let pid = std::fs::read_to_string(entry.path()).ok().and_then(|text| text.trim().parse().ok());
        let Some(process) = pid.and_then(Process::adopt) else {
            let _ = std::fs::remove_file(entry.path());
            continue;
        };
        match settings_of(process.pid, id) {
            Some(theirs) if theirs == ours => found.push((id, process)),
            Some(theirs) if serde_json::from_str::<Settings>(&theirs).is_ok_and(|theirs| theirs.data == settings.data) => {
                tracing::info!("the {id} runs with other settings; it is replaced");
                end(&process);
                let _ = std::fs::remove_file(entry.path());
            }
            Some(_) | None => drop(std::fs::remove_file(entry.path())),
        }
    }
    Ok(found)
}

fn role_of(file: &str) -> Option<RoleId> {
    let stem = file.strip_suffix(".pid")?;
    let (name, index) = stem.split_once('-').unwrap_or((stem, "0"));
    let role = RoleName::ALL.into_iter().find(|role| role.name() == name)?;
    Some(RoleId { role, index: index.parse().ok()? })
}

/// The settings that a process was started with, if it plays this role.
fn settings_of(pid: Pid, id: RoleId) -> Option<String> {
    let proc = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let words = std::fs::read(proc.join("cmdline")).ok()?;
    let index = id.index.to_string();
    let mine = [b"role".as_slice(), id.role.name().as_bytes(), index.as_bytes()];
    if !words.split(|&byte| byte == 0).skip(1).take(3).eq(mine) {
        return None;
    }
    let environment = std::fs::read(proc.join("environ")).ok()?;
    let said = environment.split(|&byte| byte == 0).find_map(|line| line.strip_prefix(b"TOWNSQUARE_SETTINGS="))?;
    String::from_utf8(said.to_vec()).ok()
}

fn end(process: &Process) {
    process.signal(Signal::TERM);
    if !process.ended_within(Duration::from_millis(base::limit::ROLE_STOP_MILLIS_MAX)) {
        process.signal(Signal::KILL);
        process.ended_within(Duration::from_millis(base::limit::ROLE_STOP_MILLIS_MAX));
    }
}

/// Removes what running roles leave in `run/`.
pub(crate) fn sweep(run: &Path, id: RoleId) {
    let _ = std::fs::remove_file(pid_file(run, id.role, id.index));
}
