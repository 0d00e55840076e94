//! How an event's rehearsals stand, as pages and programs are told.

use base::UnixMillis;
use square::rehearsal::Crowd;

/// Everything about the rehearsals for one event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rehearsal {
    /// The one that is on.
    pub running: Option<Running>,
    /// The last that is over.
    pub last: Option<Last>,
    /// Whether the server rehearses another event now.
    pub elsewhere: bool,
}

/// A rehearsal that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Running {
    /// Who was sent.
    pub crowd: Crowd,
    /// Who was let in.
    pub joined: u64,
    /// Who hears.
    pub hearing: u64,
    /// Gaps, repeats, stalls and lost connections.
    pub faults: u64,
    /// Seconds until all may go, once all have come.
    pub left_seconds: Option<u32>,
    /// Whether it was called back.
    pub ending: bool,
}

impl Running {
    /// What happens now, in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self.left_seconds {
            _ if self.ending => "Everybody leaves.".to_owned(),
            None if self.joined == 0 => "The stage is made ready.".to_owned(),
            None => "The crowd is coming.".to_owned(),
            Some(1) => "Everybody listens for one more second.".to_owned(),
            Some(seconds) => format!("Everybody listens for {seconds} more seconds."),
        }
    }
}

/// A rehearsal that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Who was sent.
    pub crowd: Crowd,
    /// When it ended.
    pub at: UnixMillis,
    /// How.
    pub end: End,
}

/// How a rehearsal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this verdict, and a report.
    Verdict(String),
    /// It could not be done; why.
    Failed(String),
    /// Somebody called it back.
    Stopped,
}

/// A number as people read it: a comma before every three digits.
pub(crate) fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let mut all: Vec<&str> = if head.is_empty() { Vec::new() } else { vec![head] };
    all.extend(tail.as_bytes().chunks(3).filter_map(|three| std::str::from_utf8(three).ok()));
    all.join(",")
}
