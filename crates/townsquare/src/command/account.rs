//! `townsquare account`: people's accounts.

use super::Usage;
use crate::role::square::client::{Needs, Refused, ask};
use crate::settings::DataFlags;
use anyhow::anyhow;
use base::FaultKind;
use hyper::Method;
use serde_json::{Value, json};
use std::io::Write as _;

/// Make accounts, and links that sign their people in
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make an account and print the one-time link that signs it in
    Create {
        /// Letters, digits and underscores, 30 at most
        name: String,
        /// What the account may do
        #[arg(long, value_enum, default_value_t = Role::Member)]
        role: Role,
        #[command(flatten)]
        data: DataFlags,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a new one-time link for an account that exists
    Link {
        /// The account's name
        name: String,
        #[command(flatten)]
        data: DataFlags,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Role {
    Admin,
    Moderator,
    Member,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Admin => store::Role::Admin.name(),
            Self::Moderator => store::Role::Moderator.name(),
            Self::Member => store::Role::Member.name(),
        }
    }
}

/// Does what was typed.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Create { name, role, data, json } => {
            // What can be seen to be wrong without asking anybody is wrong usage.
            square::words::name(&name).map_err(|fault| Usage(fault.text().to_owned()))?;
            let body = json!({"name": name, "role": role.name()});
            let made = ask(&data.resolve()?, Needs::Data, Method::POST, "/accounts", Some(&body))?;
            print(&made, json)
        }
        Verb::Link { name, data, json } => {
            let path = format!("/accounts/{}/links", path_part(&name));
            let made = ask(&data.resolve()?, Needs::Rows, Method::POST, &path, None);
            let made = made.map_err(|error| match error.downcast_ref::<Refused>() {
                Some(refused) if refused.is(FaultKind::NotFound) => {
                    anyhow!("there is no account {name:?}; make it with: townsquare account create {name}")
                }
                Some(_) | None => error,
            })?;
            print(&made, json)
        }
    }
}

fn print(made: &Value, as_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{made}")?;
    } else {
        let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
        let minutes = base::limit::SIGN_IN_LINK_MINUTES_MAX;
        writeln!(out, "{} ({}) signs in once with this link, within {minutes} minutes:\n{}", text("name"), text("role"), text("link"))?;
    }
    Ok(())
}

/// What was typed as one part of a path.
pub(super) fn path_part(typed: &str) -> String {
    url::form_urlencoded::byte_serialize(typed.as_bytes()).collect::<String>().replace('+', "%20")
}
