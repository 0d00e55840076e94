//! Telling upstreams how many listen here: sums by rung, at most once a second for each event.

use super::Desk;
use super::event::Event;
use base::Rung;
use base::limit::LISTENING_MILLIS_MAX;
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often unchanged counts are said again: twice within the time for which they count, and a little.
const AGAIN: Duration = Duration::from_millis(LISTENING_MILLIS_MAX * 2 / 5);

/// How often counts are said at most.
const AT_MOST: Duration = Duration::from_secs(1);

/// Listeners by rung, in the order of [`Rung::ALL`].
pub(super) type Counts = [u32; 3];

/// How many listen to what: written by the supervisor's facts, read by the thread that tells.
#[derive(Default)]
pub(super) struct Listening(Mutex<BTreeMap<base::EventId, (Arc<Event>, Counts)>>);

impl Listening {
    /// So many listen to an event.
    pub(super) fn set(&self, event: &Arc<Event>, counts: Counts) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(event.id, (Arc::clone(event), counts));
    }

    /// An event is not copied any more.
    pub(super) fn forget(&self, event: base::EventId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&event);
    }

    fn now(&self) -> Vec<(Arc<Event>, Counts)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// Tells until `stop` says so.
pub(super) fn run(desk: &Desk, stop: &Receiver<()>) {
    let mut told: BTreeMap<base::EventId, (Counts, Instant)> = BTreeMap::new();
    while stop.recv_timeout(AT_MOST).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout) {
        let now = desk.listening.now();
        told.retain(|id, _| now.iter().any(|(event, _)| event.id == *id));
        for (event, counts) in now {
            let before = told.get(&event.id);
            let is_news = before.map_or([0; 3], |(counts, _)| *counts) != counts;
            let is_due = counts != [0; 3] && before.is_none_or(|(_, at)| at.elapsed() >= AGAIN);
            if (is_news || is_due) && tell(desk, &event, counts) {
                told.insert(event.id, (counts, Instant::now()));
            }
        }
    }
}

fn tell(desk: &Desk, event: &Event, counts: Counts) -> bool {
    let query: Vec<String> = Rung::ALL.into_iter().map(|rung| format!("{rung}={}", counts[rung.place()])).collect();
    let told = desk.upstreams.tell(event.upstream(), event.id, &format!("listening?{}", query.join("&")));
    if told {
        desk.metrics.told();
    }
    told
}
