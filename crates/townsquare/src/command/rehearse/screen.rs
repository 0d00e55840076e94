//! The bar and the live figures on a terminal, invisible where there is none; or lines for the square that started the rehearsal.

use super::attended::{self, Line};
use indicatif::{ProgressBar, ProgressStyle};
use rehearsal::Tally;
use rehearsal::verdict::grouped;

pub(super) enum Screen {
    Bar(ProgressBar),
    Lines,
}

impl Screen {
    pub(super) fn new(listeners: u64, attended: bool) -> Self {
        if attended {
            return Self::Lines;
        }
        let bar = ProgressBar::new(listeners);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent} %\n{msg}") {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Shows what is now; `left_seconds` once all have come.
    pub(super) fn show(&self, tally: &Tally, left_seconds: Option<f64>) {
        let faults = tally.gaps + tally.repeats + tally.stalls + tally.disconnects;
        let bar = match self {
            Self::Bar(bar) => bar,
            Self::Lines => {
                let (joined, hearing) = (tally.joined, tally.hearing);
                return attended::tell(&Line::Moment { joined, hearing, faults, left_seconds });
            }
        };
        bar.set_position(tally.hearing);
        let figure = |value: Option<u32>| value.map_or("–".to_owned(), |value| value.to_string());
        let phase = left_seconds.map_or("joining".to_owned(), |left| format!("{left:.0} s to go"));
        bar.set_message(format!(
            "{} of {} hear, first sound p99 {} ms, cadence {} ms, {faults} faults; {phase}",
            grouped(tally.hearing),
            grouped(tally.asked),
            figure(tally.first_audio_ms.percentile(99)),
            figure(tally.cadence_ms.percentile(50)),
        ));
    }

    pub(super) fn say(&self, what: &str) {
        if let Self::Bar(bar) = self {
            bar.set_message(what.to_owned());
            bar.tick();
        }
    }

    pub(super) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
