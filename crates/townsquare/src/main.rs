//! The binary: commands, configuration, roles and their wiring. The only place that spawns tasks, reads the clock's
//! present and knows where files lie.

mod certificate;
mod command;
mod data;
mod link;
mod log;
mod role;
mod serve;
mod session;
mod settings;
mod supervisor;
mod visitors;

fn main() -> std::process::ExitCode {
    command::run()
}
