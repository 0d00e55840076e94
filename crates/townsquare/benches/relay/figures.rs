//! Figures and what they are to reach.

use serde::Serialize;

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

/// One figure beside its goal.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) what: String,
    /// `None` when it could not be measured.
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) goal: Goal,
}

#[derive(Serialize)]
struct Row<'a> {
    what: &'a str,
    value: Option<f64>,
    unit: &'a str,
    goal: String,
    reached: Option<bool>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, value: Option<f64>, unit: &'static str, goal: Goal) -> Self {
        Self { what: what.into(), value: value.filter(|value| value.is_finite()), unit, goal }
    }

    /// `None` when it was not measured.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        self.value.map(|value| match self.goal {
            Goal::AtMost(most) => value <= most,
            Goal::Below(bound) => value < bound,
            Goal::AtLeast(least) => value >= least,
        })
    }

    fn goal(&self) -> String {
        let (sign, bound) = match self.goal {
            Goal::AtMost(most) => ("≤", most),
            Goal::Below(bound) => ("<", bound),
            Goal::AtLeast(least) => ("≥", least),
        };
        format!("{sign} {}", number(bound))
    }

    pub(crate) fn line(&self) -> String {
        let value = self.value.map_or_else(|| "not measured".to_owned(), |value| format!("{} {}", number(value), self.unit));
        let reached = match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "not reached",
            None => "",
        };
        format!("| {} | {value} | {} | {reached} |", self.what, self.goal())
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let row = Row { what: &self.what, value: self.value, unit: self.unit, goal: self.goal(), reached: self.is_reached() };
        serde_json::to_value(row).unwrap_or_default()
    }
}

/// Prints figures beside their goals.
pub(crate) fn table(figures: &[Figure]) -> String {
    let head = "| figure | measured | to reach | |\n|---|---|---|---|\n".to_owned();
    figures.iter().fold(head, |table, figure| table + &figure.line() + "\n")
}

/// A number with as many digits as can mean something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => rehearsal::verdict::grouped(value.round().max(0.0) as u64),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

/// The middle of some values; `None` of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], upper) } else { upper })
}
