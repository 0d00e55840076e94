//! The commands a person types.

pub(crate) mod listen;
pub(crate) mod speak;

/// Reads the command line and does what it says.
pub(crate) fn run() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
