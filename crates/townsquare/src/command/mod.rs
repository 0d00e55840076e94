//! The commands a person types.

mod account;
mod cadence;
mod event;
pub(crate) mod http;
mod interrupt;
pub(crate) mod listen;
mod man;
pub(crate) mod rehearse;
mod relay;
mod role;
mod serve;
pub(crate) mod speak;

use clap::{CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// What was typed can't be meant: one line that says what to do, exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A town square you run yourself, whose live events start on time and do not fall over.
#[derive(Debug, Parser)]
#[command(name = "townsquare", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "What serve, --data and --log say can also be said in the environment (TOWNSQUARE_LISTEN=…), and for serve in a \
                        file (--config).")]
struct Line {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: crate::log::Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Args>),
    Relay(Box<relay::Args>),
    Account(account::Args),
    Event(event::Args),
    Speak(speak::Args),
    Listen(listen::Args),
    Rehearse(Box<rehearse::Args>),
    Cadence(cadence::Args),
    /// Print the completions of a shell
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    Man(man::Args),
    #[command(hide = true)]
    Role(role::Args),
    /// One process of a rehearsal's crowd
    #[command(hide = true)]
    RehearsePart,
    /// A whole rehearsal for the square
    #[command(hide = true)]
    RehearseEvent,
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) if error.use_stderr() => return wrong(&one_line(&error), 2),
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return wrong("two providers of cryptography in one process", 1);
    }
    match line.log.start().map_err(anyhow::Error::from).and_then(|()| perform(line)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Usage>() => wrong(&error.to_string(), 2),
        Err(error) => wrong(&brief(&error), 1),
    }
}

fn perform(line: Line) -> anyhow::Result<()> {
    match line.command {
        Command::Serve(args) => serve::run(*args, &line.log),
        Command::Relay(args) => relay::run(*args, &line.log),
        Command::Account(args) => account::run(args),
        Command::Event(args) => event::run(args),
        Command::Speak(args) => speak::run(args),
        Command::Listen(args) => listen::run(args),
        Command::Rehearse(args) => rehearse::run(*args),
        Command::Cadence(args) => cadence::run(args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Line::command(), "townsquare", &mut text);
            print(&text)
        }
        Command::Man(args) => man::run(&args, Line::command()),
        Command::Role(args) => role::run(&args),
        Command::RehearsePart => rehearse::part::run(),
        Command::RehearseEvent => rehearse::attended::run(),
    }
}

/// Writes to a reader that may stop reading, as `head` does.
fn print(text: &[u8]) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn wrong(what: &str, code: u8) -> ExitCode {
    eprintln!("townsquare: {what}");
    ExitCode::from(code)
}

/// What we say about a failure and its deepest cause: enough to act on, without the steps in between.
fn brief(error: &anyhow::Error) -> String {
    let top = error.to_string();
    let root = error.root_cause().to_string();
    let text = if top.contains(&root) { top } else { format!("{top}: {root}") };
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The first paragraph of clap's answer, which says what is wrong, and where to read more.
fn one_line(error: &clap::Error) -> String {
    use clap::error::ErrorKind;
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "say which command; townsquare --help lists them".to_owned();
    }
    let text = error.render().to_string();
    let first: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let first = first.join(" ");
    format!("{} (--help says more)", first.strip_prefix("error: ").unwrap_or(&first))
}

#[cfg(test)]
mod tests;
