//! `townsquare serve`: the supervisor and, through it, every role.

use crate::settings::Said;

/// Run the square: every role, watched and replaced when one fails
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    said: Said,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, log: &crate::log::Flags) -> anyhow::Result<()> {
    crate::supervisor::serve(args.said.resolve()?, log)
}
