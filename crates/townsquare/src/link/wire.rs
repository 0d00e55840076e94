//! The lines of the role link as they travel: one JSON object each.

use super::RoleName;
use base::fact::Fact;
use base::rung::Rung;
use base::{Epoch, FragmentNumber, UnixMillis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};

/// What a role says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FromRole {
    /// The first line; the sockets ride with it.
    Hello {
        /// Which role.
        role: RoleName,
        /// Which worker.
        index: u32,
        /// Its process.
        pid: u32,
        /// Its version.
        version: String,
    },
    /// The loop that does the work has gone round.
    Beat {},
    /// For every other role.
    Fact(WireFact),
    /// The answer to [`ToRole::Ask`].
    Answer {
        /// Which question.
        id: u64,
        /// HTTP status.
        status: u16,
        /// HTTP body.
        body: String,
    },
}

/// What the supervisor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ToRole {
    /// Another role's fact.
    Fact(WireFact),
    /// A request on the internal address.
    Ask {
        /// Comes back with the answer.
        id: u64,
        /// What is asked for.
        path: String,
    },
    /// Finish and exit.
    Stop {},
}

/// A [`Fact`] as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireFact {
    Listening { event: String, by_rung: BTreeMap<String, u32> },
    Live { event: String, epoch: u32, since: i64 },
    Ended { event: String, at: i64, end: u64 },
    Wanted { event: String },
    Missing { event: String, rung: String, block: u64 },
    Copied { event: String, known: bool },
}

impl From<&Fact> for WireFact {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::Listening { event, by_rung } => Self::Listening {
                event: event.to_string(),
                by_rung: by_rung.iter().map(|(rung, count)| (rung.name().to_owned(), *count)).collect(),
            },
            Fact::Live { event, epoch, since } => Self::Live { event: event.to_string(), epoch: epoch.0, since: since.0 },
            Fact::Ended { event, at, end } => Self::Ended { event: event.to_string(), at: at.0, end: end.0 },
            Fact::Wanted { event } => Self::Wanted { event: event.to_string() },
            Fact::Missing { event, rung, block } => Self::Missing { event: event.to_string(), rung: rung.name().to_owned(), block: *block },
            Fact::Copied { event, known } => Self::Copied { event: event.to_string(), known: *known },
        }
    }
}

impl WireFact {
    /// The fact, unless it names an event or a rung that can't be.
    pub(crate) fn known(self) -> Option<Fact> {
        Some(match self {
            Self::Listening { event, by_rung } => Fact::Listening {
                event: event.parse().ok()?,
                by_rung: by_rung.iter().map(|(rung, count)| Some((Rung::parse(rung)?, *count))).collect::<Option<_>>()?,
            },
            Self::Live { event, epoch, since } => Fact::Live { event: event.parse().ok()?, epoch: Epoch(epoch), since: UnixMillis(since) },
            Self::Ended { event, at, end } => Fact::Ended { event: event.parse().ok()?, at: UnixMillis(at), end: FragmentNumber(end) },
            Self::Wanted { event } => Fact::Wanted { event: event.parse().ok()? },
            Self::Missing { event, rung, block } => Fact::Missing { event: event.parse().ok()?, rung: Rung::parse(&rung)?, block },
            Self::Copied { event, known } => Fact::Copied { event: event.parse().ok()?, known },
        })
    }
}

impl FromRole {
    /// The line, its end included.
    pub(crate) fn line(&self) -> String {
        line(self)
    }

    /// Reads a line.
    pub(crate) fn read(line: &[u8]) -> std::io::Result<Self> {
        Ok(serde_json::from_slice(line)?)
    }
}

impl ToRole {
    /// The line, its end included.
    pub(crate) fn line(&self) -> String {
        line(self)
    }

    /// Reads a line.
    pub(crate) fn read(line: &[u8]) -> std::io::Result<Self> {
        Ok(serde_json::from_slice(line)?)
    }
}

fn line<T: Serialize>(what: &T) -> String {
    let mut line = serde_json::to_string(what).expect("strings and numbers are JSON");
    line.push('\n');
    line
}

/// Takes the whole lines out of what was read; a line longer than the limit is an error.
pub(crate) fn lines(inbox: &mut Vec<u8>, bytes_max: usize) -> std::io::Result<Vec<Vec<u8>>> {
    let whole = inbox.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let lines = inbox.drain(..whole).as_slice().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
    if inbox.len() > bytes_max {
        return Err(Error::new(ErrorKind::InvalidData, "a line of the link is too long"));
    }
    Ok(lines)
}
