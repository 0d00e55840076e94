//! `townsquare man`: a manual page for every command, made from what `--help` says.

use super::print;
use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use std::path::PathBuf;

/// Print the manual of every command
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write one page for each command into this directory, as packages install them
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Prints the pages one behind the other, as `man -l -` reads them, or writes their files.
pub(crate) fn run(args: &Args, command: Command) -> anyhow::Result<()> {
    if let Some(dir) = &args.output {
        std::fs::create_dir_all(dir).with_context(|| format!("can't make the directory {}", dir.display()))?;
        return clap_mangen::generate_to(command, dir).with_context(|| format!("can't write into {}", dir.display()));
    }
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut text = Vec::new();
    pages(&command, &mut text)?;
    print(&text)
}

fn pages(command: &Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    Man::new(command.clone()).render(text)?;
    command.get_subcommands().filter(|command| !command.is_hide_set()).try_for_each(|command| pages(command, text))
}
