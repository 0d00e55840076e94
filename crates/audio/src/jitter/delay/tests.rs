//! The target delay, from packets of 20 ms.

use super::super::{DELAY_MAX, MILLI, TICK};
use super::{Delay, TARGET_MAX, TARGET_MIN};
use crate::sample::Chance;

/// Feeds `seconds` of packets with up to `jitter` of delay, after a transit of `transit`; returns the time reached.
fn feed(delay: &mut Delay, from: i64, seconds: i64, transit: i64, jitter: u64, chance: &mut Chance) -> i64 {
    for index in 0..seconds * 50 {
        let late = i64::try_from(chance.below(jitter + 1)).unwrap();
        delay.hear(from + index * TICK + transit + late, transit + late);
    }
    from + seconds * 50 * TICK
}

#[test]
fn it_grows_with_the_jitter_and_shrinks_slowly() {
    let mut chance = Chance(5);
    let mut delay = Delay::new(0, 0);
    assert_eq!(delay.target(), 60 * MILLI);
    let mut now = feed(&mut delay, 0, 60, 0, 0, &mut chance);
    assert_eq!(delay.target(), TARGET_MIN);
    now = feed(&mut delay, now, 5, 0, 150 * 48, &mut chance);
    assert!((140 * MILLI..=180 * MILLI).contains(&delay.target()), "{}", delay.target() / MILLI);
    now = feed(&mut delay, now, 2, 0, 0, &mut chance);
    assert!(delay.target() > 100 * MILLI, "{}", delay.target() / MILLI);
    feed(&mut delay, now, 60, 0, 0, &mut chance);
    assert_eq!(delay.target(), TARGET_MIN);
}

#[test]
fn it_never_exceeds_the_limit() {
    let mut chance = Chance(6);
    let mut delay = Delay::new(0, 0);
    feed(&mut delay, 0, 20, 0, DELAY_MAX.unsigned_abs(), &mut chance);
    assert_eq!(delay.target(), TARGET_MAX);
}

#[test]
fn a_longer_route_is_forgotten_a_shorter_one_learnt_at_once() {
    let mut chance = Chance(7);
    let mut delay = Delay::new(0, 0);
    let now = feed(&mut delay, 0, 30, 0, 0, &mut chance);
    let now = feed(&mut delay, now, 30, 100 * MILLI, 0, &mut chance);
    assert_eq!(delay.earliest(), 100 * MILLI);
    let now = feed(&mut delay, now, 60, 100 * MILLI, 0, &mut chance);
    assert_eq!(delay.target(), TARGET_MIN);
    feed(&mut delay, now, 1, 20 * MILLI, 0, &mut chance);
    assert_eq!(delay.earliest(), 20 * MILLI);
}
