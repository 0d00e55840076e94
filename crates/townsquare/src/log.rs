//! Logs: structured, one line an event, on standard error; quiet when all is well. Nothing here ever sees a ticket.

use clap::ValueEnum;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What the log is told to be; a role inherits it through the environment.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct Flags {
    /// How the log looks [default: text on a terminal, json elsewhere]
    #[arg(long, global = true, env = "TOWNSQUARE_LOG", hide_env = true, value_name = "FORMAT")]
    pub(crate) log: Option<Format>,
    /// What is logged: error, warn, info, debug, or a tracing filter
    // What libraries say of a failure, the command or the role says in its own one line.
    #[arg(
        long,
        global = true,
        env = "TOWNSQUARE_LOG_FILTER",
        hide_env = true,
        value_name = "FILTER",
        default_value = "info,str0m=warn,sqlx=warn,rustls_platform_verifier=off"
    )]
    pub(crate) log_filter: String,
}

impl Flags {
    /// The environment that makes another process of this binary log the same way.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let format = match self.format() {
            Format::Text => "text",
            Format::Json => "json",
        };
        [("TOWNSQUARE_LOG", format.to_owned()), ("TOWNSQUARE_LOG_FILTER", self.log_filter.clone())]
    }

    /// Starts the log of this process; a panic anywhere becomes one line of it.
    pub(crate) fn start(&self) -> Result<(), super::command::Usage> {
        let filter = EnvFilter::try_new(&self.log_filter)
            .map_err(|error| super::command::Usage(format!("--log-filter {:?} can't be read: {error}", self.log_filter)))?;
        let registry = tracing_subscriber::registry().with(filter);
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
        match self.format() {
            Format::Text => registry.with(layer.with_ansi(std::io::stderr().is_terminal())).init(),
            Format::Json => registry.with(layer.json().flatten_event(true).with_current_span(false)).init(),
        }
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let said = panic.payload_as_str().unwrap_or("no text");
            tracing::error!(place, thread = std::thread::current().name().unwrap_or(""), "panic: {}", said.replace('\n', " "));
        }));
        Ok(())
    }

    fn format(&self) -> Format {
        self.log.unwrap_or_else(|| if std::io::stderr().is_terminal() { Format::Text } else { Format::Json })
    }
}
