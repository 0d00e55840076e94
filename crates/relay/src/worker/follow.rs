//! What the loop does besides sockets: it follows the files, sends what is published, and sweeps.

use super::{LOOK_MILLIS, UNUSED_MILLIS, Worker, booked};
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
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(event = %id, %error, "the files of an event can't be read"),
            Err(_) => self.house.metrics.panics += 1,
        }
    }

    /// Sends what is new to everybody who waits for it, in one pass.
    fn publish(&mut self, id: EventId) {
        self.house.metrics.publications += 1;
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let (mut listeners, mut waiters) = (std::mem::take(&mut event.listeners), std::mem::take(&mut event.waiters));
        listeners.retain(|&(key, serial)| {
            let is_here = self.is_listener(id, key, serial);
            if is_here && !self.connections[key].is_blocked() {
                self.drive(key);
            }
            is_here
        });
        waiters.retain(|&(key, serial)| {
            if self.is_waiter(id, key, serial) {
                self.drive(key);
            }
            self.is_waiter(id, key, serial)
        });
        if let Some(event) = self.house.events.get_mut(&id) {
            // Those who came while the lists were gone through stand behind.
            listeners.append(&mut event.listeners);
            waiters.append(&mut event.waiters);
            (event.listeners, event.waiters) = (listeners, waiters);
        }
    }

    fn is_listener(&self, id: EventId, key: usize, serial: u32) -> bool {
        self.is_member(key, serial) && booked(&self.connections[key]).is_some_and(|(event, ..)| event == id)
    }

    fn is_waiter(&self, id: EventId, key: usize, serial: u32) -> bool {
        self.is_member(key, serial) && self.connections[key].waits_for() == Some(id)
    }

    /// Once a second: closes what is overdue, forgets who is gone, closes events that nobody uses.
    pub(super) fn sweep(&mut self, now: Instant) {
        let overdue: Vec<usize> =
            self.connections.iter().filter(|(_, connection)| connection.is_overdue(now)).map(|(key, _)| key).collect();
        for key in overdue {
            match self.connections[key].waits_for() {
                // It gets its answer: that what it waits for does not come.
                Some(_) => self.drive(key),
                None => self.close(key),
            }
        }
        self.house.audience.forget(now);
        for id in self.house.events.keys().copied().collect::<Vec<_>>() {
            self.tidy(id, now);
        }
    }

    fn tidy(&mut self, id: EventId, now: Instant) {
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let (mut listeners, mut waiters) = (std::mem::take(&mut event.listeners), std::mem::take(&mut event.waiters));
        listeners.retain(|&(key, serial)| self.is_listener(id, key, serial));
        waiters.retain(|&(key, serial)| self.is_waiter(id, key, serial));
        let Some(event) = self.house.events.get_mut(&id) else { return };
        (event.listeners, event.waiters) = (listeners, waiters);
        if !event.is_used() && now.saturating_duration_since(event.used) >= Duration::from_millis(UNUSED_MILLIS) {
            self.house.events.remove(&id);
            self.watch.remove(id);
        } else {
            self.watch.add(event);
        }
    }
}
