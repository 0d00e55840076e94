//! A worker with so many listeners at so much each.

use super::*;
use proptest::prelude::*;

struct Worker {
    governor: Governor,
    now: Instant,
    seconds: f64,
}

impl Worker {
    fn new() -> Self {
        let now = Instant::now();
        Self { governor: Governor::new(None, now), now, seconds: 0.0 }
    }

    /// Goes on for so many slots; gives the cadences taken up, in milliseconds.
    fn run(&mut self, slots: u64, listeners: u64, cost: impl Fn(u64) -> Duration) -> Vec<u64> {
        let mut taken = Vec::new();
        for slot in 0..slots {
            let due = listeners.div_ceil(self.governor.target().slots());
            self.governor.passed(cost(slot) * u32::try_from(due).unwrap(), due);
            self.now += SLOT;
            self.seconds += 0.2;
            if self.governor.judge(self.now, listeners) {
                taken.push(self.governor.target().millis());
            }
        }
        taken
    }
}

const NONE: [u64; 0] = [];

const USUAL: Duration = Duration::from_micros(13);

#[test]
fn goes_straight_to_the_cadence_that_fits() {
    for (listeners, expected) in
        [(0, 200), (9_000, 200), (10_000, 1_000), (40_000, 1_000), (70_000, 2_000), (300_000, 8_000), (5_000_000, 16_000)]
    {
        let mut worker = Worker::new();
        worker.run(60, listeners, |_| USUAL);
        assert_eq!(worker.governor.target().millis(), expected, "{listeners} listeners");
    }
}

#[test]
fn a_hiccup_changes_nothing() {
    let mut worker = Worker::new();
    assert_eq!(worker.run(100, 5_000, |slot| if slot % 5 < 2 { 20 * USUAL } else { USUAL }), NONE);
    assert_eq!(worker.run(100, 1, |_| Duration::from_secs(1)), NONE, "nobody is helped by a slower cadence");
}

#[test]
fn comes_down_step_by_step_when_it_has_long_been_easy() {
    let mut worker = Worker::new();
    assert_eq!(worker.run(10, 40_000, |_| 10 * USUAL), [16_000]);
    let begun = worker.seconds;
    assert_eq!(worker.run(90, 40_000, |_| USUAL), NONE);
    assert_eq!(worker.run(400, 40_000, |_| USUAL), [8_000, 4_000, 2_000], "at a second a pass would take half a slot");
    assert!(worker.seconds - begun > 60.0);
    let gone: Vec<u64> = worker.run(1_000, 0, |_| USUAL);
    assert_eq!(gone, [1_000, 200]);
}

#[test]
fn what_the_operator_fixes_stays() {
    let mut worker = Worker::new();
    worker.governor.fix(Some(Cadence::ALL[3]));
    assert_eq!(worker.run(500, 300_000, |_| USUAL), NONE);
    assert!(worker.governor.is_fixed() && worker.governor.target().millis() == 4_000);
    worker.governor.fix(None);
    assert_eq!(worker.governor.target().millis(), 4_000, "it goes on from there");
    assert_eq!(worker.run(10, 300_000, |_| USUAL), [8_000]);
}

proptest! {
    #[test]
    fn a_steady_load_is_answered_once(listeners in 1u64..2_000_000, cost_micros in 1u64..60) {
        let mut worker = Worker::new();
        let cost = Duration::from_micros(cost_micros);
        prop_assert!(worker.run(50, listeners, |_| cost).len() <= 1);
        prop_assert_eq!(worker.run(500, listeners, |_| cost), Vec::<u64>::new());
        let due = listeners.div_ceil(worker.governor.target().slots());
        let fits = cost * u32::try_from(due).unwrap() <= SLOT * u32::try_from(PASS_PERCENT_MAX + 1).unwrap() / 100;
        prop_assert!(fits || worker.governor.target() == Cadence::SLOWEST);
    }
}
