//! How long links stay good.

use super::{DAY, claims, second};
use base::{EventId, UnixMillis, Visibility};
use gate::ticket::Class;
use store::Event;

const NOW: i64 = 1_795_222_800_000;

fn event(start: Option<i64>) -> Event {
    let id = EventId::from_random(u64::MAX).to_i64().unsigned_abs();
    Event { start_at: start.map(UnixMillis), ..store::testing::event(id, Visibility::Private, NOW) }
}

#[test]
fn a_link_is_one_link_for_weeks_and_never_about_to_expire() {
    // (begins, asked for after so many days, good until so many days after the announcement)
    let rows = [(None, 0, 30), (None, 23, 30), (None, 24, 60), (None, 53, 60), (None, 54, 90), (Some(100), 0, 130), (Some(-5), 0, 30)];
    for (start, after, until) in rows {
        let claims = claims(&event(start.map(|days| NOW + days * DAY)), Class::Host, UnixMillis(NOW + after * DAY));
        assert_eq!(claims.not_after, second(NOW + until * DAY), "begins {start:?}, asked for after {after} days");
        assert_eq!(claims.not_before, second(NOW - DAY), "a clock that jumps back");
    }
}

#[test]
fn each_class_has_its_own_number() {
    let number = |class| claims(&event(None), class, UnixMillis(NOW)).id;
    assert_ne!(number(Class::Host), number(Class::Speaker));
    assert_ne!(number(Class::Speaker), number(Class::Listener));
    assert_eq!(number(Class::Host) >> 2, (1 << 60) - 1);
}

#[test]
fn seconds_stay_in_their_32_bits() {
    for (millis, wanted) in [(-1, 0), (0, 0), (1_999, 1), (i64::MAX, u32::MAX)] {
        assert_eq!(second(millis), wanted, "{millis}");
    }
}
