//! What a crowd that no machine here could hold would take, from what was measured here: each figure is a measured one times a count.

use crate::figures::number;
use rehearsal::verdict::{bits, grouped};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// As many were said to have been tested in the room whose line was full.
const LISTENERS: f64 = 8_000_000.0;

/// Bits that the network's own headers add to a bit that is sent.
const NETWORK: f64 = 1.04;

/// The line of one node, in bits a second, and how much of it listeners may fill.
const NODE_BITS: f64 = 10e9;
const NODE_SHARE: f64 = 0.8;

/// What a gigabyte to listeners costs where traffic is paid for by the byte: `townsquare rehearse` takes the same unless told otherwise.
const PRICE_PER_GIGABYTE: f64 = 0.02;

const RUNGS: [&str; 3] = ["64", "32", "16"];

/// Bytes a second by which each rung of a programme grows: all that a listener is sent.
pub(crate) struct Growth {
    began: Instant,
    bytes: [f64; 3],
}

impl Growth {
    pub(crate) fn begin(event: &Path) -> Self {
        Self { began: Instant::now(), bytes: lengths(event) }
    }

    pub(crate) fn end(&self, event: &Path) -> [f64; 3] {
        let (seconds, now) = (self.began.elapsed().as_secs_f64(), lengths(event));
        std::array::from_fn(|rung| (now[rung] - self.bytes[rung]) / seconds)
    }
}

fn lengths(event: &Path) -> [f64; 3] {
    RUNGS.map(|rung| std::fs::metadata(event.join(format!("{rung}.mp4"))).map_or(0.0, |file| file.len() as f64))
}

/// What was measured.
pub(crate) struct Measured {
    /// Bytes a second of each rung.
    pub(crate) growth: [f64; 3],
    /// Processor time of one send in microseconds, plain and with TLS.
    pub(crate) send_us: [f64; 2],
    /// Memory of a listener in bytes, kernel included, plain and with TLS.
    pub(crate) bytes: [f64; 2],
}

impl Measured {
    /// The table of docs/scale.md.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{} listeners; a node has a line of 10 Gbit/s and fills {:.0} % of it:\n\n\
             | rung | line | nodes | listeners a node | cores in all, 1 s / 4 s / 16 s | with TLS | memory | with TLS | an hour | at {PRICE_PER_GIGABYTE} a GB |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
            grouped(LISTENERS as u64),
            NODE_SHARE * 100.0,
        );
        let cores = |us: f64| [1.0, 4.0, 16.0].map(|cadence| number(LISTENERS * us / 1e6 / cadence)).join(" / ");
        let memory = |bytes: f64| format!("{:.0} GB", LISTENERS * bytes / 1e9);
        for (rung, growth) in RUNGS.into_iter().zip(self.growth) {
            let line = growth * 8.0 * NETWORK * LISTENERS;
            let nodes = (line / (NODE_BITS * NODE_SHARE)).ceil();
            let gigabytes = line / 8.0 * 3_600.0 / 1e9;
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "| {rung} kbit/s | {} | {nodes} | {} | {} | {} | {} | {} | {} GB | {} |",
                bits(line as u64),
                grouped((LISTENERS / nodes).ceil() as u64),
                cores(self.send_us[0]),
                cores(self.send_us[1]),
                memory(self.bytes[0]),
                memory(self.bytes[1]),
                grouped(gigabytes as u64),
                grouped((gigabytes * PRICE_PER_GIGABYTE) as u64),
            );
        }
        text
    }

    /// Whether all of it was measured.
    pub(crate) fn is_whole(&self) -> bool {
        self.growth.iter().chain(&self.send_us).chain(&self.bytes).all(|value| value.is_finite() && *value > 0.0)
    }
}
