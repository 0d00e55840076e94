//! What the stage counts, and how Prometheus reads it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the histogram of tick lateness, in microseconds; one more bucket holds the rest.
const LATE_MICROS: [u64; 8] = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 200_000];

/// Numbers that any thread adds to and nobody waits for.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// Ticks that the mixing thread has done; its pulse.
    pub ticks: AtomicU64,
    late: [AtomicU64; LATE_MICROS.len() + 1],
    late_micros_sum: AtomicU64,
    late_micros_max: AtomicU64,
    /// Ticks of one event that waited for an encoder.
    pub ticks_postponed: AtomicU64,
    /// Microseconds spent encoding.
    pub encode_micros: AtomicU64,
    /// Packets encoded.
    pub encoded: AtomicU64,
    /// 20 ms of one voice that were concealed.
    pub concealed: AtomicU64,
    /// 20 ms of one voice that were recovered from redundancy.
    pub recovered: AtomicU64,
    /// Sound packets from speakers.
    pub packets_in: AtomicU64,
    /// Datagrams to speakers.
    pub datagrams_out: AtomicU64,
    /// Datagrams and packets that found no room or nobody.
    pub dropped: AtomicU64,
    /// Reports and requests that found the control thread's queue full.
    pub reports_dropped: AtomicU64,
    /// Panics that were fenced.
    pub panics: AtomicU64,
    /// Sessions now.
    pub sessions: AtomicU64,
    /// Events on this stage now.
    pub events: AtomicU64,
    /// Events live now.
    pub events_live: AtomicU64,
    /// Fragments sealed.
    pub sealed: AtomicU64,
    /// Milliseconds that the last sync was behind.
    pub sync_behind_millis: AtomicU64,
    /// The longest that a sync was behind.
    pub sync_behind_millis_max: AtomicU64,
    /// Bytes kept in memory because the disk is full.
    pub spill_bytes: AtomicU64,
    /// Times that the recording stopped.
    pub recordings_stopped: AtomicU64,
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Metrics {
    /// Takes how late a tick began. Neither locks nor allocates.
    pub(super) fn tick(&self, late: Duration) {
        let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATE_MICROS.iter().position(|bound| micros <= *bound).unwrap_or(LATE_MICROS.len());
        count(&self.late[bucket]);
        self.late_micros_sum.fetch_add(micros, Relaxed);
        self.late_micros_max.fetch_max(micros, Relaxed);
        count(&self.ticks);
    }

    /// Takes how far behind a sync was.
    pub(super) fn synced(&self, behind: Duration) {
        let millis = u64::try_from(behind.as_millis()).unwrap_or(u64::MAX);
        self.sync_behind_millis.store(millis, Relaxed);
        self.sync_behind_millis_max.fetch_max(millis, Relaxed);
    }

    /// Prometheus' text format.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(4_096);
        for (name, kind, help, value) in self.rows() {
            let _ = writeln!(text, "# HELP townsquare_stage_{name} {help}\n# TYPE townsquare_stage_{name} {kind}");
            let _ = writeln!(text, "townsquare_stage_{name} {}", value.load(Relaxed));
        }
        self.histogram(&mut text);
        text
    }

    fn rows(&self) -> [(&'static str, &'static str, &'static str, &AtomicU64); 21] {
        [
            ("ticks_total", "counter", "Ticks of the mixing thread.", &self.ticks),
            ("ticks_postponed_total", "counter", "Ticks of one event that waited for an encoder.", &self.ticks_postponed),
            ("tick_late_micros_max", "gauge", "The latest tick so far.", &self.late_micros_max),
            ("encode_micros_total", "counter", "Time spent encoding.", &self.encode_micros),
            ("encoded_total", "counter", "Opus packets encoded.", &self.encoded),
            ("concealed_total", "counter", "20 ms of a voice that were lost and concealed.", &self.concealed),
            ("recovered_total", "counter", "20 ms of a voice that were recovered from redundancy.", &self.recovered),
            ("packets_in_total", "counter", "Sound packets from speakers.", &self.packets_in),
            ("datagrams_out_total", "counter", "Datagrams to speakers.", &self.datagrams_out),
            ("dropped_total", "counter", "Datagrams and packets that found no room or nobody.", &self.dropped),
            ("reports_dropped_total", "counter", "Reports that found the control queue full.", &self.reports_dropped),
            ("panics_total", "counter", "Panics that were fenced.", &self.panics),
            ("sessions", "gauge", "WebRTC sessions now.", &self.sessions),
            ("events", "gauge", "Events with somebody on stage, or live.", &self.events),
            ("events_live", "gauge", "Events that are live.", &self.events_live),
            ("fragments_sealed_total", "counter", "Fragments written.", &self.sealed),
            ("sync_behind_millis", "gauge", "How far behind the last sync was.", &self.sync_behind_millis),
            ("sync_behind_millis_max", "gauge", "The furthest that a sync was behind.", &self.sync_behind_millis_max),
            ("spill_bytes", "gauge", "Live-only sound in memory because the disk is full.", &self.spill_bytes),
            ("recordings_stopped_total", "counter", "Recordings that stopped.", &self.recordings_stopped),
            ("late_micros_total", "counter", "Sum of the ticks' lateness.", &self.late_micros_sum),
        ]
    }

    fn histogram(&self, text: &mut String) {
        let name = "townsquare_stage_tick_late_seconds";
        let _ = writeln!(text, "# HELP {name} How late a tick began.\n# TYPE {name} histogram");
        let mut total = 0;
        for (bucket, count) in self.late.iter().enumerate() {
            total += count.load(Relaxed);
            let bound =
                LATE_MICROS.get(bucket).map_or("+Inf".to_owned(), |micros| format!("{:.4}", Duration::from_micros(*micros).as_secs_f64()));
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
        let sum = Duration::from_micros(self.late_micros_sum.load(Relaxed)).as_secs_f64();
        let _ = writeln!(text, "{name}_sum {sum:.6}\n{name}_count {total}");
    }
}
