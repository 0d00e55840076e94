//! Plots as inline SVG: one or two lines over time.

use std::fmt::{self, Write as _};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 180.0;
/// Room for the numbers at the left and below.
const LEFT: f64 = 52.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 8.0;

/// The lines' classes, in their order.
const CLASSES: [&str; 2] = ["one", "two"];

/// One line: values at seconds.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// One plot.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) lines: Vec<Line>,
}

impl Plot {
    /// Adds the plot with its title and its key.
    pub(crate) fn write(&self, page: &mut String) -> fmt::Result {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let top = nice(points().map(|(_, value)| *value).fold(0.0, f64::max));
        let seconds = points().map(|(second, _)| *second).fold(1.0, f64::max);
        let (right, base) = (WIDTH - 8.0, HEIGHT - BELOW);
        let across = |second: f64| LEFT + second / seconds * (right - LEFT);
        let up = |value: f64| base - value / top * (base - ABOVE);
        write!(page, "<figure><h2>{}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">", self.title)?;
        for step in 0..=2 {
            let value = top * f64::from(step) / 2.0;
            write!(page, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>", y = up(value))?;
            write!(page, "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 6.0, up(value) + 4.0, short(value))?;
        }
        for (line, class) in self.lines.iter().zip(CLASSES) {
            write!(page, "<path class=\"{class}\" d=\"")?;
            for (nth, (second, value)) in line.points.iter().enumerate() {
                let (x, y) = (across(*second), up(*value));
                // A line from its first point to itself: one that has no other point is seen as a dot.
                write!(page, "{}{x:.1} {y:.1}", if nth == 0 { format!("M{x:.1} {y:.1}L") } else { "L".to_owned() })?;
            }
            page.push_str("\"/>");
        }
        write!(page, "<text x=\"{LEFT}\" y=\"{y}\">0 s</text>", y = HEIGHT - 6.0)?;
        write!(page, "<text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{seconds:.0} s</text></svg><figcaption>", y = HEIGHT - 6.0)?;
        for (line, class) in self.lines.iter().zip(CLASSES) {
            let note = if line.points.is_empty() { " (not seen)" } else { "" };
            write!(page, "<span class=\"key-{class}\">■</span> {}{note} ", line.name)?;
        }
        if !self.unit.is_empty() {
            write!(page, "in {}", self.unit)?;
        }
        page.push_str("</figcaption></figure>");
        Ok(())
    }
}

/// The next of 1, 2, 5, 10, 20, … that is not below.
fn nice(value: f64) -> f64 {
    let mut unit = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if value <= step * unit || unit > 1e18 {
                return step * unit;
            }
        }
        unit *= 10.0;
    }
}

/// A number in few characters.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        1e6.. => (value / 1e6, " M"),
        1e4.. => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format!("{value:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests;
