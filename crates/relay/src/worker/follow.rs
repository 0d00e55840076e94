//! What the loop does besides sockets: it follows the files, gives those their turn for whom something is published, and sweeps.

use super::{Booking, LOOK_MILLIS, UNUSED_MILLIS, Worker, booked};
use crate::event::Member;
use crate::rota::Seat;
use base::EventId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

impl Worker {
    /// Looks at the files that have changed, and now and then at all.
    pub(super) fn look(&mut self, now: Instant) {
        let mut touched = self.watch.take_touched();
        if now.saturating_duration_since(self.looked_at) >= Duration::from_millis(LOOK_MILLIS) {
            self.looked_at = now;
            touched.extend(self.house.events.keys());
        }
        for id in touched {
            self.look_at(id);
        }
    }

    fn look_at(&mut self, id: EventId) {
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let (now, span) = (self.house.now, &mut self.house.span);
        match catch_unwind(AssertUnwindSafe(|| event.poll(now, span))) {
            Ok(Ok(true)) => self.publish(id),
            Ok(Ok(false)) if event.is_ending() => self.call_up(id),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(event = %id, %error, "the files of an event can't be read"),
            Err(_) => self.house.metrics.panics += 1,
        }
    }

    /// Gives what is new to everybody who waits for it: to streams when they have their turn, to held requests in one pass.
    fn publish(&mut self, id: EventId) {
        self.house.metrics.publications += 1;
        self.call_up(id);
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let mut waiters = std::mem::take(&mut event.waiters);
        waiters.retain(|&(key, serial)| {
            if self.is_waiter(id, key, serial) {
                self.drive(key);
            }
            self.is_waiter(id, key, serial)
        });
        if let Some(event) = self.house.events.get_mut(&id) {
            // Those who came while the list was gone through stand behind.
            waiters.append(&mut event.waiters);
            event.waiters = waiters;
        }
    }

    /// Whether a member of an event's rota still is where it was seated.
    pub(super) fn is_seated(&self, id: EventId, seat: Seat, (key, serial): Member) -> bool {
        let is_here = |booking: Booking| booking.event == id && booking.seat == seat;
        self.is_member(key, serial) && booked(&self.connections[key as usize]).is_some_and(is_here)
    }

    fn is_waiter(&self, id: EventId, key: u32, serial: u32) -> bool {
        self.is_member(key, serial) && self.connections[key as usize].waits_for() == Some(id)
    }

    /// Once a second: closes what is overdue, forgets who is gone, closes events that nobody uses.
    pub(super) fn sweep(&mut self, now: Instant) {
        let overdue = self.connections.iter().filter(|(_, connection)| connection.is_overdue(now));
        let overdue: Vec<u32> = overdue.filter_map(|(key, _)| u32::try_from(key).ok()).collect();
        for key in overdue {
            match self.connections[key as usize].waits_for() {
                // It gets its answer: that what it waits for does not come.
                Some(_) => self.drive(key),
                None => self.close(key),
            }
        }
        self.house.audience.forget(now);
        self.house.shares.tidy(now);
        self.tidy_upstream(now);
        for id in self.house.events.keys().copied().collect::<Vec<_>>() {
            self.tidy(id, now);
        }
    }

    fn tidy_upstream(&mut self, now: Instant) {
        if let Some(mut upstream) = self.house.upstream.take() {
            upstream.tidy(now, |event, (key, serial)| self.is_waiter(event, key, serial));
            self.house.upstream = Some(upstream);
        }
    }

    fn tidy(&mut self, id: EventId, now: Instant) {
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let (mut rota, mut waiters) = (std::mem::take(&mut event.rota), std::mem::take(&mut event.waiters));
        rota.tidy(event.streams, |seat, member| self.is_seated(id, seat, member));
        waiters.retain(|&(key, serial)| self.is_waiter(id, key, serial));
        let Some(event) = self.house.events.get_mut(&id) else { return };
        (event.rota, event.waiters) = (rota, waiters);
        if !event.is_used() {
            event.missing.clear();
        }
        if !event.is_used() && now.saturating_duration_since(event.used) >= Duration::from_millis(UNUSED_MILLIS) {
            self.house.events.remove(&id);
            self.watch.remove(id);
            if let Some(upstream) = &mut self.house.upstream {
                upstream.forget(id);
            }
        } else {
            self.watch.add(event);
        }
    }
}
