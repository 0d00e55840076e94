//! The report: one page with the sentence, the figures and the plots, in itself whole; no script, light or dark as the reader has it.

use crate::plot::{Line, Plot};
use crate::verdict::{Hour, Summary, bits, grouped};
use std::fmt::{self, Write as _};

/// What was seen in one second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moment {
    /// Seconds since the first came.
    pub second: f64,
    /// Who had been let in.
    pub joined: u64,
    /// Who heard.
    pub hearing: u64,
    /// From connection to sound, of those who came in this second.
    pub first_audio_p99_ms: Option<u32>,
    /// Between two sends in this second.
    pub cadence_p50_ms: Option<u32>,
    /// The most of it.
    pub cadence_max_ms: Option<u32>,
    /// Gaps since the start.
    pub gaps: u64,
    /// Repeats, stalls and lost connections since the start.
    pub faults: u64,
    /// Processor time of the relay in percent of one core.
    pub server_cpu_percent: Option<f64>,
    /// Processor time of the crowd.
    pub crowd_cpu_percent: f64,
    /// Memory of the relay.
    pub user_bytes: Option<u64>,
    /// Memory of the kernel.
    pub kernel_bytes: Option<u64>,
}

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was listened to.
    pub stream: &'a str,
    /// The verdict.
    pub sentence: &'a str,
    /// The figures.
    pub summary: &'a Summary,
    /// What was seen, second by second.
    pub moments: &'a [Moment],
    /// What an hour takes.
    pub forecast: &'a [Hour],
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c1b19;--paper:#fdfcfa;--soft:#6b675f;--line:#dcd8d0;--one:#a8431f;--two:#2b6a8f}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e3;--paper:#191816;--soft:#a39e94;--line:#3a3732;--one:#e8875f;--two:#7cb8da}}\
body{margin:0 auto;padding:2rem 1rem;max-width:62rem;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}\
h1{font-size:1.5rem;line-height:1.35}h2{font-size:1rem;margin:0 0 .25rem}code{overflow-wrap:anywhere}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(16rem,100%),1fr));gap:1.5rem;margin:2rem 0}figure{margin:0}\
figcaption{color:var(--soft);font-size:.85rem}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}\
.grid{stroke:var(--line)}.one{stroke:var(--one)}.two{stroke:var(--two)}.one,.two{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
.key-one{color:var(--one)}.key-two{color:var(--two)}\
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem 1rem .25rem 0;text-align:start;border-block-end:1px solid var(--line)}\
td{font-variant-numeric:tabular-nums}";

/// The page.
#[must_use]
pub fn render(report: &Report<'_>) -> String {
    let mut page = String::with_capacity(64 * 1024);
    // Writing to a string does not fail.
    let _ = write(&mut page, report);
    page
}

fn write(page: &mut String, report: &Report<'_>) -> fmt::Result {
    write!(page, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Rehearsal</title>")?;
    write!(page, "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body><main>")?;
    write!(page, "<h1>{}</h1><p>Rehearsed at <code>{}</code></p>", Text(report.sentence), Text(report.stream))?;
    page.push_str("<div class=\"plots\" id=\"plots\">");
    for plot in plots(report.moments) {
        plot.write(page)?;
    }
    page.push_str("</div>");
    figures(page, report.summary)?;
    page.push_str("<h2>What an hour takes</h2><table><tr><th>Rung</th><th>Line</th><th>Bytes</th><th>Cost</th></tr>");
    for hour in report.forecast {
        let Hour { rung, line_bits, gigabytes, cost } = hour;
        write!(page, "<tr><td>{rung} kbit/s</td><td>{}</td><td>{gigabytes:.1} GB</td><td>{cost:.2}</td></tr>", bits(*line_bits))?;
    }
    page.push_str("</table></main></body></html>\n");
    Ok(())
}

fn figures(page: &mut String, summary: &Summary) -> fmt::Result {
    let millis = |value: Option<u32>| value.map_or("–".to_owned(), |value| format!("{} ms", grouped(value.into())));
    let bytes = |value: Option<u64>| value.map_or("–".to_owned(), |value| format!("{} B", grouped(value)));
    let Summary { listeners, join_ms, first_audio_ms, cadence_ms, server, .. } = summary;
    let rows = [
        ("Asked, let in, hearing at the end", [listeners.asked, listeners.joined, listeners.hearing_at_end].map(grouped).join(", ")),
        ("Let in: median, 99 of 100", format!("{}, {}", millis(join_ms.p50), millis(join_ms.p99))),
        ("First sound: median, 99 of 100", format!("{}, {}", millis(first_audio_ms.p50), millis(first_audio_ms.p99))),
        ("Cadence: median, longest", format!("{}, {}", millis(cadence_ms.p50), millis(cadence_ms.max))),
        (
            "Gaps, repeats, stalls, lost connections",
            [summary.gaps, summary.repeats, summary.stalls, summary.disconnects].map(grouped).join(", "),
        ),
        ("Received", format!("{} B in all, for {} s together", grouped(summary.bytes), summary.seconds)),
        ("Processor time a listener and second", server.cpu_us_per_listener_second.map_or("–".to_owned(), |micros| format!("{micros} µs"))),
        (
            "Memory a listener: relay, kernel",
            format!("{}, {}", bytes(server.user_bytes_per_listener), bytes(server.kernel_bytes_per_listener)),
        ),
    ];
    page.push_str("<h2>Figures</h2><table>");
    for (name, value) in rows {
        write!(page, "<tr><th>{name}</th><td>{value}</td></tr>")?;
    }
    page.push_str("</table>");
    Ok(())
}

fn plots(moments: &[Moment]) -> Vec<Plot> {
    let line = |name, value: &dyn Fn(&Moment) -> Option<f64>| Line {
        name,
        points: moments.iter().filter_map(|moment| Some((moment.second, value(moment)?))).collect(),
    };
    let megabytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / 1e6);
    vec![
        Plot {
            title: "Listeners",
            unit: "",
            lines: vec![line("let in", &|moment| Some(moment.joined as f64)), line("hearing", &|moment| Some(moment.hearing as f64))],
        },
        Plot {
            title: "Time to first sound",
            unit: "ms",
            lines: vec![line("99 of 100 of those who came", &|moment| moment.first_audio_p99_ms.map(f64::from))],
        },
        Plot {
            title: "Cadence",
            unit: "ms",
            lines: vec![
                line("median", &|moment| moment.cadence_p50_ms.map(f64::from)),
                line("longest", &|moment| moment.cadence_max_ms.map(f64::from)),
            ],
        },
        Plot {
            title: "Faults",
            unit: "",
            lines: vec![
                line("gaps", &|moment| Some(moment.gaps as f64)),
                line("repeats, stalls, lost connections", &|moment| Some(moment.faults as f64)),
            ],
        },
        Plot {
            title: "Processor",
            unit: "% of a core",
            lines: vec![line("relay", &|moment| moment.server_cpu_percent), line("crowd", &|moment| Some(moment.crowd_cpu_percent))],
        },
        Plot {
            title: "Memory",
            unit: "MB",
            lines: vec![line("relay", &|moment| megabytes(moment.user_bytes)), line("kernel", &|moment| megabytes(moment.kernel_bytes))],
        },
    ]
}

/// Text in HTML.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
