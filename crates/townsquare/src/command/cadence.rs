//! `townsquare cadence`: how often listeners are sent to, said to a running server.

use super::{Usage, print};
use crate::data;
use crate::role::square::client::no_server;
use crate::settings::{DataFlags, parse_cadence};

/// Fix how often listeners are sent to, or leave it to the relay workers again
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// auto, 200, 1000, 2000, 4000, 8000 or 16000 (milliseconds)
    cadence: String,
    #[command(flatten)]
    data: DataFlags,
}

/// Writes the file that every relay worker looks at once a second; it goes when the server stops.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let cadence = parse_cadence(&args.cadence).map_err(Usage)?;
    let settings = args.data.resolve()?;
    if !settings.run_dir().exists() || data::lock_exclusive(&settings.data)?.is_some() {
        return no_server(&settings);
    }
    data::write_whole(&settings.cadence_file(), format!("{}\n", args.cadence).as_bytes(), 0o640)?;
    let text = match cadence {
        Some(cadence) => format!("Listeners are sent to every {cadence} ms, each once its player is ready for it.\n"),
        None => "Listeners are sent to as often as the relay workers can.\n".to_owned(),
    };
    print(text.as_bytes())
}
