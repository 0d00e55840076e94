//! What the figures mean: the result as programs read it, one sentence for people, and what more listeners would take.

use crate::Tally;
use base::Rung;
use serde::Serialize;

/// Bits of a network's frames a second that carry no sound, for each that does: TCP, IP and Ethernet around sends of some kB.
const NETWORK_PERCENT: u64 = 4;

/// Share of the cores that a server may use for its listeners before they would hear it, in percent.
const CPU_PERCENT_MAX: f64 = 90.0;

/// Share of the memory that listeners may have, in percent.
const MEMORY_PERCENT_MAX: f64 = 80.0;

/// What the server's machine showed, where it could be seen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Server {
    /// Processor time of the relay's processes for one listener and second, in microseconds.
    pub cpu_us_per_listener_second: Option<f64>,
    /// Memory of the relay's processes for each listener.
    pub user_bytes_per_listener: Option<u64>,
    /// Memory of the kernel for each listener.
    pub kernel_bytes_per_listener: Option<u64>,
}

/// The machine that the server runs on, where it is this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Its cores.
    pub cores: u32,
    /// Its memory.
    pub memory_bytes: u64,
}

/// The result, exactly as `--json` ends with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many came.
    pub listeners: Listeners,
    /// From the connection's start to the answer.
    pub join_ms: Spread,
    /// From the connection's start to the first whole fragment.
    pub first_audio_ms: Spread,
    /// Times that a fragment was missing for a listener.
    pub gaps: u64,
    /// Times that a fragment came again.
    pub repeats: u64,
    /// Silences longer than the player's buffer.
    pub stalls: u64,
    /// Connections that ended without being asked to.
    pub disconnects: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Between two sends.
    pub cadence_ms: Cadence,
    /// Seconds for which all listened, after the last had come.
    pub seconds: f64,
    /// The server's figures.
    pub server: Server,
}

/// How many came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Listeners {
    /// As many were to come.
    pub asked: u64,
    /// As many were let in.
    pub joined: u64,
    /// As many heard sound at the end: who is connected and hears nothing does not count.
    pub hearing_at_end: u64,
}

/// Milliseconds: the median, and what one in a hundred exceeds. Null when nothing was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The median.
    pub p50: Option<u32>,
    /// The 99th percentile.
    pub p99: Option<u32>,
}

/// Milliseconds: the median and the most. Null when nothing was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cadence {
    /// The median.
    pub p50: Option<u32>,
    /// The most.
    pub max: Option<u32>,
}

impl Summary {
    /// The result of a run; `tally` as it was at the end, before anybody left.
    #[must_use]
    pub fn of(tally: &Tally, seconds: f64, server: Server) -> Self {
        let spread = |histogram: &crate::Histogram| Spread { p50: histogram.percentile(50), p99: histogram.percentile(99) };
        Self {
            listeners: Listeners { asked: tally.asked, joined: tally.joined, hearing_at_end: tally.hearing },
            join_ms: spread(&tally.join_ms),
            first_audio_ms: spread(&tally.first_audio_ms),
            gaps: tally.gaps,
            repeats: tally.repeats,
            stalls: tally.stalls,
            disconnects: tally.disconnects,
            bytes: tally.bytes,
            cadence_ms: Cadence { p50: tally.cadence_ms.percentile(50), max: tally.cadence_ms.max() },
            seconds: (seconds * 10.0).round() / 10.0,
            server,
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The counts at the end.
    pub tally: &'a Tally,
    /// The server's figures.
    pub server: Server,
    /// Its machine.
    pub machine: Option<Machine>,
    /// What was listened to.
    pub rung: Rung,
    /// The line to the listeners, in bits a second.
    pub line_bits: u64,
}

/// Whether everybody heard everything.
#[must_use]
pub fn holds(tally: &Tally) -> bool {
    missing(tally) == 0 && tally.asked > 0 && tally.heard > 0 && faults(tally).is_empty()
}

/// One sentence: whether it holds, what ends it, and where the line does.
#[must_use]
pub fn sentence(case: &Case<'_>) -> String {
    let Case { tally, .. } = case;
    let asked = grouped(tally.asked);
    let beginning = if tally.exhausted > 0 && tally.heard < tally.asked {
        format!(
            "The crowd itself ended at {} of {asked} listeners: no port or descriptor was left for the rest (ulimit -n, --source, --helpers)",
            grouped(tally.heard)
        )
    } else if holds(tally) {
        format!("Holds {asked} listeners")
    } else {
        let faults = faults(tally);
        let missing = missing(tally);
        let missing = (missing > 0).then(|| format!("{} of {asked} heard nothing at the end", grouped(missing)));
        let all: Vec<String> = missing.into_iter().chain(faults).collect();
        format!("Does not hold {asked} listeners: {}", all.join(", "))
    };
    let limit = limit(case).map(|(what, at)| format!("the limit here is {what} at about {}", grouped(at)));
    let line = format!("at {} the line ends at {}", bits(case.line_bits), grouped(case.line_bits / line_bits(case.rung)));
    let silent = (tally.decoded > 0 && tally.loud == 0).then(|| "nobody spoke: all that was heard is silence".to_owned());
    let parts: Vec<String> = std::iter::once(beginning).chain(limit).chain([line]).chain(silent).collect();
    parts.join("; ") + "."
}

/// Who should have heard something at the end and did not: whoever left for a while is not missing, nor is the audience of an ended event.
const fn missing(tally: &Tally) -> u64 {
    tally.asked.saturating_sub(tally.hearing + tally.ended + tally.away)
}

fn faults(tally: &Tally) -> Vec<String> {
    let rows = [
        (tally.gaps, "gap", "gaps"),
        (tally.repeats, "repeat", "repeats"),
        (tally.stalls, "stall", "stalls"),
        (tally.disconnects, "lost connection", "lost connections"),
        (tally.unsound, "fragment that is no sound", "fragments that are no sound"),
        (tally.foreign, "answer that is no stream", "answers that are no stream"),
    ];
    rows.into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{} {}", grouped(count), if count == 1 { one } else { many }))
        .collect()
}

/// What ends first on the server's machine, and at how many listeners.
fn limit(case: &Case<'_>) -> Option<(&'static str, u64)> {
    let machine = case.machine?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floating point saturate")]
    let whole = |listeners: f64| listeners as u64;
    let cpu = case.server.cpu_us_per_listener_second.filter(|micros| *micros > 0.0);
    let cpu = cpu.map(|micros| ("CPU (at this cadence)", whole(f64::from(machine.cores) * 1e6 * CPU_PERCENT_MAX / 100.0 / micros)));
    let bytes = case.server.user_bytes_per_listener.unwrap_or_default() + case.server.kernel_bytes_per_listener.unwrap_or_default();
    let memory = (bytes > 0).then(|| ("memory", whole(machine.memory_bytes as f64 * MEMORY_PERCENT_MAX / 100.0 / bytes as f64)));
    let first = [cpu, memory].into_iter().flatten().min_by_key(|(_, at)| *at)?;
    // Three digits are more than one run can tell.
    let digits = first.1.checked_ilog10().unwrap_or_default().saturating_sub(2);
    let unit = 10u64.pow(digits);
    Some((first.0, first.1 / unit * unit))
}

/// Bits a second that a listener of a rung takes of the line: sound, boxes, facts, and the network's own.
#[must_use]
pub const fn line_bits(rung: Rung) -> u64 {
    // What boxes and live facts may add to each rung's sound, in percent.
    let boxes = match rung {
        Rung::R64 => 15,
        Rung::R32 => 25,
        Rung::R16 => 20,
    };
    rung.bits_per_second() as u64 * (100 + boxes) / 100 * (100 + NETWORK_PERCENT) / 100
}

/// What an hour of so many listeners takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hour {
    /// The rung.
    pub rung: Rung,
    /// Bits a second of the line.
    pub line_bits: u64,
    /// Gigabytes (10⁹) in an hour.
    pub gigabytes: f64,
    /// What they cost.
    pub cost: f64,
}

/// The forecast by rung, best first.
#[must_use]
pub fn forecast(listeners: u64, price_per_gigabyte: f64) -> [Hour; 3] {
    Rung::ALL.map(|rung| {
        let line_bits = line_bits(rung) * listeners;
        let gigabytes = line_bits as f64 / 8.0 * 3_600.0 / 1e9;
        Hour { rung, line_bits, gigabytes, cost: gigabytes * price_per_gigabyte }
    })
}

/// A number with its digits in threes.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Bits a second with the unit that suits.
#[must_use]
pub fn bits(bits: u64) -> String {
    let (value, unit) = match bits {
        1_000_000_000.. => (bits as f64 / 1e9, "Gbit/s"),
        1_000_000.. => (bits as f64 / 1e6, "Mbit/s"),
        _ => (bits as f64 / 1e3, "kbit/s"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests;
