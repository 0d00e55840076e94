//! What a worker counts, as Prometheus text. No label names an event or a listener.

use base::Cadence;
use std::fmt::Write as _;

/// Totals since the worker started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) accepted: u64,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) sends: u64,
    pub(crate) publications: u64,
    pub(crate) skips: u64,
    pub(crate) copies: u64,
    pub(crate) retries: u64,
    pub(crate) stalled: u64,
    pub(crate) playlists_rendered: u64,
    pub(crate) panics: u64,
    pub(crate) accept_pauses: u64,
    pub(crate) turns: u64,
    pub(crate) turn_micros_total: u64,
    pub(crate) turn_micros_max: u64,
    pub(crate) passes: u64,
    pub(crate) lag_micros: u64,
    pub(crate) lag_micros_total: u64,
    pub(crate) lag_micros_max: u64,
}

/// What is now.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Open connections.
    pub connections: usize,
    /// Endless streams that count.
    pub streams: usize,
    /// HLS clients of the last ten seconds.
    pub hls_clients: usize,
    /// Requests held until something is sealed.
    pub held: usize,
    /// Streams to other relays.
    pub copies: usize,
    /// Events open.
    pub events: usize,
    /// Descriptors in use, about.
    pub descriptors_used: usize,
    /// Descriptors that the process may have.
    pub descriptors_limit: usize,
    /// Whether the worker takes no more connections.
    pub full: bool,
    /// The cadence that its listeners have or go to.
    pub cadence: Cadence,
    /// Whether the operator has said it.
    pub cadence_fixed: bool,
    /// Whether the kernel seals what is sent over TLS.
    pub kernel_tls: bool,
    /// Endless streams at each cadence, in the order of [`Cadence::ALL`].
    pub by_cadence: [usize; Cadence::COUNT],
}

impl Metrics {
    pub(crate) fn text(&self, load: &Load) -> String {
        let rows: &[(&str, &str, &str, u64)] = &[
            ("connections", "gauge", "Open connections.", load.connections as u64),
            ("streams", "gauge", "Listeners on an endless stream.", load.streams as u64),
            ("hls_clients", "gauge", "HLS clients seen in the last ten seconds.", load.hls_clients as u64),
            ("requests_held", "gauge", "Requests that wait for something to be sealed.", load.held as u64),
            ("copies", "gauge", "Streams to other relays, one a rung.", load.copies as u64),
            ("events", "gauge", "Events open.", load.events as u64),
            ("descriptors_used", "gauge", "Descriptors in use.", load.descriptors_used as u64),
            ("descriptors_limit", "gauge", "Descriptors that the process may have.", load.descriptors_limit as u64),
            ("full", "gauge", "Whether the worker leaves new connections to others.", u64::from(load.full)),
            ("accepted_total", "counter", "Connections accepted.", self.accepted),
            ("requests_total", "counter", "Requests understood.", self.requests),
            ("refused_total", "counter", "Requests answered with an error.", self.refused),
            ("sent_bytes_total", "counter", "Bytes sent, TLS not counted.", self.bytes_sent),
            ("sends_total", "counter", "Send calls.", self.sends),
            ("publications_total", "counter", "Changes of an event that listeners could see.", self.publications),
            ("skips_total", "counter", "Slow listeners moved to the live edge.", self.skips),
            ("copies_total", "counter", "Streams to other relays begun.", self.copies),
            ("retries_total", "counter", "Sends tried again after a second in which a full socket said nothing.", self.retries),
            ("stalled_total", "counter", "Listeners given up because they did not take what was sent.", self.stalled),
            ("playlists_rendered_total", "counter", "HLS playlists rendered; each serves all who ask for it.", self.playlists_rendered),
            ("panics_total", "counter", "Panics fenced to one connection or event.", self.panics),
            ("accept_pauses_total", "counter", "Times the worker stopped accepting.", self.accept_pauses),
            ("turns_total", "counter", "Turns of the event loop.", self.turns),
            ("turn_micros_total", "counter", "Microseconds of work in the event loop.", self.turn_micros_total),
            ("turn_micros_max", "gauge", "Longest turn of the event loop in microseconds.", self.turn_micros_max),
            ("cadence_millis", "gauge", "Milliseconds between two sends to a listener, as the worker wants it now.", load.cadence.millis()),
            ("cadence_fixed", "gauge", "Whether the operator has said the cadence.", u64::from(load.cadence_fixed)),
            ("kernel_tls", "gauge", "Whether the kernel seals what is sent over TLS.", u64::from(load.kernel_tls)),
            ("passes_total", "counter", "Passes over the listeners who were due.", self.passes),
            (
                "lag_micros",
                "gauge",
                "Microseconds from seeing a fragment to the last send of its pass, in the newest pass.",
                self.lag_micros,
            ),
            (
                "lag_micros_total",
                "counter",
                "The sum of these: what a pass takes on average, divided by the passes.",
                self.lag_micros_total,
            ),
            ("lag_micros_max", "gauge", "The longest of these.", self.lag_micros_max),
        ];
        let mut text = String::with_capacity(4096);
        for (name, kind, help, value) in rows {
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "# HELP townsquare_relay_{name} {help}\n# TYPE townsquare_relay_{name} {kind}\ntownsquare_relay_{name} {value}"
            );
        }
        text.push_str("# HELP townsquare_relay_cadence_streams Endless streams by the cadence that they have.\n# TYPE townsquare_relay_cadence_streams gauge\n");
        for (cadence, count) in Cadence::ALL.into_iter().zip(load.by_cadence) {
            let _ = writeln!(text, "townsquare_relay_cadence_streams{{millis=\"{cadence}\"}} {count}");
        }
        text
    }
}
