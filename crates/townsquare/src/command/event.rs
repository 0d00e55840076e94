//! `townsquare event`: announce, look at, open and end events.

use super::Usage;
use super::account::path_part;
use crate::role::square::client::{Needs, ask};
use crate::role::square::now;
use crate::settings::DataFlags;
use base::FaultKind;
use hyper::Method;
use serde_json::{Value, json};
use std::io::Write as _;

/// Announce, list, open and end events
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Announce an event and print its links
    Create {
        /// The title, 120 characters at most
        #[arg(long, value_name = "TEXT")]
        title: String,
        #[command(flatten)]
        more: Box<More>,
        #[command(flatten)]
        with: With,
    },
    /// List events: live ones, those to come, those over
    List {
        #[command(flatten)]
        with: With,
    },
    /// Show one event and its links
    Show {
        /// The event's id
        id: String,
        #[command(flatten)]
        with: With,
    },
    /// Delete an announced event that nobody has come for
    Delete {
        /// The event's id
        id: String,
        #[command(flatten)]
        with: With,
    },
    /// Begin: from now on everybody hears the stage
    GoLive {
        /// The event's id
        id: String,
        #[command(flatten)]
        with: With,
    },
    /// End the event; its replay is there within seconds
    End {
        /// The event's id
        id: String,
        #[command(flatten)]
        with: With,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct With {
    #[command(flatten)]
    data: DataFlags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What an announcement may say besides its title.
#[derive(Debug, Clone, clap::Args)]
struct More {
    /// When it begins, like 2026-11-21T18:00:00Z
    #[arg(long, value_name = "RFC3339")]
    start_at: Option<String>,
    /// Who finds it
    #[arg(long, value_enum, default_value_t = Visibility::Public)]
    visibility: Visibility,
    /// What it is about: plain text, paragraphs and links
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The language it is held in, like de or pt-BR
    #[arg(long, value_name = "BCP47")]
    language: Option<String>,
    /// Who may speak: who is invited, and raised hands too unless it says invited
    #[arg(long, value_enum)]
    speak: Option<Speak>,
    /// How many seconds later it is heard: 0, 5 or 10
    #[arg(long, value_name = "SECONDS")]
    delay: Option<u64>,
    /// Record every speaker on a track of their own, too; the page says so
    #[arg(long)]
    record_tracks: bool,
    /// Minutes with nobody on stage after which it ends by itself
    #[arg(long, value_name = "MINUTES")]
    empty_minutes: Option<u32>,
    /// Whoever says this at a private event's address comes in
    #[arg(long, value_name = "WORDS")]
    passphrase: Option<String>,
    /// An account that a private event lets in; may be said again
    #[arg(long, value_name = "NAME")]
    guest: Vec<String>,
    /// It comes again: weekly, fortnightly or monthly (on the same weekday of the same week)
    #[arg(long, value_name = "HOW", requires = "start_at")]
    repeats: Option<String>,
    /// How many times in all
    #[arg(long, value_name = "N", requires = "repeats", conflicts_with = "until")]
    times: Option<u32>,
    /// Or the last day, like 2026-12-31
    #[arg(long, value_name = "DAY", requires = "repeats")]
    until: Option<String>,
    /// The time zone whose clocks the hour is kept on, like Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "repeats")]
    zone: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Speak {
    Hands,
    Invited,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Visibility {
    Public,
    Unlisted,
    Private,
}

impl Visibility {
    const fn name(self) -> &'static str {
        match self {
            Self::Public => base::Visibility::Public.name(),
            Self::Unlisted => base::Visibility::Unlisted.name(),
            Self::Private => base::Visibility::Private.name(),
        }
    }
}

/// Does what was typed.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Create { title, more, with } => create(&title, &more, with),
        Verb::Delete { id, with } => delete(&id, with),
        Verb::List { with } => list(with),
        Verb::Show { id, with } => one(&id, Needs::Rows, Method::GET, "", with),
        Verb::GoLive { id, with } => one(&id, Needs::Server, Method::POST, "/go-live", with),
        Verb::End { id, with } => one(&id, Needs::Server, Method::POST, "/end", with),
    }
}

fn create(title: &str, more: &More, with: With) -> anyhow::Result<()> {
    // What can be seen to be wrong without asking anybody is wrong usage.
    let wrong = |fault: FaultKind| Usage(fault.text().to_owned());
    square::words::title(title).map_err(wrong)?;
    square::words::start(more.start_at.as_deref().unwrap_or_default(), now()).map_err(wrong)?;
    square::words::language(more.language.as_deref().unwrap_or_default()).map_err(wrong)?;
    if more.delay.is_some_and(|seconds| base::Delay::from_seconds(seconds).is_none()) {
        return Err(Usage("--delay is 0, 5 or 10 seconds".to_owned()).into());
    }
    let speak = more.speak.map(|speak| match speak {
        Speak::Hands => base::Speak::Hands.name(),
        Speak::Invited => base::Speak::Invited.name(),
    });
    let repeats = more.repeats.as_ref().map(|every| json!({"every": every, "times": more.times, "until": more.until, "zone": more.zone}));
    let body = json!({
        "title": title, "start_at": more.start_at, "visibility": more.visibility.name(), "description": more.description,
        "language": more.language, "speak": speak, "delay_seconds": more.delay, "record_tracks": more.record_tracks,
        "empty_minutes": more.empty_minutes, "passphrase": more.passphrase, "guests": more.guest, "repeats": repeats,
    });
    let made = ask(&with.data.resolve()?, Needs::Data, Method::POST, "/events", Some(&body))?;
    if with.json {
        return print(&links(&made).to_string());
    }
    print(&describe(&made))
}

fn delete(id: &str, with: With) -> anyhow::Result<()> {
    id.parse::<base::EventId>().map_err(|error| Usage(format!("{id:?} is no event id: {error}")))?;
    ask(&with.data.resolve()?, Needs::Rows, Method::DELETE, &format!("/events/{}", path_part(id)), None)?;
    if with.json { print("{}") } else { print("deleted") }
}

fn list(with: With) -> anyhow::Result<()> {
    let found = ask(&with.data.resolve()?, Needs::Rows, Method::GET, "/events", None)?;
    if with.json {
        return print(&found.to_string());
    }
    let line = |event: &Value| {
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        format!("{}  {:9}  {:8}  {}", text("id"), text("phase"), text("visibility"), text("title"))
    };
    let lines: Vec<String> = found["events"].as_array().into_iter().flatten().map(line).collect();
    if lines.is_empty() { print("no events yet") } else { print(&lines.join("\n")) }
}

fn one(id: &str, needs: Needs, method: Method, verb: &str, with: With) -> anyhow::Result<()> {
    id.parse::<base::EventId>().map_err(|error| Usage(format!("{id:?} is no event id: {error}")))?;
    let path = format!("/events/{}{verb}", path_part(id));
    let event = ask(&with.data.resolve()?, needs, method, &path, None)?;
    if with.json { print(&event.to_string()) } else { print(&describe(&event)) }
}

/// What `event create --json` prints: exactly these keys, scripts read them.
fn links(event: &Value) -> Value {
    let keys = ["id", "page", "stage", "whip", "listen"];
    Value::Object(keys.into_iter().map(|key| (key.to_owned(), event[key].clone())).collect())
}

fn describe(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} ({}, {})", text(&event["title"]), text(&event["visibility"]), text(&event["phase"]))];
    let rows = [
        ("id", &event["id"]),
        ("begins", &event["start_at"]),
        ("live since", &event["live_at"]),
        ("ended", &event["ended_at"]),
        ("page", &event["page"]),
        ("host's link", &event["stage"]),
        ("speakers' link", &event["speakers"]),
        ("WHIP", &event["whip"]["url"]),
        ("WHIP token", &event["whip"]["token"]),
        ("stream", &event["listen"]["stream"]),
        ("HLS", &event["listen"]["hls"]),
        ("replay", &event["replay"]),
    ];
    lines.extend(rows.iter().filter(|(_, value)| value.is_string()).map(|(name, value)| format!("  {name:15} {}", text(value))));
    lines.join("\n")
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

#[cfg(test)]
mod tests;
