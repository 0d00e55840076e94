//! An event with one listener: what the relay takes, and how long a word takes to the stream.

use crate::figures::{Figure, Goal, median};
use crate::marks::{Marks, Spread};
use crate::process::Meter;
use crate::support::voice::Voice;
use crate::town::Town;
use crate::{Wish, patience, routes, say};
use std::time::Duration;

/// One window.
const WINDOW: Duration = Duration::from_secs(8);

/// What was seen.
#[derive(Default)]
pub(crate) struct Idle {
    core_percent: Vec<f64>,
    to_stream: Spread,
}

/// Listens alone for so many windows, with the cadence that the relay chooses.
pub(crate) fn run(wish: &Wish) -> anyhow::Result<Idle> {
    let town = Town::start(&[], false, None)?;
    town.server.go_live(&town.event);
    let marks = Marks::new();
    let _speaking = Voice::call(&town.event.whip, &town.event.token, "Ada", marks.clone().into_speak(), Box::new(|_, _| {}));
    town.wait_live()?;
    let length = WINDOW * u32::try_from(wish.rounds)?;
    let stream = routes::stream(&town.event.stream, length, true);
    let relays = town.relays();
    let mut core_percent = Vec::new();
    for _ in 0..wish.rounds {
        let meter = Meter::start(&relays);
        patience::pause(WINDOW)?;
        core_percent.push(meter.read().core_percent());
    }
    let heard = stream.join().map_err(|_| anyhow::anyhow!("the stream broke"))?;
    let idle = Idle { core_percent, to_stream: marks.match_with(&heard.onsets(&heard)) };
    say(&format!("one listener: {} marks, {:.0} ms", idle.to_stream.count(), idle.to_stream.quantile(0.5)));
    Ok(idle)
}

impl Idle {
    pub(crate) fn figures(&self) -> Vec<Figure> {
        vec![
            Figure::new("one listener: relay workers' CPU", median(&self.core_percent), "% of a core", Goal::Below(1.0)),
            Figure::new(
                format!("one listener: speaker to stream, p50 of {} marks", self.to_stream.count()),
                Some(self.to_stream.quantile(0.5)),
                "ms",
                Goal::Below(800.0),
            ),
        ]
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "core_percent": median(&self.core_percent), "marks": self.to_stream.count(), "speaker_to_stream_p50_ms": self.to_stream.quantile(0.5),
        })
    }
}
