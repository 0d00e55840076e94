//! The supervisor: every listening socket, the list of roles, and what becomes of a role that dies.

use crate::settings::Settings;

/// Serves until it is told to stop.
pub(crate) fn serve(_settings: Settings, _log: &crate::log::Flags) -> anyhow::Result<()> {
    anyhow::bail!("not here yet")
}
