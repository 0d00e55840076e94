//! The bar and the live figures on a terminal; invisible where there is none.

use indicatif::{ProgressBar, ProgressStyle};
use rehearsal::Tally;
use rehearsal::verdict::grouped;

pub(super) struct Screen(ProgressBar);

impl Screen {
    pub(super) fn new(listeners: u64) -> Self {
        let bar = ProgressBar::new(listeners);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent} %\n{msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows what is now; `left_seconds` once all have come.
    pub(super) fn show(&self, tally: &Tally, left_seconds: Option<f64>) {
        self.0.set_position(tally.hearing);
        let figure = |value: Option<u32>| value.map_or("–".to_owned(), |value| value.to_string());
        let faults = tally.gaps + tally.repeats + tally.stalls + tally.disconnects;
        let phase = left_seconds.map_or("joining".to_owned(), |left| format!("{left:.0} s to go"));
        self.0.set_message(format!(
            "{} of {} hear, first sound p99 {} ms, cadence {} ms, {faults} faults; {phase}",
            grouped(tally.hearing),
            grouped(tally.asked),
            figure(tally.first_audio_ms.percentile(99)),
            figure(tally.cadence_ms.percentile(50)),
        ));
    }

    pub(super) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.tick();
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
