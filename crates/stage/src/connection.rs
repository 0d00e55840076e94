//! What somebody's connection is good for, in words that say what to do.

use crate::words::{By, Connection};

/// From these on a connection is fair, and bad; the numbers at which listening to each other becomes work, and then hopeless.
const ROUND_TRIP_MILLIS: [u32; 2] = [250, 500];
const LOSS_PERMILLE: [u16; 2] = [20, 50];
const JITTER_MILLIS: [u32; 2] = [30, 80];

/// How good a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nobody notices it.
    Good,
    /// It works; something should be done.
    Fair,
    /// It can be heard.
    Bad,
}

impl Grade {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Bad => "bad",
        }
    }

    fn of<T: PartialOrd>(value: T, from: &[T; 2]) -> Self {
        match from {
            [_, bad] if value >= *bad => Self::Bad,
            [fair, _] if value >= *fair => Self::Fair,
            [_, _] => Self::Good,
        }
    }
}

/// What is said about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How good it is.
    pub grade: Grade,
    /// One or two sentences: what is wrong and what to do.
    pub words: String,
}

impl Connection {
    /// How good it is: as good as its worst part.
    #[must_use]
    pub fn grade(&self) -> Grade {
        let loss = Grade::of(self.loss_up_permille.max(self.loss_down_permille), &LOSS_PERMILLE);
        let jitter = Grade::of(self.jitter_ms, &JITTER_MILLIS);
        let round_trip = Grade::of(self.rtt_ms.unwrap_or(0), &ROUND_TRIP_MILLIS);
        let by = if self.by == By::Tcp { Grade::Fair } else { Grade::Good };
        [loss, jitter, round_trip, by].into_iter().fold(Grade::Good, Ord::max)
    }

    /// Judges a connection to a stage whose media port is `port`. The worst of what is wrong is what the words are about.
    #[must_use]
    pub fn verdict(&self, port: u16) -> Verdict {
        let loss_up = Grade::of(self.loss_up_permille, &LOSS_PERMILLE);
        let loss_down = Grade::of(self.loss_down_permille, &LOSS_PERMILLE);
        let jitter = Grade::of(self.jitter_ms, &JITTER_MILLIS);
        let round_trip = Grade::of(self.rtt_ms.unwrap_or(0), &ROUND_TRIP_MILLIS);
        // Of two that are as bad, the one named first is heard more.
        let grade = self.grade();
        let words = if grade == Grade::Good {
            "Your connection is good.".to_owned()
        } else if loss_up == grade {
            let lost = percent(self.loss_up_permille);
            format!("{lost} of what you say does not arrive. {CLOSER}")
        } else if loss_down == grade {
            let lost = percent(self.loss_down_permille);
            format!("{lost} of what the others say does not reach you. {CLOSER}")
        } else if jitter == grade {
            format!("Your network is uneven, by {} ms: you are heard late. {CLOSER}", self.jitter_ms)
        } else if round_trip == grade {
            let millis = self.rtt_ms.unwrap_or(0);
            format!(
                "The way to the stage and back takes {millis} ms, so you will talk over each other. Turn off a VPN if you use one, and leave pauses."
            )
        } else {
            format!(
                "UDP port {port} seems to be blocked on the way to the stage, so your voice goes over TCP: it works, but stalls where packets are lost. \
                 Open outgoing UDP port {port} in the firewall, or use another network."
            )
        };
        Verdict { grade, words }
    }
}

const CLOSER: &str = "Use a network cable, or go closer to the router, and close what else loads the line.";

/// A share as people read it: whole percents, but never none.
fn percent(permille: u16) -> String {
    format!("{} %", ((permille + 5) / 10).max(1))
}

#[cfg(test)]
mod tests;
