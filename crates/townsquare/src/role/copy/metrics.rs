//! What the copier counts, as Prometheus text. No label names an event or a listener.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Totals since the copier started.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    streams: AtomicU64,
    fragments: AtomicU64,
    bytes: AtomicU64,
    blocks: AtomicU64,
    fetched: AtomicU64,
    evicted: AtomicU64,
    changeovers: AtomicU64,
    told: AtomicU64,
    troubles: Mutex<BTreeMap<&'static str, u64>>,
}

/// What is now.
pub(super) struct Load {
    /// Events that are copied.
    pub(super) events: usize,
    /// Bytes of media here, and bytes that may be.
    pub(super) window: (u64, u64),
}

impl Metrics {
    /// A stream of an upstream began.
    pub(super) fn opened(&self) {
        add(&self.streams, 1);
    }

    /// A fragment came on a stream.
    pub(super) fn fragment(&self) {
        add(&self.fragments, 1);
    }

    /// Bytes came on a stream.
    pub(super) fn received(&self, count: usize) {
        add(&self.bytes, count);
    }

    /// A block was fetched.
    pub(super) fn block(&self) {
        add(&self.blocks, 1);
    }

    /// Bytes of a block came.
    pub(super) fn fetched(&self, count: usize) {
        add(&self.fetched, count);
    }

    /// Blocks had to go.
    pub(super) fn evicted(&self, count: usize) {
        add(&self.evicted, count);
    }

    /// Another upstream is asked.
    pub(super) fn changed_over(&self) {
        add(&self.changeovers, 1);
    }

    /// An upstream was told how many listen.
    pub(super) fn told(&self) {
        add(&self.told, 1);
    }

    /// Something was wrong.
    pub(super) fn trouble(&self, kind: &'static str) {
        *self.troubles.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    pub(super) fn text(&self, load: &Load) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let rows = [
            ("events", "gauge", "Events that are copied.", load.events as u64),
            ("window_bytes", "gauge", "Bytes of media kept.", load.window.0),
            ("window_bytes_max", "gauge", "Bytes of media that may be kept.", load.window.1),
            ("streams_total", "counter", "Streams of upstreams begun, one a rung.", get(&self.streams)),
            ("fragments_total", "counter", "Fragments received on streams.", get(&self.fragments)),
            ("received_bytes_total", "counter", "Bytes received on streams.", get(&self.bytes)),
            ("blocks_fetched_total", "counter", "Blocks of 64 KiB fetched because a listener waited for them.", get(&self.blocks)),
            ("fetched_bytes_total", "counter", "Bytes received for them.", get(&self.fetched)),
            ("blocks_evicted_total", "counter", "Blocks taken away because the window was full.", get(&self.evicted)),
            ("changeovers_total", "counter", "Times that another upstream was asked.", get(&self.changeovers)),
            ("told_total", "counter", "Times that an upstream was told how many listen.", get(&self.told)),
        ];
        let mut text = String::new();
        for (name, kind, help, value) in rows {
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "# HELP townsquare_copy_{name} {help}\n# TYPE townsquare_copy_{name} {kind}\ntownsquare_copy_{name} {value}"
            );
        }
        let name = "townsquare_copy_troubles_total";
        let _ = writeln!(text, "# HELP {name} What was wrong with an upstream.\n# TYPE {name} counter");
        for (kind, count) in self.troubles.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(text, "{name}{{kind=\"{kind}\"}} {count}");
        }
        text
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
