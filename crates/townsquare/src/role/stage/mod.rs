//! The stage role: wiring around the cores.

use crate::settings::Settings;
use std::os::fd::OwnedFd;

/// Plays the role until the supervisor says stop.
pub(crate) fn run(_settings: &Settings, _index: u32, _sockets: Vec<OwnedFd>) -> anyhow::Result<()> {
    anyhow::bail!("this role is not here yet")
}
