//! `townsquare role NAME INDEX`: one role, as the supervisor starts it. Nobody types this.

use crate::link::RoleName;
use crate::settings::Settings;
use anyhow::Context;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// stage, relay, square or copy
    name: RoleName,
    /// Which worker, from 0
    index: u32,
}

/// The first inherited descriptor.
const FIRST: RawFd = 3;

/// Plays the role until it is told to stop.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // What `ps` and `top` show; the file that was started is the supervisor's own, whatever lies at its path by now.
    let _ = rustix::thread::set_name(&std::ffi::CString::new(format!("townsq-{}", args.name.name()))?);
    let text = std::env::var("TOWNSQUARE_SETTINGS").context("a role is started by townsquare serve or relay alone")?;
    let settings: Settings = serde_json::from_str(&text).context("TOWNSQUARE_SETTINGS can't be read")?;
    let sockets = inherited(args.name.sockets())?;
    let _shared = crate::data::lock_shared(&settings.data)?;
    crate::data::write_pid(&settings.run_dir(), args.name, args.index)?;
    match args.name {
        RoleName::Stage => crate::role::stage::run(&settings, args.index, sockets),
        RoleName::Relay => crate::role::relay::run(&settings, args.index, sockets),
        RoleName::Square => crate::role::square::run(&settings, args.index, sockets),
        RoleName::Copy => crate::role::copy::run(&settings, args.index),
    }
}

/// Takes the sockets that the supervisor left at descriptors 3 and on.
fn inherited(count: usize) -> anyhow::Result<Vec<OwnedFd>> {
    let last = FIRST + RawFd::try_from(count)?;
    (FIRST..last)
        .map(|raw| {
            let link = std::fs::read_link(format!("/proc/self/fd/{raw}")).ok();
            anyhow::ensure!(link.is_some_and(|to| to.to_string_lossy().starts_with("socket:")), "descriptor {raw} is no socket");
            #[expect(unsafe_code, reason = "descriptors passed by number can't be had otherwise; this runs before anything else opens one")]
            let socket = unsafe { OwnedFd::from_raw_fd(raw) };
            rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
            Ok(socket)
        })
        .collect()
}
