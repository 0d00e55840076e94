//! The lines of the role link as they travel: one JSON object each.

use super::RoleName;
use base::fact::{Fact, Hand, Pin, Poll, Question};
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
    Listening {
        event: String,
        by_rung: BTreeMap<String, u32>,
    },
    Live {
        event: String,
        epoch: u32,
        since: i64,
        #[serde(default = "begun")]
        begun: bool,
    },
    Ended {
        event: String,
        at: i64,
        end: u64,
    },
    Wanted {
        event: String,
    },
    Missing {
        event: String,
        rung: String,
        block: u64,
    },
    Copied {
        event: String,
        known: bool,
    },
    Announced {
        event: String,
    },
    Reacted {
        event: String,
        counts: Vec<(u8, u32)>,
    },
    Hands {
        event: String,
        hands: Vec<WireHand>,
    },
    Board {
        event: String,
        pins: Vec<WirePin>,
        poll: Option<WirePoll>,
        questions: Vec<WireQuestion>,
    },
    Barred {
        event: String,
        tickets: Vec<u64>,
    },
    Bar {
        event: String,
        tickets: Vec<u64>,
    },
    Seats {
        event: String,
        admitted: Vec<u64>,
        declined: Vec<u64>,
        spoke: Vec<u64>,
        in_charge: bool,
    },
}

/// A role of an older version knows no open doors.
const fn begun() -> bool {
    true
}

/// A [`Hand`] as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WireHand {
    id: u64,
    name: String,
    topic: String,
    votes: u32,
    spoke: bool,
    since: i64,
}

/// A [`Pin`] as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WirePin {
    id: u64,
    text: String,
    url: String,
}

/// A [`Poll`] as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WirePoll {
    id: u64,
    question: String,
    answers: Vec<(String, u32)>,
    open: bool,
}

/// A [`Question`] as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WireQuestion {
    id: u64,
    text: String,
    votes: u32,
}

impl From<Hand> for WireHand {
    fn from(Hand { id, name, topic, votes, spoke, since }: Hand) -> Self {
        Self { id, name, topic, votes, spoke, since: since.0 }
    }
}

impl From<WireHand> for Hand {
    fn from(WireHand { id, name, topic, votes, spoke, since }: WireHand) -> Self {
        Self { id, name, topic, votes, spoke, since: UnixMillis(since) }
    }
}

impl From<Pin> for WirePin {
    fn from(Pin { id, text, url }: Pin) -> Self {
        Self { id, text, url }
    }
}

impl From<WirePin> for Pin {
    fn from(WirePin { id, text, url }: WirePin) -> Self {
        Self { id, text, url }
    }
}

impl From<Poll> for WirePoll {
    fn from(Poll { id, question, answers, open }: Poll) -> Self {
        Self { id, question, answers, open }
    }
}

impl From<WirePoll> for Poll {
    fn from(WirePoll { id, question, answers, open }: WirePoll) -> Self {
        Self { id, question, answers, open }
    }
}

impl From<Question> for WireQuestion {
    fn from(Question { id, text, votes }: Question) -> Self {
        Self { id, text, votes }
    }
}

impl From<WireQuestion> for Question {
    fn from(WireQuestion { id, text, votes }: WireQuestion) -> Self {
        Self { id, text, votes }
    }
}

/// A list of one kind as a list of the other.
fn each<T, U: From<T>>(list: impl IntoIterator<Item = T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
}

impl From<&Fact> for WireFact {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::Listening { event, by_rung } => Self::Listening {
                event: event.to_string(),
                by_rung: by_rung.iter().map(|(rung, count)| (rung.name().to_owned(), *count)).collect(),
            },
            Fact::Live { event, epoch, since, begun } => {
                Self::Live { event: event.to_string(), epoch: epoch.0, since: since.0, begun: *begun }
            }
            Fact::Ended { event, at, end } => Self::Ended { event: event.to_string(), at: at.0, end: end.0 },
            Fact::Wanted { event } => Self::Wanted { event: event.to_string() },
            Fact::Missing { event, rung, block } => Self::Missing { event: event.to_string(), rung: rung.name().to_owned(), block: *block },
            Fact::Copied { event, known } => Self::Copied { event: event.to_string(), known: *known },
            Fact::Announced { event } => Self::Announced { event: event.to_string() },
            Fact::Reacted { event, counts } => Self::Reacted { event: event.to_string(), counts: counts.clone() },
            Fact::Hands { event, hands } => Self::Hands { event: event.to_string(), hands: each(hands.clone()) },
            Fact::Board { event, pins, poll, questions } => Self::Board {
                event: event.to_string(),
                pins: each(pins.clone()),
                poll: poll.clone().map(WirePoll::from),
                questions: each(questions.clone()),
            },
            Fact::Barred { event, tickets } => Self::Barred { event: event.to_string(), tickets: tickets.clone() },
            Fact::Bar { event, tickets } => Self::Bar { event: event.to_string(), tickets: tickets.clone() },
            Fact::Seats { event, admitted, declined, spoke, in_charge } => Self::Seats {
                event: event.to_string(),
                admitted: admitted.clone(),
                declined: declined.clone(),
                spoke: spoke.clone(),
                in_charge: *in_charge,
            },
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
            Self::Live { event, epoch, since, begun } => {
                Fact::Live { event: event.parse().ok()?, epoch: Epoch(epoch), since: UnixMillis(since), begun }
            }
            Self::Ended { event, at, end } => Fact::Ended { event: event.parse().ok()?, at: UnixMillis(at), end: FragmentNumber(end) },
            Self::Wanted { event } => Fact::Wanted { event: event.parse().ok()? },
            Self::Missing { event, rung, block } => Fact::Missing { event: event.parse().ok()?, rung: Rung::parse(&rung)?, block },
            Self::Copied { event, known } => Fact::Copied { event: event.parse().ok()?, known },
            Self::Announced { event } => Fact::Announced { event: event.parse().ok()? },
            Self::Reacted { event, counts } => Fact::Reacted { event: event.parse().ok()?, counts },
            Self::Hands { event, hands } => Fact::Hands { event: event.parse().ok()?, hands: each(hands) },
            Self::Board { event, pins, poll, questions } => {
                Fact::Board { event: event.parse().ok()?, pins: each(pins), poll: poll.map(Poll::from), questions: each(questions) }
            }
            Self::Barred { event, tickets } => Fact::Barred { event: event.parse().ok()?, tickets },
            Self::Bar { event, tickets } => Fact::Bar { event: event.parse().ok()?, tickets },
            Self::Seats { event, admitted, declined, spoke, in_charge } => {
                Fact::Seats { event: event.parse().ok()?, admitted, declined, spoke, in_charge }
            }
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
