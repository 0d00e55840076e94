//! What a crowd has counted so far. Tallies of processes and machines add up.

use crate::Histogram;
use serde::{Deserialize, Serialize};

/// Counters since the start, and what is now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Listeners to come.
    pub asked: u64,
    /// Listeners that have set out.
    pub started: u64,
    /// Listeners that were let in.
    pub joined: u64,
    /// Listeners that hear now: sound came within the player's buffer.
    pub hearing: u64,
    /// Listeners that have heard sound at all.
    pub heard: u64,
    /// Listeners whose event has ended.
    pub ended: u64,
    /// Listeners that have left for a while by their own will.
    pub away: u64,
    /// Bytes received, heads included.
    pub bytes: u64,
    /// Times that a fragment was missing for a listener.
    pub gaps: u64,
    /// Times that a fragment came again.
    pub repeats: u64,
    /// Silences longer than the player's buffer.
    pub stalls: u64,
    /// Connections that ended without being asked to.
    pub disconnects: u64,
    /// Slow readers that were moved to the live edge, as they should be.
    pub skips: u64,
    /// Answers that let nobody in.
    pub refused: u64,
    /// Connections that could not be made.
    pub unreachable: u64,
    /// Connections that the crowd itself could not open: no port or no descriptor was left.
    pub exhausted: u64,
    /// Streams that were no stream of a town square.
    pub foreign: u64,
    /// Who left and came back.
    pub returns: u64,
    /// Fragments that were decoded.
    pub decoded: u64,
    /// Decoded fragments that were no sound.
    pub unsound: u64,
    /// Decoded fragments in which something was to be heard.
    pub loud: u64,
    /// Processor time of the crowd itself, in microseconds.
    pub crowd_cpu_us: u64,
    /// From the connection's start to the answer.
    pub join_ms: Histogram,
    /// From the connection's start to the first whole fragment.
    pub first_audio_ms: Histogram,
    /// Between two sends, as each listener sees them.
    pub cadence_ms: Histogram,
}

impl Tally {
    /// Takes over another crowd's figures.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.counters().into_iter().zip(other.clone().counters()) {
            *mine += *theirs;
        }
        self.join_ms.add(&other.join_ms);
        self.first_audio_ms.add(&other.first_audio_ms);
        self.cadence_ms.add(&other.cadence_ms);
    }

    const fn counters(&mut self) -> [&mut u64; 22] {
        [
            &mut self.asked,
            &mut self.started,
            &mut self.joined,
            &mut self.hearing,
            &mut self.heard,
            &mut self.ended,
            &mut self.away,
            &mut self.bytes,
            &mut self.gaps,
            &mut self.repeats,
            &mut self.stalls,
            &mut self.disconnects,
            &mut self.skips,
            &mut self.refused,
            &mut self.unreachable,
            &mut self.exhausted,
            &mut self.foreign,
            &mut self.returns,
            &mut self.decoded,
            &mut self.unsound,
            &mut self.loud,
            &mut self.crowd_cpu_us,
        ]
    }
}
