//! What the loop does besides sockets: it follows the files, gives those their turn for whom something is published, and sweeps.

use super::{Booking, LOOK_MILLIS, QUEUED_PER_TURN, UNUSED_MILLIS, Worker, booked};
use crate::address::What;
use crate::connection::Connection;
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
        self.send_away(id);
    }

    /// Closes what is open to tickets that were barred since this was last looked at.
    fn send_away(&mut self, id: EventId) {
        let Some(event) = self.house.events.get_mut(&id) else { return };
        if !event.takes_bars() {
            return;
        }
        let is_barred = |(of, ticket): (EventId, u64)| of == id && event.bars(ticket);
        let barred = self.connections.iter().filter(|(_, connection)| connection.admitted().is_some_and(is_barred));
        for key in barred.filter_map(|(key, _)| u32::try_from(key).ok()).collect::<Vec<_>>() {
            self.close(key);
        }
    }

    /// Gives what is new to everybody who waits for it: to streams when they have their turn, to held requests in one pass over them.
    fn publish(&mut self, id: EventId) {
        self.house.metrics.publications += 1;
        self.call_up(id);
        let Some(event) = self.house.events.get_mut(&id) else { return };
        let mut waiters = std::mem::take(&mut event.waiters);
        // Most wait for the same, which is looked up once.
        let mut known: Option<(&What, bool)> = None;
        waiters.retain(|&(key, serial)| {
            let connection = self.connections.get(key as usize).filter(|connection| connection.serial == serial);
            let Some(connection) = connection.filter(|connection| connection.waits_at() == Some(id)) else { return false };
            let is_there = match (connection.waits_for(), known) {
                (None, _) => true,
                (Some(what), Some((same, is_there))) if what == same => is_there,
                (Some(what), _) => {
                    let is_there = event.has(what);
                    known = Some((what, is_there));
                    is_there
                }
            };
            if is_there {
                self.released.push_back((id, (key, serial)));
            }
            !is_there
        });
        event.waiters = waiters;
    }

    /// Answers held requests for what is there now, as many as a turn has time for.
    pub(super) fn release(&mut self) {
        for _ in 0..self.released.len().min(QUEUED_PER_TURN) {
            let Some((id, (key, serial))) = self.released.pop_front() else { return };
            if self.is_waiter(id, key, serial) {
                self.drive(key);
            }
            // The next request on the same connection may be held too.
            if self.is_waiter(id, key, serial)
                && let Some(event) = self.house.events.get_mut(&id)
            {
                event.waiters.push((key, serial));
            }
        }
    }

    /// Whether a member of an event's rota still is where it was seated.
    pub(super) fn is_seated(&self, id: EventId, seat: Seat, (key, serial): Member) -> bool {
        let is_here = |booking: Booking| booking.event == id && booking.seat == seat;
        self.is_member(key, serial) && booked(&self.connections[key as usize]).is_some_and(is_here)
    }

    fn is_waiter(&self, id: EventId, key: u32, serial: u32) -> bool {
        self.is_member(key, serial) && self.connections[key as usize].waits_at() == Some(id)
    }

    /// Once a second: closes what is overdue, tries those again who are blocked, forgets who is gone, closes events that nobody uses.
    pub(super) fn sweep(&mut self, now: Instant) {
        let moment = self.house.deadline(0);
        let keys = |is_meant: &dyn Fn(&Connection) -> bool| -> Vec<u32> {
            let meant = self.connections.iter().filter(|(_, connection)| is_meant(connection));
            meant.filter_map(|(key, _)| u32::try_from(key).ok()).collect()
        };
        let (overdue, blocked) = (keys(&|connection| connection.is_overdue(moment)), keys(&|connection| connection.is_blocked()));
        for key in overdue {
            match self.connections[key as usize].waits_at() {
                // It gets its answer: that what it waits for does not come.
                Some(_) => self.queue(key),
                None => {
                    self.house.metrics.stalled += u64::from(self.connections[key as usize].place().is_some());
                    self.close(key);
                }
            }
        }
        // A system short of memory for sockets refuses bytes, and does not say later that it would take them.
        self.house.metrics.retries += blocked.len() as u64;
        for key in blocked {
            self.queue(key);
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
